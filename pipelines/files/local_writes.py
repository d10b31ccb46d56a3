"""Write and remove local files; retry while the disk, the mount, file descriptors or memory fail.

Each attempt starts with a new file, so a file appears whole or not at all, however many attempts it takes.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pipelines.files import beneath, local_files, locked_files
from pipelines.files.patience import locally

T = TypeVar("T")


def write(folder: str, name: str, data: bytes, check: Callable[[], None] | None = None) -> None:
    """Write a file below a folder, whole or not at all.

    Args:
        folder: that will contain the file.
        name: its path relative to the folder; no link on the way is followed.
        data: to write.
        check: called in each attempt when the file is complete, just before it gets its name.

    Raises:
        beneath.LinkError: a folder on the way is a link.
        OutageError: it failed for 45 seconds.
        WorldError: the disk is full, read-only or damaged.
        OSError: access is denied, or the disk cannot store a file with that name.
    """

    def whole() -> None:
        with beneath.opened(Path(folder), name) as path, local_files.whole_file(path, check) as file:
            file.write(data)

    patiently(f"{folder.rstrip('/')}/{name}", whole)


def create(path: Path, data: bytes) -> bool:
    """Do what `local_files.create` does, with retries. Raises what `write` raises."""
    return patiently(str(path), lambda: local_files.create(path, data))


def replace(path: Path, data: bytes, known: str) -> bool:
    """Do what `locked_files.replace` does, with retries. Raises what `write` raises."""
    return patiently(str(path), lambda: locked_files.replace(path, data, known))


def remove(path: Path, known: str) -> bool:
    """Do what `locked_files.remove` does, with retries. Raises what `write` raises."""
    return patiently(str(path), lambda: locked_files.remove(path, known))


def remove_all(paths: Iterable[Path]) -> None:
    """Do what `local_files.remove_all` does, with retries. Raises what `write` raises."""
    if paths := tuple(paths):
        patiently(str(paths[0]), lambda: local_files.remove_all(paths))


def patiently(path: str, work: Callable[[], T]) -> T:
    """Return the result of ``work``, which writes something and can be repeated from its start.

    Args:
        path: of the file or folder, for messages.
        work: called once per attempt.

    Raises:
        OutageError: it failed for 45 seconds.
        WorldError: the disk is full, read-only or damaged.
        Exception: any other error from ``work``.
    """
    return locally(path, work, _is_of_the_disk, done="written")


def _is_of_the_disk(error: Exception) -> bool:
    # Stricter than `patience.is_passing`: any other problem of an output folder does not pass by itself.
    return isinstance(error, OSError) and error.errno in local_files.PASSING
