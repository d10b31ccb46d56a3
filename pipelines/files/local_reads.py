"""Read and list local files; retry while the disk, the mount, file descriptors or memory fail."""

import contextlib
import io
import os
import resource
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from pipelines.files import faults
from pipelines.files.faults import Fault
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import locally

T = TypeVar("T")
_LOOKED_AT = 8


class _Reader(io.RawIOBase):
    """A file open for reading that is opened again after a failed read, as network file systems may require."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._position = 0
        self._file: io.FileIO | None = None
        locally(path, self._opened)

    def _opened(self) -> io.FileIO:
        if self._file is None:
            self._file = io.FileIO(self._path)
        return self._file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_END:
            offset += locally(self._path, lambda: os.fstat(self._opened().fileno()).st_size)
        elif whence == io.SEEK_CUR:
            offset += self._position
        self._position = offset
        return offset

    def readinto(self, buffer: Any, /) -> int:
        size = locally(self._path, lambda: self._read(buffer))
        self._position += size
        return size

    def _read(self, buffer: Any) -> int:
        try:
            return os.preadv(self._opened().fileno(), [buffer], self._position)
        except OSError:
            self._shut()
            raise

    def _shut(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def close(self) -> None:
        self._shut()
        super().close()


def allow_open(number: int) -> None:
    """Let this process open more files at once, if the system allows it; the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def opened(path: str, buffer: int = 0) -> io.BufferedReader:
    """Open a file for reading, ``buffer`` bytes at a time; 0 for Python's default.

    Raises:
        OSError: it is missing, forbidden or a folder.
        OutageError: it could not be opened or, later, be read for 45 seconds.
    """
    return io.BufferedReader(_Reader(path), buffer or io.DEFAULT_BUFFER_SIZE)


def read(path: str) -> bytes:
    """Return all bytes of a file. Raises what `opened` raises."""

    def whole() -> bytes:
        with open(path, "rb") as file:  # noqa: PTH123 (called once a photo)
            return file.read()

    return locally(path, whole)


def size(path: str) -> int:
    """Return the size of a file in bytes. Raises what `opened` raises."""
    return locally(path, lambda: os.stat(path).st_size)  # noqa: PTH116 (called once a photo)


def listed(folder: str, root: str | None = None) -> "list[os.DirEntry[str]]":
    """Return the entries of a folder, sorted by name.

    Args:
        folder: to list.
        root: of the input that contains the folder; None outside an input.

    Raises:
        OSError: the folder is gone or forbidden, but the root is not.
        OutageError: it could not be listed for 45 seconds, or the root is gone, empty or forbidden as well.
    """

    def entries() -> "list[os.DirEntry[str]]":
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)

    return _patiently(folder, entries, root)


def looked_up(path: str, root: str | None = None) -> os.stat_result:
    """Return the status of a file or folder (``os.stat``). Raises what `listed` raises."""
    return _patiently(path, lambda: os.stat(path), root)  # noqa: PTH116 (called once a photo)


def _patiently(path: str, work: Callable[[], T], root: str | None) -> T:
    def is_retried(error: Exception) -> bool:
        fault = faults.of(error)
        is_of_all = root is not None and fault in (Fault.PHOTO, Fault.DENIED) and not _has_entries(root)
        return fault is Fault.PASSING or is_of_all

    return locally(path, work, is_retried)


def _has_entries(folder: str) -> bool:
    """Return whether a folder can be listed and has entries; a mount point is empty after its disk is unmounted."""
    try:
        with os.scandir(folder or ".") as entries:
            return any(True for _ in entries)
    except OSError:
        return False


def _opens(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (as above)
            file.read(1)
    except OSError:
        return False
    return True


def _beside(path: str) -> Iterator[str]:
    """Yield some files of the same folder."""
    with contextlib.suppress(OSError), os.scandir(os.path.dirname(path) or ".") as entries:  # noqa: PTH120 (as above)
        found = (entry.path for entry in entries if _is_regular(entry))
        yield from islice(found, _LOOKED_AT)


def _is_regular(entry: "os.DirEntry[str]") -> bool:
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False


NEIGHBOURS = Neighbours(_opens, _beside)
"""The local files that this process has read."""
