"""Small local files that several processes change: each holds a lock on the file while it does so."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipelines.files.local_files import hidden_name, is_at, lock, locked, make_folder, sync, sync_folder, whole_file


@contextlib.contextmanager
def held(path: Path) -> Iterator[BinaryIO | None]:
    """Opens a file to read and write while every other process that opens it this way waits.

    Yields:
        the file; None where there is none.
    """
    while True:
        try:
            # Not through a link: what the file is replaced by would be written to where it leads.
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+b")
        except FileNotFoundError:
            yield None
            return
        with file:
            lock(file)
            if is_at(path, file):
                yield file
                return
        # Replaced or removed while this process waited.


def repair(path: Path, data: bytes, *, is_whole: Callable[[bytes], bool]) -> None:
    """Writes a damaged file again; of several processes that do so at once the first does, the others leave it alone.

    Args:
        path: of the file; nothing happens where it is gone.
        data: to be written.
        is_whole: tells from a file's bytes that it needs no repair.
    """
    with held(path) as file:
        if file is not None and not is_whole(file.read()):
            file.seek(0)
            file.truncate()
            file.write(data)
            sync(file)


def version(file: BinaryIO) -> str:
    """Returns what changes whenever the file of a path is replaced or written."""
    about = os.fstat(file.fileno())
    return f"{about.st_ino}-{about.st_mtime_ns}"


def changed(file: BinaryIO) -> float:
    """Returns when a file was written, in seconds since 1970."""
    return os.fstat(file.fileno()).st_mtime


def replace(path: Path, data: bytes, known: str) -> bool:
    """Writes a whole file in the place of one that has not changed; False where it has changed or is gone.

    Args:
        path: of the file.
        data: to be written.
        known: its ``version`` when it was read.
    """
    with held(path) as file:
        if file is None or version(file) != known:
            return False
        with whole_file(path) as new:
            new.write(data)
        return True


def remove(path: Path, known: str) -> bool:
    """Removes a file that has not changed; False where it has changed or is gone. Takes what ``replace`` takes."""
    with held(path) as file:
        if file is None or version(file) != known:
            return False
        path.unlink()
    sync_folder(path.parent)
    return True


def clock(folder: Path) -> float:
    """Returns the time, in seconds since 1970, by the clock that gives files in a folder their times of change."""
    make_folder(folder)
    path = folder / hidden_name("clock")
    with locked(path) as file:
        try:
            return changed(file)
        finally:
            path.unlink()
