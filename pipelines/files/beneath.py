"""Open local folders without following links, so that nothing is ever written outside the output.

An output may contain a link to another folder, such as the one with the sources. Each folder on the path to a file is
opened relative to the one above it, and never through a link. The file is then written into the opened folder, even if
its path leads somewhere else by that time.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.files import local_files
from tfrecords.errors import UserError

_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LinkError(UserError):
    """A part of a path in the output is a link."""

    def __init__(self, path: Path, target: str) -> None:
        super().__init__(f"{path} is a link to {target}, and nothing is written through links; remove it")


@contextlib.contextmanager
def opened(root: Path, name: str) -> Iterator[Path]:
    """Yield a path to a file below a folder that no link can redirect; it is valid inside the block.

    Missing folders on the way are created and synced to the disk.

    Args:
        root: the folder; it may itself be reached through links.
        name: path of the file relative to the root, made safe by `pipelines.files.safe_names`.

    Raises:
        LinkError: a folder on the way is a link.
        OSError: a folder cannot be opened or created. Errors from the block are raised with the path that the user
            knows.
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
    """Open a folder inside an open folder; create it if it is missing."""
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
    """Check that no part of a path below a folder is a link; missing parts are fine.

    Raises:
        LinkError: a part is a link.
    """
    at = root
    for part in filter(None, path.split("/")):
        at = at / part
        if at.is_symlink():
            raise LinkError(at, str(at.readlink()))
