"""List folders and globs on local disks without following links to folders."""

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pipelines.files import local_reads
from pipelines.files.blobs import Generation

MAGIC = "*?["
LINKED_FOLDER = "linked_folder"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A listed file, or a place that could not be listed.

    Attributes:
        uri: of the file.
        size: in bytes.
        fingerprint: changes when the file does.
        fault: why the file cannot be read; otherwise ''.
        reason: the code under which the fault is counted.
        generation: of an object in a bucket; None for a file.
        name: of the photo, if a list names it; '' if its path below the input is its name.
        offset: of its first byte in a tar, if a list says so.
        is_special: whether it is a pipe, a socket or a device, which has a fault and must never be opened.
    """

    uri: str
    size: int = 0
    fingerprint: str = ""
    fault: str = ""
    reason: str = "unreadable"
    generation: Generation | None = None
    name: str = ""
    offset: int | None = None
    is_special: bool = False


def below(path: str, root: str | None = None, *, is_entry: bool = False) -> Iterator[Listed]:
    """Yield a file, or the files below a folder, sorted by name.

    Links to folders, broken links, and folders that cannot be listed are yielded with a fault. So are pipes, sockets
    and devices, because reading them would block forever.

    Args:
        path: of a file or a folder.
        root: of the input that contains the path; None outside an input.
        is_entry: whether the path was found in a folder. If not, the user named it, and a link is followed.

    Raises:
        WorldError: the disk fails, or rights are lost.
    """
    if is_entry and _is_linked_folder(path):
        yield _linked(path)
        return
    try:
        found = local_reads.looked_up(path, root)
    except OSError as error:
        yield Listed(uri=path, fault=f"{path}: {error.strerror}")
        return
    if not stat.S_ISDIR(found.st_mode):
        if stat.S_ISREG(found.st_mode):
            yield Listed(uri=path, size=found.st_size, fingerprint=f"{found.st_size}-{found.st_mtime_ns}")
        else:
            yield Listed(uri=path, fault=f"{path} is not a regular file", is_special=True)
        return
    # Not recursive: folders may be nested deeper than Python's call stack.
    left: list[Iterator[Listed | str]] = [_entries(path, root)]
    while left:
        entry = next(left[-1], None)
        if entry is None:
            left.pop()
        elif isinstance(entry, str):
            left.append(_entries(entry, root))
        else:
            yield entry


def _entries(folder: str, root: str | None) -> Iterator[Listed | str]:
    """Yield the files of a folder and the paths of its subfolders, sorted by name."""
    try:
        entries = local_reads.listed(folder, root)
    except OSError as error:
        yield Listed(uri=folder, fault=f"the folder cannot be listed: {error.strerror}")
        return
    for entry in entries:
        if _is_folder(entry):
            yield _linked(entry.path) if entry.is_symlink() else entry.path
        else:
            yield from below(entry.path, root)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_linked_folder(path: str) -> bool:
    return os.path.islink(path) and os.path.isdir(path)  # noqa: PTH112, PTH114 (called once a photo)


def _linked(path: str) -> Listed:
    return Listed(
        uri=path,
        fault=f"linked folder not followed: {path} leads to {os.path.realpath(path)}",
        reason=LINKED_FOLDER,
    )


def matching(pattern: str, root: str | None = None) -> Iterator[Listed]:
    """Yield the files that match a glob, sorted by name, with the rules of ``glob.glob(pattern, recursive=True)``.

    ``**`` does not follow links to folders; they are yielded with a fault.

    Args:
        pattern: with wildcards.
        root: of the input.

    Raises:
        WorldError: the disk fails, or rights are lost.
    """
    parts = pattern.split("/")
    found = _expanded("/" if pattern.startswith("/") else "", [part for part in parts[:-1] if part] + parts[-1:], root)
    for _, one in sorted({one.uri: one for one in found}.items()):
        yield one


def _expanded(folder: str, parts: list[str], root: str | None) -> Iterator[Listed]:
    """Yield what the rest of a glob matches below a folder; '' is the working directory."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _at_any_depth(folder, rest or ["*"], root)
    elif not any(char in part for char in MAGIC):
        path = os.path.join(folder, part)  # noqa: PTH118 (as above)
        if rest:
            yield from _expanded(path, rest, root)
        elif part and os.path.lexists(path) and not os.path.isdir(path):  # noqa: PTH112 (as above)
            yield from below(path, root)
    else:
        matches = _matcher(part)
        for entry in _listable(folder, root):
            if isinstance(entry, Listed):
                yield entry
            elif matches(entry.name) and part.startswith(".") == entry.name.startswith("."):
                path = os.path.join(folder, entry.name)  # noqa: PTH118 (as above)
                if rest and _is_folder(entry):
                    yield from _expanded(path, rest, root)
                elif not rest and not _is_folder(entry):
                    yield from below(path, root)


def _at_any_depth(folder: str, parts: list[str], root: str | None) -> Iterator[Listed]:
    """Yield what the rest of a glob matches below a folder and below all its subfolders that are not hidden."""
    left = [folder]
    while left:
        folder = left.pop()
        yield from _expanded(folder, parts, root)
        for entry in _listable(folder, root):
            if isinstance(entry, Listed):
                yield entry
            elif not entry.name.startswith(".") and _is_folder(entry):
                path = os.path.join(folder, entry.name)  # noqa: PTH118 (as above)
                if entry.is_symlink():
                    yield _linked(path)
                else:
                    left.append(path)


def _listable(folder: str, root: str | None) -> "Iterator[os.DirEntry[str] | Listed]":
    """Yield the entries of a folder; nothing if it is not a folder, and a fault if it cannot be listed."""
    try:
        yield from local_reads.listed(folder or ".", root)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield Listed(uri=folder, fault=f"the folder cannot be listed: {error.strerror}")


@lru_cache(maxsize=64)
def _pattern(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))


def _matcher(part: str) -> "re.Pattern[str].match":  # type: ignore[valid-type]
    return _pattern(part).match
