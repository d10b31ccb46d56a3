"""Files wherever Beam can reach them: read, write whole or not at all, join, and the checks before a job starts."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from tfrecords.errors import UserError

# What file systems raise when a path is not there or not allowed; Beam wraps some and passes others through.
IO_ERRORS = (BeamIOError, OSError, ValueError)


def opened(uri: str) -> BinaryIO:
    """Opens a file for reading, never decompressed on the way.

    Raises:
        OSError, BeamIOError: the file cannot be read.
    """
    return FileSystems.open(uri, compression_type=CompressionTypes.UNCOMPRESSED)


def read(uri: str) -> bytes:
    """The bytes of a file; raises what ``opened`` raises."""
    with opened(uri) as file:
        return file.read()


def join(folder: str, name: str) -> str:
    """The URI of a file named by its path relative to a folder."""
    return FileSystems.join(folder, *name.split("/"))


def normalized(path: str) -> str:
    """A path in the one form in which two can be compared: absolute, links resolved; a URI without a last slash."""
    return path.rstrip("/") if "://" in path else str(Path(path).resolve())


@contextlib.contextmanager
def whole_file(uri: str) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears under its name complete, or, when the block raises, not at all."""
    folder, name = FileSystems.split(uri)
    temporary = join(folder, f".{name}.{uuid.uuid4().hex}.part")
    try:
        with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            yield file
        FileSystems.rename([temporary], [uri])
    except BaseException:
        with contextlib.suppress(*IO_ERRORS):
            FileSystems.delete([temporary])
        raise


def write(uri: str, data: bytes) -> None:
    """Writes a whole file, or none."""
    with whole_file(uri) as file:
        file.write(data)


def check_writable(folder: str) -> None:
    """Makes sure, by doing it, that files can be made in a folder, which is created where it is missing.

    Raises:
        UserError: they cannot.
    """
    try:
        probe = join(folder, f".autochrome-{uuid.uuid4().hex}")
        write(probe, b"")
        FileSystems.delete([probe])
    except IO_ERRORS as error:
        raise UserError(f"--output {folder} cannot be written to ({_cause(error)}); choose another folder") from error


def _cause(error: BaseException) -> str:
    """The first line of what went wrong, in the operating system's words where it has any."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, BeamIOError) and error.exception_details:
        return _cause(next(iter(error.exception_details.values())))
    return str(error).splitlines()[0]
