"""Files wherever Beam can reach them: read, write whole or not at all, join, and the checks before a job starts."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from pipelines import buckets, local_files, tars
from tfrecords.errors import UserError

# What file systems raise when a path is not there or not allowed; Beam wraps some and passes others through. A bucket
# that does not answer is none of it: what nobody could look at must not count as missing.
IO_ERRORS = (BeamIOError, GoogleAPIError, GoogleAuthError, OSError, ValueError)
_IN_MEMORY = 64 << 20


def opened(uri: str) -> BinaryIO:
    """Opens a file for reading, never decompressed on the way.

    Raises:
        IO_ERRORS: the file cannot be read.
    """
    if is_in_bucket(uri):
        return buckets.opened(uri)
    return FileSystems.open(uri, compression_type=CompressionTypes.UNCOMPRESSED)


def read(uri: str, generation: int | None = None) -> bytes:
    """The bytes of a file; of an object perhaps of one generation only. Raises what ``opened`` raises."""
    if is_in_bucket(uri):
        return buckets.read(uri, generation)
    with opened(uri) as file:
        return file.read()


def read_range(uri: str, start: int, size: int, generation: int | None = None) -> bytes:
    """Bytes from the midst of a file; of an object perhaps of one generation only. Raises what ``opened`` raises."""
    if is_in_bucket(uri):
        return buckets.read_range(uri, start, size, generation)
    with opened(uri) as file:
        return tars.read_range(file, start, size)


def size(uri: str) -> int:
    """The bytes that a file has; -1 where there is none."""
    try:
        if is_in_bucket(uri):
            found = buckets.find(uri)
            return found.size if found else -1
        return int(FileSystems.match([uri])[0].metadata_list[0].size_in_bytes)
    except (*IO_ERRORS, LookupError):
        return -1


def join(folder: str, name: str) -> str:
    """The URI of a file named by its path relative to a folder."""
    return FileSystems.join(folder, *name.split("/"))


def normalized(path: str) -> str:
    """A path in the one form in which two can be compared: absolute, links resolved; a URI without a last slash."""
    return path.rstrip("/") if is_remote(path) else str(Path(path).resolve())


@contextlib.contextmanager
def whole_file(uri: str) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears under its name complete, or, when the block raises, not at all.

    Until then it has a hidden name of its own, so that two writers of one file do not meet; the later one wins. What a
    killed process leaves behind ``sweep`` finds. In a bucket nothing is left: a file is sent when it is complete.
    """
    if is_in_bucket(uri):
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            yield file  # type: ignore[misc]
            buckets.write(uri, file)  # type: ignore[arg-type]
        return
    with _whole_remote_file(uri) if is_remote(uri) else local_files.whole_file(Path(uri)) as file:
        yield file


def is_remote(uri: str) -> bool:
    """Whether a path has a scheme, such as gs://."""
    return "://" in uri


def is_in_bucket(uri: str) -> bool:
    """Whether it is an object, a folder or a glob of Cloud Storage."""
    return uri.startswith(buckets.SCHEME)


@contextlib.contextmanager
def _whole_remote_file(uri: str) -> Iterator[BinaryIO]:
    folder, name = FileSystems.split(uri)
    temporary = join(folder, local_files.hidden_name(name))
    try:
        with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            yield file
        FileSystems.rename([temporary], [uri])
    except BaseException:
        with contextlib.suppress(*IO_ERRORS):
            FileSystems.delete([temporary])
        raise


def sweep(folder: str) -> None:
    """Removes what killed writers left unfinished in a local folder; what a living process writes is left alone."""
    if not is_remote(folder):
        local_files.sweep(Path(folder))


def delete(patterns: list[str]) -> None:
    """Deletes the files that globs match."""
    in_buckets = [pattern for pattern in patterns if is_in_bucket(pattern)]
    remove([blob.uri for pattern in in_buckets for blob in buckets.matching(pattern)])
    for result in FileSystems.match([pattern for pattern in patterns if not is_in_bucket(pattern)]):
        remove([found.path for found in result.metadata_list])


def remove(uris: list[str]) -> None:
    """Deletes files of one file system."""
    if uris and is_in_bucket(uris[0]):
        buckets.delete(uris)
    elif uris:
        FileSystems.delete(uris)


def write(uri: str, data: bytes) -> None:
    """Writes a whole file, or none."""
    if is_in_bucket(uri):
        buckets.write(uri, data)
        return
    with whole_file(uri) as file:
        file.write(data)


def create(uri: str, data: bytes) -> bool:
    """Writes a whole file where there is none; of several writers at once one succeeds.

    On file systems other than local disks and Cloud Storage that cannot be had: there who wrote last has succeeded.

    Returns:
        whether it was written; False where there is one already.
    """
    if is_in_bucket(uri):
        return buckets.create(uri, data)
    if is_remote(uri):
        if size(uri) >= 0:
            return False
        write(uri, data)
        return read(uri) == data
    return local_files.create(Path(uri), data)


def check_writable(folder: str, flag: str = "--output") -> None:
    """Makes sure, by doing it, that files can be made in a folder, which is created where it is missing.

    Args:
        folder: the folder.
        flag: that it was given with.

    Raises:
        UserError: they cannot.
    """
    try:
        # Under the name of an unfinished file, so that one that a kill leaves behind is swept.
        if is_remote(folder):
            probe = join(folder, local_files.hidden_name("probe"))
            write(probe, b"")
            remove([probe])
        else:
            local_files.make_folder(Path(folder))
            path = Path(folder) / local_files.hidden_name("probe")
            with local_files.locked(path):
                path.unlink()
    except (*IO_ERRORS, buckets.OutageError) as error:
        raise UserError(f"{flag} {folder} cannot be written to ({_cause(error)}); choose another folder") from error


def _cause(error: BaseException) -> str:
    """The first line of what went wrong, in the operating system's words where it has any."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, BeamIOError) and error.exception_details:
        return _cause(next(iter(error.exception_details.values())))
    return str(error).splitlines()[0]
