"""Files on a local disk: written whole or not at all, by several processes at once, whatever is killed or loses power.

A file is written under a hidden name and renamed when it is complete. The writer holds a lock on it meanwhile, so that
``sweep`` can tell what a killed process left from what a living one still writes.

When a function returns, its file is on the disk and so is its name: the bytes are synced before the rename, the folder
after it. ``tests/bench/sync_bench.py`` measures what that costs.
"""

import contextlib
import errno
import fcntl
import os
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipelines.files.safe_names import beginning

_UNFINISHED = ".part"
_LONGEST_BEGINNING = 200  # bytes, of the 255 that a name may have
# What file systems answer that cannot sync a folder.
_NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS)
_folders = threading.Lock()
_leaving = threading.RLock()
_unfinished = set[Path]()
_HIDDEN = re.compile(r"(?:^|/)\.[^/]*\.[0-9a-f]{32}\.part\Z")


@contextlib.contextmanager
def whole_file(path: Path, check: Callable[[], None] | None = None) -> Iterator[BinaryIO]:
    """Opens a file for writing that appears complete, or, when the block or ``check`` raises, not at all.

    Args:
        path: of the file.
        check: called when the file is complete, just before it gets its name.
    """
    make_folder(path.parent)
    with _begun(path) as (temporary, file):
        yield file
        sync(file)
        if check is not None:
            check()
        temporary.replace(path)
        sync_folder(path.parent)


@contextlib.contextmanager
def _begun(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Opens a new file under a hidden name; removes it at the end if it still has that name."""
    temporary = path.with_name(hidden_name(path.name))
    with _leaving:
        file = locked(temporary)
        _unfinished.add(temporary)
    try:
        with file:
            yield temporary, file
    finally:
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


def abandon() -> None:
    """Removes the unfinished files of this process, which is about to end; no other thread can begin one any more."""
    _leaving.acquire()
    for temporary in tuple(_unfinished):
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Creates a folder and those above it where they are missing; their names are on the disk then."""
    # A thread that finds a folder must not use it before the thread that created it has synced its name.
    with _folders:
        _make_folder(folder)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync(file: BinaryIO) -> None:
    """Returns when all that was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Returns when the names in a folder are on the disk; does nothing on file systems that cannot sync folders."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return  # a folder that may be written but not listed
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def hidden_name(name: str) -> str:
    """Returns a new name for a file that will be called ``name`` once it is complete."""
    # A name may have the greatest length that the file system allows; its start is enough to recognise it.
    return f".{beginning(name[:60], _LONGEST_BEGINNING)}.{uuid.uuid4().hex}{_UNFINISHED}"


def is_unfinished(path: str) -> bool:
    """Returns whether a path is the hidden name under which a file is written before it is whole."""
    return bool(_HIDDEN.search(path))


def locked(path: Path) -> BinaryIO:
    """Creates a file and locks it: ``sweep`` leaves it alone as long as its writer lives."""
    while True:
        file = path.open("xb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        except OSError:
            return file  # a file system without locks, where nothing is swept either
        else:
            if _is_at(path, file):
                return file
        # Swept after it was created and before it was locked.
        file.close()
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes what killed writers left unfinished in a folder; leaves alone what a living process writes."""
    sweep_files(str(path) for path in folder.glob(f".*{_UNFINISHED}"))


def sweep_files(paths: Iterable[str]) -> None:
    """Removes those of some unfinished files that no living process writes."""
    for path in paths:
        with contextlib.suppress(OSError), Path(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(path).unlink()


def create(path: Path, data: bytes) -> bool:
    """Writes a whole file where there is none; of several writers at once one succeeds.

    Returns:
        whether it was written; False where a file of that name exists.
    """
    make_folder(path.parent)
    with _begun(path) as (temporary, file):
        file.write(data)
        sync(file)
        created = _linked(temporary, path, data)
        sync_folder(path.parent)
        return created


def _linked(temporary: Path, path: Path, data: bytes) -> bool:
    """Gives a file its second name; without links, creates it under that name. Returns False where one exists."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except FileNotFoundError:  # abandoned
        raise
    except OSError:
        try:
            with path.open("xb") as file:
                _lock(file)
                if os.fstat(file.fileno()).st_size:
                    return False  # another process found it empty and repaired it
                file.write(data)
                sync(file)
        except FileExistsError:
            return False
    return True


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
            _lock(file)
            if _is_at(path, file):
                yield file
                return
        # Replaced or removed while this process waited.


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Returns whether an open file still has that path."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


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


def remove_all(paths: Iterable[Path]) -> None:
    """Removes files; those that are gone already are passed over."""
    folders = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            folders.add(path.parent)
    for folder in folders:
        sync_folder(folder)


def clock(folder: Path) -> float:
    """Returns the time, in seconds since 1970, by the clock that gives files in a folder their times of change."""
    make_folder(folder)
    path = folder / hidden_name("clock")
    with locked(path) as file:
        try:
            return changed(file)
        finally:
            path.unlink()


def _lock(file: BinaryIO) -> None:
    """Waits until no other process holds the file's lock; does nothing on file systems without locks."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
