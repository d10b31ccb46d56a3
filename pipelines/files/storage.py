"""Files on local disks and in buckets: read, write whole or not at all, join, and the checks before a job starts.

Every function takes the exact name of a file; none of them reads a name as a glob.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from pipelines.files import (
    beneath,
    bucket_reads,
    buckets,
    cloud,
    faults,
    local_files,
    local_reads,
    local_writes,
    safe_names,
    tars,
)
from pipelines.files.faults import Fault
from tfrecords.errors import DeniedError, WorldError
from tfrecords.uris import is_remote as is_remote

# What file systems raise when a path is missing or forbidden; Beam wraps some and passes others through. WorldError is
# excluded on purpose: a file on a disk or in a bucket that does not answer is not a missing file.
IO_ERRORS = (BeamIOError, GoogleAPIError, GoogleAuthError, OSError, ValueError)
_IN_MEMORY = 64 << 20


class OutsideError(ValueError):
    """A name that leads out of its folder. It is a bug: every source's name has been made safe."""


def unknown(uri: str) -> ValueError:
    """Returns the error of a path whose scheme is not supported."""
    return ValueError(f"{uri} is neither local nor in a bucket of Cloud Storage")


def opened(uri: str) -> BinaryIO:
    """Opens a file for reading, never decompressed on the way.

    Raises:
        IO_ERRORS: the file is missing or forbidden.
        WorldError: the disk or the bucket fails; or, in a bucket, rights or credentials are missing.
    """
    if is_in_bucket(uri):
        return bucket_reads.opened(uri)
    if not is_remote(uri):
        return local_reads.opened(uri)
    raise unknown(uri)


def read(uri: str, generation: int | None = None) -> bytes:
    """The bytes of a file; of an object perhaps of one generation only. Raises what ``opened`` raises."""
    if is_in_bucket(uri):
        return bucket_reads.read(uri, generation)
    if not is_remote(uri):
        return local_reads.read(uri)
    with opened(uri) as file:
        return file.read()


def read_range(uri: str, start: int, size: int, generation: int | None = None) -> bytes:
    """Bytes from the middle of a file; of an object perhaps of one generation only. Raises what ``opened`` raises."""
    if is_in_bucket(uri):
        return bucket_reads.read_range(uri, start, size, generation)
    with opened(uri) as file:
        return tars.read_range(file, start, size)


def read_if_there(uri: str) -> bytes | None:
    """Returns the bytes of a file, or None if there is no such file.

    Raises:
        WorldError: the file may be there, but it cannot be read.
    """
    try:
        return read(uri)
    except IO_ERRORS as error:
        if faults.is_missing(error):
            return None
        raise _cannot_be_read(uri, error) from error


def size(uri: str) -> int:
    """Returns the size of a file in bytes, or -1 if there is no such file.

    Raises:
        WorldError: the file may be there, but it cannot be looked up.
    """
    try:
        if is_in_bucket(uri):
            found = buckets.find(uri)
            return found.size if found else -1
        if not is_remote(uri):
            return local_reads.size(uri)
        raise unknown(uri)
    except IO_ERRORS as error:
        if faults.is_missing(error):
            return -1
        raise _cannot_be_read(uri, error) from error


def _cannot_be_read(uri: str, error: Exception) -> WorldError:
    if faults.of(error) is Fault.DENIED:
        return DeniedError(f"{uri}: access is denied ({faults.cause(error)}); grant it, then start again")
    return WorldError(f"{uri} cannot be read ({faults.cause(error)}); start again when it can")


def join(folder: str, name: str) -> str:
    """Returns the path or URI of a file named by its path relative to a folder.

    Raises:
        OutsideError: the result would not be below the folder.
    """
    if not safe_names.is_safe(name):
        raise OutsideError(f"{name!r} does not lie below {folder}")
    return f"{folder.rstrip('/')}/{name}" if folder else name


def normalized(path: str) -> str:
    """A path in the one form in which two can be compared: absolute, links resolved; a URI without a last slash."""
    return path.rstrip("/") if is_remote(path) else str(Path(path).resolve())


@contextlib.contextmanager
def whole_file(folder: str, name: str, check: Callable[[], None] | None = None) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears complete, or, when the block or ``check`` raises, not at all.

    On a local disk nothing is tried again: only the caller can start over, see `pipelines.files.local_writes`.
    Until then it has a hidden name of its own, so that two writers of one file do not meet; the later one wins. What a
    killed process leaves behind ``sweep`` finds. In a bucket nothing is left: a file is sent when it is complete.

    Args:
        folder: that the file is to lie in.
        name: its path relative to the folder. On a local disk no link on the way is followed.
        check: called when the file is complete, just before it gets its name.

    Raises:
        beneath.LinkError: a link on the way leads elsewhere.
    """
    uri = join(folder, name)
    if is_in_bucket(uri):
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            yield file  # type: ignore[misc]
            buckets.write(uri, file, check)  # type: ignore[arg-type]
        return
    if is_remote(uri):
        raise unknown(uri)
    with beneath.opened(Path(folder), name) as path, local_files.whole_file(path, check) as file:
        yield file


def is_in_bucket(uri: str) -> bool:
    """Whether it is an object, a folder or a glob of Cloud Storage."""
    return uri.startswith(cloud.SCHEME)


def sweep(folder: str) -> None:
    """Removes what killed writers left unfinished in a local folder; what a living process writes is left alone."""
    if not is_remote(folder):
        local_files.sweep(Path(folder))


def names(folder: str) -> list[str]:
    """Returns the names of the files directly in a folder; none if there is no such folder.

    Raises:
        WorldError: the folder cannot be listed.
    """
    if is_in_bucket(folder):
        return [blob.uri.rpartition("/")[2] for blobs, _ in buckets.pages(folder) for blob in blobs]
    try:
        return [entry.name for entry in local_reads.listed(folder) if entry.is_file(follow_symlinks=False)]
    except IO_ERRORS as error:
        if faults.is_missing(error):
            return []
        raise _cannot_be_read(folder, error) from error


def remove(uris: list[str]) -> None:
    """Removes files of one file system by their exact names; those that are gone already are passed over."""
    if uris and is_in_bucket(uris[0]):
        buckets.delete(uris)
    elif uris:
        local_writes.remove_all(map(Path, uris))


def write(uri: str, data: bytes, check: Callable[[], None] | None = None) -> None:
    """Writes a whole file, or none; ``check`` is that of ``whole_file``."""
    folder, slash, name = uri.rpartition("/")
    write_in(folder or slash or ".", name, data, check)


def write_in(folder: str, name: str, data: bytes, check: Callable[[], None] | None = None) -> None:
    """Writes a whole file below a folder, or none; the arguments are those of ``whole_file``.

    Raises:
        beneath.LinkError: a link on the way leads elsewhere.
        WorldError: the disk or the bucket fails; or, in a bucket, rights or credentials are missing.
        OSError: on a disk, it is forbidden, or there cannot be a file of that name.
    """
    uri = join(folder, name)
    if is_in_bucket(uri):
        buckets.write(uri, data, check)
    elif is_remote(uri):
        raise unknown(uri)
    else:
        local_writes.write(folder, name, data, check)


def create(uri: str, data: bytes) -> bool:
    """Writes a whole file where there is none; of several writers at once one succeeds.

    Returns:
        whether it was written; False where there is one already.
    """
    if is_in_bucket(uri):
        return buckets.create(uri, data)
    if is_remote(uri):
        raise unknown(uri)
    return local_writes.create(Path(uri), data)
