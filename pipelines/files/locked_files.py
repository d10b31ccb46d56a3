"""Change small local files that several processes share; each holds a lock on the file while it changes it."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipelines.files.local_files import hidden_name, is_at, lock, locked, make_folder, sync, sync_folder, whole_file

_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def held(path: Path, *, to_read: bool = False) -> Iterator[BinaryIO | None]:
    """Open a file for reading and writing while every other process that opens it this way waits.

    Args:
        path: of the file.
        to_read: whether it may be open for reading alone, if it may not be written.

    Yields:
        the file; None if there is none.
    """
    while True:
        try:
            # Links are refused: a replacement would be written to the target of the link.
            file = _opened(path, to_read=to_read)
        except (FileNotFoundError, NotADirectoryError):  # the folder may be a file
            yield None
            return
        with file:
            lock(file)
            if is_at(path, file):
                yield file
                return
        # The file was replaced or removed while this process waited.


def _opened(path: Path, *, to_read: bool) -> BinaryIO:
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+b")
    except OSError as error:
        if not to_read or error.errno not in _READ_ONLY:
            raise
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def repair(path: Path, data: bytes, *, is_whole: Callable[[bytes], bool]) -> None:
    """Rewrite a damaged file; if several processes try at once, the first one does it and the others leave it alone.

    Args:
        path: of the file; nothing happens if it is gone.
        data: to write.
        is_whole: returns from the bytes of the file whether it needs no repair.
    """
    with held(path) as file:
        if file is not None and not is_whole(file.read()):
            file.seek(0)
            file.truncate()
            file.write(data)
            sync(file)


def version(file: BinaryIO) -> str:
    """Return a value that changes whenever the file at a path is replaced or written."""
    about = os.fstat(file.fileno())
    return f"{about.st_ino}-{about.st_mtime_ns}"


def changed(file: BinaryIO) -> float:
    """Return when a file was last written, in seconds since 1970."""
    return os.fstat(file.fileno()).st_mtime


def replace(path: Path, data: bytes, known: str) -> bool:
    """Replace a file with a new one if it has not changed; return False if it has changed or is gone.

    Args:
        path: of the file.
        data: to write.
        known: its `version` when it was read.
    """
    with held(path) as file:
        if file is None or version(file) != known:
            return False
        with whole_file(path) as new:
            new.write(data)
        return True


def remove(path: Path, known: str) -> bool:
    """Remove a file if it has not changed; return False if it has or is gone. The arguments are those of `replace`."""
    with held(path) as file:
        if file is None or version(file) != known:
            return False
        path.unlink()
    sync_folder(path.parent)
    return True


def clock(folder: Path) -> float:
    """Return the time in seconds since 1970, by the clock that sets the modification times of files in a folder."""
    make_folder(folder)
    path = folder / hidden_name("clock")
    with locked(path) as file:
        try:
            return changed(file)
        finally:
            path.unlink()
