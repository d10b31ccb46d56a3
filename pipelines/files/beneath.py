"""Local folders entered without following links, so that nothing is ever written outside the output.

An output may hold a link to another folder, such as the one with the sources. Each folder on the way to a file is
opened by itself, below the one before it and never through a link; the file is then written in the folder that was
opened, whatever its path means by that time.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.files import local_files
from tfrecords.errors import UserError

_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LinkError(UserError):
    """Something in the output is a link to another place."""

    def __init__(self, path: Path, target: str) -> None:
        super().__init__(f"{path} is a link to {target}, and nothing is written through links; remove it")


@contextlib.contextmanager
def opened(root: Path, name: str) -> Iterator[Path]:
    """Gives a path to a file below a folder that no link can lead elsewhere; it is valid within the block.

    The folders on the way are created if they are missing; their names are on the disk then.

    Args:
        root: the folder; it may itself be reached through links.
        name: path of the file relative to the root, safe as by `pipelines.files.safe_names`.

    Raises:
        LinkError: a folder on the way is a link.
        OSError: a folder cannot be opened or created; also what the block raises, with the path as the user knows it.
    """
    *folders, file = name.split("/")
    local_files.make_folder(root)
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    at = root
    try:
        for folder in folders:
            at = at / folder
            below = _entered(descriptor, folder, at)
            os.close(descriptor)
            descriptor = below
        place = _path_of(descriptor)
        try:
            yield place / file
        except OSError as error:
            error.filename = _as_known(error.filename, place, at)
            error.filename2 = _as_known(error.filename2, place, at)
            raise
    finally:
        os.close(descriptor)


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}")


def _as_known(filename: object, place: Path, at: Path) -> object:
    return filename.replace(str(place), str(at), 1) if isinstance(filename, str) else filename


def _entered(descriptor: int, folder: str, path: Path) -> int:
    """Opens a folder that lies in an open one, and creates it if it is missing."""
    try:
        return _open(descriptor, folder, path)
    except FileNotFoundError:
        local_files.make_folder(_path_of(descriptor) / folder)
        return _open(descriptor, folder, path)


def _open(descriptor: int, folder: str, path: Path) -> int:
    try:
        return os.open(folder, _FLAGS, dir_fd=descriptor)
    except OSError as error:
        with contextlib.suppress(OSError):
            raise LinkError(path, os.readlink(folder, dir_fd=descriptor)) from error
        error.filename = str(path)
        raise


def check(root: Path, path: str) -> None:
    """Makes sure that no part of a path below a folder is a link; parts that are missing will be created.

    Raises:
        LinkError: one is.
    """
    at = root
    for part in filter(None, path.split("/")):
        at = at / part
        if at.is_symlink():
            raise LinkError(at, str(at.readlink()))
