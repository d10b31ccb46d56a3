"""Files on a local disk: written whole or not at all, by several processes at once, whatever is killed or loses power.

A file is written under a hidden name and renamed when it is complete. The writer holds a lock on it meanwhile, so that
``sweep`` can tell what a killed process left from what a living one still writes.

When a function returns, its file is on the disk and so is its name: the bytes are synced before the rename, the folder
after it. ``tests/bench/sync_bench.py`` measures what that costs.

A function that fails may be called again with the same arguments, which `pipelines.files.local_writes` does: what it
has begun is gone, and what it has done is not taken for the work of another process.
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
# What a disk answers that fails: for a moment; and for longer, or for good.
PASSING = (
    *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EREMOTEIO),
)
_LASTING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_REMOVALS = 3
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
        _renamed(temporary, path, file)
        sync_folder(path.parent)


def _renamed(temporary: Path, path: Path, file: BinaryIO) -> None:
    """Gives an open file its name."""
    try:
        temporary.replace(path)
    except OSError:
        # A network file system may fail after it has done what was asked for.
        if not is_at(path, file):
            raise


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
        _discard(temporary)
        _unfinished.discard(temporary)


def _discard(temporary: Path) -> None:
    """Removes what is left of an attempt; the disk may fail in that as well, and then it is swept some time."""
    for _ in range(_REMOVALS):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
            return


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
    """Returns when the names in a folder are on the disk; does nothing on file systems that cannot sync folders.

    It is tried again by itself: once a file has its name, the attempt at the whole must not be repeated.

    Raises:
        OutageError: it failed for 45 seconds.
    """
    try:
        _sync_folder(folder)
    except OSError:
        from pipelines.files import patience  # loads Beam, which commands that only show help do without

        patience.locally(str(folder), lambda: _sync_folder(folder), done="written")


def _sync_folder(folder: Path) -> None:
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
            if is_at(path, file):
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
    except OSError as error:
        if path.exists() and path.samefile(temporary):  # as above
            return True
        if error.errno in PASSING + _LASTING:
            raise
        return _created_in_place(path, data)
    return True


def _created_in_place(path: Path, data: bytes) -> bool:
    try:
        with path.open("xb") as file:
            lock(file)
            if os.fstat(file.fileno()).st_size:
                return False  # another process found it empty and repaired it
            try:
                file.write(data)
                sync(file)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        return False
    return True


def is_at(path: Path, file: BinaryIO) -> bool:
    """Returns whether an open file still has that path."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def remove_all(paths: Iterable[Path]) -> None:
    """Removes files; those that are gone already are passed over."""
    paths = tuple(paths)
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            sync_folder(folder)


def lock(file: BinaryIO) -> None:
    """Waits until no other process holds the file's lock; does nothing on file systems without locks."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
