"""Read, write, list and remove files on local disks and in buckets. A file is written whole or not at all.

Every function takes the exact name of a file; none reads a name as a glob.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from model import loaded
from pipelines.files import (
    beneath,
    bucket_reads,
    buckets,
    faults,
    local_files,
    local_reads,
    local_writes,
    safe_names,
    stores,
    tars,
)
from pipelines.files.blobs import Generation, StoreError
from pipelines.files.faults import Fault
from tfrecords.errors import DeniedError, WorldError
from tfrecords.uris import is_remote as is_remote

_IN_MEMORY = 64 << 20


class OutsideError(ValueError):
    """A name leads out of its folder. This is a bug: the names of all sources have been made safe."""


def io_errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what disks and stores raise if a path is missing or forbidden, and more.

    The classes of libraries that have not been imported are left out, so call it in the ``except`` clause itself, not
    before the block.

    WorldError is excluded on purpose: a file on a disk or in a bucket that does not answer is not a missing file.
    """
    return (
        *(StoreError, OSError, ValueError, *more),
        *loaded.errors("google.api_core.exceptions", "GoogleAPIError"),
        *loaded.errors("google.auth.exceptions", "GoogleAuthError"),
    )


@contextlib.contextmanager
def errors_ignored(*more: type[Exception]) -> Iterator[None]:
    """Ignore `io_errors` and other errors in a block. Unlike `contextlib.suppress`, ask for the classes after it."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, io_errors(*more)):
            raise


def unknown(uri: str) -> ValueError:
    """Return the error for a path whose scheme is not supported."""
    return ValueError(f"{uri} is neither local nor in a bucket of a supported store")


def opened(uri: str, buffer: int = 0) -> BinaryIO:
    """Open a file for reading, without decompressing it.

    Args:
        uri: of the file.
        buffer: bytes to read at a time; 0 for what suits the disk or the bucket.

    Raises:
        io_errors: the file is missing or forbidden.
        WorldError: the disk or the bucket fails; or, in a bucket, rights or credentials are missing.
    """
    if is_in_bucket(uri):
        return bucket_reads.opened(uri, buffer=buffer)
    if not is_remote(uri):
        return local_reads.opened(uri, buffer)
    raise unknown(uri)


def read(uri: str, generation: Generation | None = None) -> bytes:
    """Return the bytes of a file; an object can be limited to one generation. Raises what `opened` raises."""
    if is_in_bucket(uri):
        return bucket_reads.read(uri, generation)
    if not is_remote(uri):
        return local_reads.read(uri)
    with opened(uri) as file:
        return file.read()


def read_range(uri: str, start: int, size: int, generation: Generation | None = None) -> bytes:
    """Return bytes from the middle of a file; generation and errors as in `read`, or ValueError if it ends early."""
    if is_in_bucket(uri):
        return bucket_reads.read_range(uri, start, size, generation)
    with opened(uri) as file:
        return tars.read_range(file, start, size)


def read_if_there(uri: str) -> bytes | None:
    """Return the bytes of a file, or None if it does not exist.

    Raises:
        WorldError: the file may exist, but cannot be read.
    """
    try:
        return read(uri)
    except io_errors() as error:
        if faults.is_missing(error):
            return None
        raise _cannot_be_read(uri, error) from error


def size(uri: str) -> int:
    """Return the size of a file in bytes, or -1 if it does not exist.

    Raises:
        WorldError: the file may exist, but cannot be looked up.
    """
    try:
        if is_in_bucket(uri):
            found = buckets.find(uri)
            return found.size if found else -1
        if not is_remote(uri):
            return local_reads.size(uri)
        raise unknown(uri)
    except io_errors() as error:
        if faults.is_missing(error):
            return -1
        raise _cannot_be_read(uri, error) from error


def _cannot_be_read(uri: str, error: Exception) -> WorldError:
    if faults.of(error) is Fault.DENIED:
        return DeniedError(f"{uri}: access is denied ({faults.cause(error)}); grant access, then start again")
    return WorldError(f"{uri} cannot be read ({faults.cause(error)}); start again when it can")


def join(folder: str, name: str) -> str:
    """Return the path or URI of a file from its folder and its path relative to the folder.

    Raises:
        OutsideError: the result would not be below the folder.
    """
    if not safe_names.is_safe(name):
        raise OutsideError(f"{name!r} does not lie below {folder}")
    return f"{folder.rstrip('/')}/{name}" if folder else name


def normalized(path: str) -> str:
    """Return a path in a form that can be compared: absolute, links resolved; a URI without a trailing slash."""
    return path.rstrip("/") if is_remote(path) else str(Path(path).resolve())


@contextlib.contextmanager
def whole_file(folder: str, name: str, check: Callable[[], None] | None = None) -> Iterator[BinaryIO]:
    """Open a file for writing that appears complete, or not at all if the block or ``check`` raises.

    On a local disk nothing is retried, because only the caller can start over (`pipelines.files.local_writes`). Until
    it is complete, the file has a unique hidden name, so two writers of one file do not collide, and the later one
    wins. `sweep` removes what a killed process leaves. An object is sent when it is complete, so nothing is left.

    Args:
        folder: that will contain the file.
        name: its path relative to the folder. On a local disk no link on the way is followed.
        check: called when the file is complete, just before it gets its name.

    Raises:
        beneath.LinkError: a folder on the way is a link.
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
    """Return whether a URI is an object, a folder or a glob in a bucket."""
    return stores.is_object(uri)


def sweep(folder: str) -> None:
    """Remove unfinished files of killed writers from a local folder; files of living processes are left alone."""
    if not is_remote(folder):
        local_files.sweep(Path(folder))


def names(folder: str) -> list[str]:
    """Return the names of the files directly in a folder; an empty list if there is no such folder.

    Raises:
        WorldError: the folder cannot be listed.
    """
    if is_in_bucket(folder):
        return [blob.uri.rpartition("/")[2] for blobs, _ in buckets.pages(folder) for blob in blobs]
    try:
        return [entry.name for entry in local_reads.listed(folder) if entry.is_file(follow_symlinks=False)]
    except io_errors() as error:
        if faults.is_missing(error):
            return []
        raise _cannot_be_read(folder, error) from error


def remove(uris: list[str]) -> None:
    """Remove files of one file system by their exact names; missing ones are ignored."""
    if uris and is_in_bucket(uris[0]):
        buckets.delete(uris)
    elif uris:
        local_writes.remove_all(map(Path, uris))


def write(uri: str, data: bytes, check: Callable[[], None] | None = None) -> None:
    """Write a file whole or not at all; ``check`` is that of `whole_file`."""
    folder, slash, name = uri.rpartition("/")
    write_in(folder or slash or ".", name, data, check)


def write_in(folder: str, name: str, data: bytes, check: Callable[[], None] | None = None) -> None:
    """Write a file below a folder, whole or not at all; the arguments are those of `whole_file`.

    Raises:
        beneath.LinkError: a folder on the way is a link.
        WorldError: the disk or the bucket fails; or, in a bucket, rights or credentials are missing.
        OSError: on a disk, access is denied, or the name is not possible.
    """
    uri = join(folder, name)
    if is_in_bucket(uri):
        buckets.write(uri, data, check)
    elif is_remote(uri):
        raise unknown(uri)
    else:
        local_writes.write(folder, name, data, check)


def create(uri: str, data: bytes) -> bool:
    """Write a file only if there is none; if several writers race, one succeeds.

    Returns:
        whether it was written; False if a file exists already.
    """
    if is_in_bucket(uri):
        return buckets.create(uri, data)
    if is_remote(uri):
        raise unknown(uri)
    return local_writes.create(Path(uri), data)
