"""Write files on a local disk whole or not at all, with several processes at once, through kills and power cuts.

A file is written under a hidden name and renamed when it is complete. Meanwhile the writer holds a lock on it, so that
`sweep` can tell files of killed processes from files that are still being written.

When a function returns, both the file and its name are on the disk: the bytes are synced before the rename, the folder
after it. ``tests/bench/sync_bench.py`` measures the cost.

A function that fails may be called again with the same arguments, as `pipelines.files.local_writes` does: unfinished
work is removed, and finished work is not mistaken for that of another process.
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
# Errors of file systems that cannot sync a folder.
_NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS)
# Errors of a failing disk: transient ones first, lasting ones below.
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
    """Open a file for writing that appears complete, or not at all if the block or ``check`` raises.

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
    """Give an open file its final name."""
    try:
        temporary.replace(path)
    except OSError:
        # A network file system may report an error after it has done the rename.
        if not is_at(path, file):
            raise


@contextlib.contextmanager
def _begun(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a new file under a hidden name; remove it at the end if it still has that name."""
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
    """Remove the remains of an attempt; if the disk fails here too, a later `sweep` removes them."""
    for _ in range(_REMOVALS):
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
            return


def abandon() -> None:
    """Remove the unfinished files of this process, which is about to exit; no thread can begin a new one after this."""
    _leaving.acquire()
    for temporary in tuple(_unfinished):
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, and sync their names to the disk."""
    # A thread that finds a folder must not use it before the thread that created it has synced its name.
    with _folders:
        _make_folder(folder)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync(file: BinaryIO) -> None:
    """Wait until everything that was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; do nothing on file systems that cannot sync folders.

    Only the sync is retried: once the file has its name, the whole write must not be repeated.

    Raises:
        OutageError: it failed for 45 seconds.
    """
    try:
        _sync_folder(folder)
    except OSError:
        from pipelines.files import patience  # loads Beam, which commands that only show help do not need

        patience.locally(str(folder), lambda: _sync_folder(folder), done="written")


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return  # a folder that may be written to but not listed
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def hidden_name(name: str) -> str:
    """Return a new hidden name for a file that will be called ``name`` when it is complete."""
    # Names may already have the maximum length; the beginning is enough to recognise a file.
    return f".{beginning(name[:60], _LONGEST_BEGINNING)}.{uuid.uuid4().hex}{_UNFINISHED}"


def is_unfinished(path: str) -> bool:
    """Return whether a path is the hidden name of an unfinished file."""
    return bool(_HIDDEN.search(path))


def locked(path: Path) -> BinaryIO:
    """Create a file and lock it, so that `sweep` leaves it alone while its writer lives."""
    while True:
        file = path.open("xb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        except OSError:
            return file  # a file system without locks, where `sweep` removes nothing either
        else:
            if is_at(path, file):
                return file
        # Swept after it was created and before it was locked.
        file.close()
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove unfinished files of killed writers from a folder; files of living processes are left alone."""
    sweep_files(str(path) for path in folder.glob(f".*{_UNFINISHED}"))


def sweep_files(paths: Iterable[str]) -> None:
    """Remove those of the given unfinished files that no living process writes."""
    for path in paths:
        with contextlib.suppress(OSError), Path(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(path).unlink()


def create(path: Path, data: bytes) -> bool:
    """Write a file only if there is none; if several writers race, one succeeds.

    Returns:
        whether it was written; False if a file with that name exists.
    """
    make_folder(path.parent)
    with _begun(path) as (temporary, file):
        file.write(data)
        sync(file)
        created = _linked(temporary, path, data)
        sync_folder(path.parent)
        return created


def _linked(temporary: Path, path: Path, data: bytes) -> bool:
    """Give a file a second name, or create it there if links do not work; return False if the name is taken."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except FileNotFoundError:  # abandoned
        raise
    except OSError as error:
        if path.exists() and path.samefile(temporary):  # as in `_renamed`
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
    """Return whether an open file still has that path."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def remove_all(paths: Iterable[Path]) -> None:
    """Remove files; missing ones are ignored."""
    paths = tuple(paths)
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            sync_folder(folder)


def lock(file: BinaryIO) -> None:
    """Wait until no other process holds a lock on the file; do nothing on file systems without locks."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
