"""Writes and removes local files, again and again while the disk, the mount, the descriptors or the memory fail.

Each attempt begins with a new file, so that files appear whole or not at all, however many attempts it takes.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pipelines.files import beneath, local_files, locked_files
from pipelines.files.patience import locally

T = TypeVar("T")


def write(folder: str, name: str, data: bytes, check: Callable[[], None] | None = None) -> None:
    """Writes a whole file below a folder, or none.

    Args:
        folder: that the file is to lie in.
        name: its path relative to the folder; no link on the way is followed.
        data: to be written.
        check: called in each attempt when the file is complete, just before it gets its name.

    Raises:
        beneath.LinkError: a link on the way leads elsewhere.
        OutageError: it failed for 45 seconds.
        WorldError: the disk is full, read-only or damaged.
        OSError: it is forbidden, or the disk cannot hold a file of that name.
    """

    def whole() -> None:
        with beneath.opened(Path(folder), name) as path, local_files.whole_file(path, check) as file:
            file.write(data)

    patiently(f"{folder.rstrip('/')}/{name}", whole)


def create(path: Path, data: bytes) -> bool:
    """Does what `local_files.create` does. Raises what ``write`` raises."""
    return patiently(str(path), lambda: local_files.create(path, data))


def replace(path: Path, data: bytes, known: str) -> bool:
    """Does what `locked_files.replace` does. Raises what ``write`` raises."""
    return patiently(str(path), lambda: locked_files.replace(path, data, known))


def remove(path: Path, known: str) -> bool:
    """Does what `locked_files.remove` does. Raises what ``write`` raises."""
    return patiently(str(path), lambda: locked_files.remove(path, known))


def remove_all(paths: Iterable[Path]) -> None:
    """Does what `local_files.remove_all` does. Raises what ``write`` raises."""
    if paths := tuple(paths):
        patiently(str(paths[0]), lambda: local_files.remove_all(paths))


def patiently(path: str, work: Callable[[], T]) -> T:
    """Returns what some writing returns that can be repeated from its start; ``path`` is told if it fails for long.

    Raises:
        OutageError: it failed for 45 seconds.
        WorldError: the disk is full, read-only or damaged.
        Exception: what else ``work`` raised.
    """
    return locally(path, work, _is_of_the_disk, done="written")


def _is_of_the_disk(error: Exception) -> bool:
    # Not what `patience.is_passing` says: what else may be wrong with a place to write to does not pass.
    return isinstance(error, OSError) and error.errno in local_files.PASSING
