"""Split an input so that it can be listed in parallel, and list the parts: folders, globs and files, local or remote.

Only a pattern from the user is read as a glob. Names of files and folders are not: ``box[1]`` means that folder, and
not ``box1``.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.files import buckets, listed_photos, local_listing, local_reads, storage
from pipelines.files.blobs import Blob, split
from pipelines.files.list_parts import Part
from pipelines.files.local_listing import MAGIC, Listed
from pipelines.files.spans import Span

_PAGES_IN_ORDER = 10


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A part of a folder or a list that one worker lists. Unlike a string, Beam can encode it if it is not UTF-8.

    Attributes:
        path: a folder to list with all its subfolders, or a file; or a list.
        page: objects that are listed already; then nothing is left to list.
        span: the range of names that is listed, in a folder of a bucket that many workers list.
        is_glob: whether the path is a glob.
        is_entry: whether the path was found in a folder; then a link to a folder is not followed.
        part: of a list.
    """

    path: str
    page: tuple[Blob, ...] = ()
    span: Span | None = None
    is_glob: bool = False
    is_entry: bool = False
    part: Part | None = None


def is_literal(pattern: str) -> bool:
    """Return whether a pattern names one folder or file: it has no wildcard, or a local file has exactly that name."""
    has_wildcard = any(char in pattern for char in MAGIC)
    return not has_wildcard or (not storage.is_remote(pattern) and os.path.lexists(pattern))


def is_file(pattern: str) -> bool:
    """Return whether a pattern names a single file, not a folder."""
    if not is_literal(pattern):
        return False
    if storage.is_remote(pattern):
        return storage.size(pattern) >= 0
    return os.path.isfile(pattern)  # noqa: PTH113 (raises nothing)


def root_of(pattern: str) -> str:
    """Return the folder that names are relative to: the pattern itself, or the part before its first wildcard."""
    if is_literal(pattern):
        alone = not storage.is_remote(pattern) and os.path.isfile(pattern)  # noqa: PTH113 (as above)
        return os.path.dirname(pattern) if alone else pattern.rstrip("/") or "/"  # noqa: PTH120 (URIs stay as they are)
    before = pattern[: min(pattern.find(char) for char in MAGIC if char in pattern)]
    return before.rpartition("/")[0] or ("/" if before.startswith("/") else "")


def of_input(pattern: str) -> Iterator[Branch]:
    """Yield the parts of an input.

    Args:
        pattern: folder, glob (``**`` crosses folders) or file; local or a URI.
    """
    if is_literal(pattern):
        yield from of_folder(pattern, divide=True)
    else:
        yield Branch(path=pattern, is_glob=True)


def of_list(whole: Part) -> Iterator[Branch]:
    """Yield the parts of a list; see `pipelines.files.list_parts.parts`."""
    return (Branch(path=part.uri, part=part) for part in listed_photos.parts(whole))


def of_folder(path: str, *, divide: bool = False) -> Iterator[Branch]:
    """Yield the parts of a folder: its subfolders and files, or the path itself if it is not a folder.

    Args:
        path: of the folder.
        divide: whether what comes after the first 10 pages of a bucket's folder may be in ranges of names, with the
            contents of the subfolders among them.
    """
    if storage.is_in_bucket(path):
        yield from _of_folder_in_bucket(path, divide=divide)
    elif storage.is_remote(path) or not os.path.isdir(path):  # noqa: PTH112 (as above)
        yield Branch(path=path)
    else:
        for entry in local_reads.listed(path):
            yield Branch(path=entry.path, is_entry=True)


def _of_folder_in_bucket(path: str, *, divide: bool) -> Iterator[Branch]:
    has_any, last_folder = False, ""
    for number, (blobs, subfolders) in enumerate(buckets.pages(path), start=1):
        has_any |= bool(blobs or subfolders)
        yield from (Branch(path=subfolder) for subfolder in subfolders)
        if blobs:
            yield Branch(path=path, page=tuple(blobs))
        last_folder = max([last_folder, *subfolders])
        # Behind an object that comes after all subfolders so far, nothing is listed yet.
        if divide and number == _PAGES_IN_ORDER and blobs and blobs[-1].uri > last_folder:
            ranges = buckets.divided(path, split(blobs[-1].uri)[1])
            yield from (Branch(path=path, span=span) for span in ranges)
            if ranges:
                return
    if not has_any:  # nothing is below a single object
        yield Branch(path=path)


def listed(branch: Branch, root: str | None = None) -> Iterator[Listed]:
    """Yield every file of a branch with its full path, lazily on local disks; see `local_listing.below`.

    A part of a list yields the photos that it names, see `pipelines.files.listed_photos`.

    Args:
        branch: to list.
        root: of the input, if it existed when the job started; if it is gone now, a disk was unmounted.

    Raises:
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    path = branch.path
    if branch.part is not None:
        yield from listed_photos.listed(branch.part)
    elif storage.is_in_bucket(path):
        for blob in branch.page or _blobs(branch):
            yield Listed(uri=blob.uri, size=blob.size, fingerprint=blob.fingerprint, generation=blob.generation)
    elif storage.is_remote(path):
        raise storage.unknown(path)
    elif branch.is_glob:
        yield from local_listing.matching(path, root)
    else:
        yield from local_listing.below(path, root, is_entry=branch.is_entry)


def _blobs(branch: Branch) -> Iterator[Blob]:
    if branch.span is not None:
        return buckets.between(branch.path, branch.span)
    return buckets.matching(branch.path) if branch.is_glob else buckets.below(branch.path)
