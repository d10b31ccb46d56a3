"""Find photos: in folders, globs, single files, tars and tars of tars, on local disks and in buckets."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pipelines.errors import Rejected
from pipelines.files import input_paths, inputs, listings, safe_names, samples, sidecars, storage, tars
from pipelines.files.blobs import Generation
from pipelines.files.compact import Compact
from pipelines.files.input_paths import InputPath
from pipelines.files.list_parts import PLAIN, ListOptions
from pipelines.files.listings import Branch
from tfrecords.errors import UserError

_UNNAMED = "unnamed"


@dataclass(frozen=True, kw_only=True)
class Source(Compact):
    """A photo to read: a file, or a range of a tar.

    Attributes:
        uri: of the file to open.
        name: path relative to the input, with forward slashes, made safe by `pipelines.files.safe_names`. Two photos
            may have the same name: a tar may repeat a name, and a bucket may contain ``a/b.jpg`` and ``a//b.jpg``.
        size: in bytes.
        fingerprint: changes when the file does: its size and modification time, or its generation or ETag in a bucket.
        offset: of the first byte in a tar; None for a file.
        fault: why it cannot be read, if this is known from the listing; else ''.
        duplicate_of: name of a photo with the same bytes; else ''.
        reason: the code under which a fault is counted.
        generation: of the object in a bucket, so that the version that was listed is read; None for any.
        label: class of its sample in a WebDataset (`pipelines.files.samples`); else ''.
        is_ignored: whether it is not a photo, by its name or as a pipe, or because the user excluded it.
        mtime_ns: of a member of a tar, when it was changed, in nanoseconds since 1970.
    """

    uri: str
    name: str
    size: int
    fingerprint: str
    offset: int | None = None
    fault: str = ""
    duplicate_of: str = ""
    reason: str = "unreadable"
    generation: Generation | None = None
    label: str = ""
    is_ignored: bool = False
    mtime_ns: int | None = None

    @property
    def place(self) -> tuple[str, str, int]:
        """A unique key, which sorts photos by name."""
        return self.name, self.uri, self.offset or 0

    def read(self, start: int = 0) -> bytes:
        """Return the bytes of the photo from ``start`` on.

        Raises:
            Rejected: with the reason of its fault; ``unreadable`` if this photo is gone, changed or forbidden.
            WorldError: the disk or the bucket fails, or rights are lost.
        """
        if self.fault:
            raise Rejected(self.reason, self.fault)
        try:
            if self.offset is None and start == 0:
                return inputs.read(self.uri, self.generation)
            return inputs.read_range(self.uri, (self.offset or 0) + start, self.size - start, self.generation)
        except storage.io_errors() as error:
            raise Rejected("unreadable", str(error)) from error


def files(branch: Branch, root: str, folder: str = "", *, is_input: bool = False) -> Iterator[Source]:
    """Yield every file of a branch with its name; files that cannot be read are yielded with a fault.

    Args:
        branch: of a listing.
        root: that names are relative to.
        folder: the first part of the names of files below the root.
        is_input: whether the files are photos to process. Then sidecars are ignored unless the user named them, pipes
            and devices are ignored instead of left out, and a root that is gone means that a disk was unmounted,
            because it existed before.

    Raises:
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    left_out = specials = 0
    for found in listings.listed(branch, root if is_input else None):
        if found.is_special and not is_input:
            continue
        # A single object that is the whole input has no path below the root, so it keeps its own name.
        path = found.uri[len(root) :] if root else found.uri
        below = "" if found.name else safe_names.relative(path)
        given = found.name or (folder + below if below else found.uri.rpartition("/")[2])
        name = safe_names.relative(given) or _UNNAMED
        ignored = is_input and not _is_named(found.uri, branch) and sidecars.is_sidecar(name)
        # What a list names and does not exist is missing, whatever its name.
        ignored = ignored and not (found.fault and branch.part is not None)
        left_out += ignored
        specials += found.is_special
        yield Source(
            uri=found.uri,
            name=name,
            size=found.size,
            fingerprint=found.fingerprint,
            offset=found.offset,
            fault="" if ignored and not found.is_special else found.fault,
            reason=found.reason,
            is_ignored=ignored or found.is_special,
            generation=found.generation,
        )
    sidecars.note(left_out)
    sidecars.note_specials(specials)


def _is_named(uri: str, branch: Branch) -> bool:
    """Return whether the user named this file."""
    return uri == branch.path and not branch.is_entry and not branch.is_glob


def find(path: InputPath | str) -> Iterator[Source]:
    """Yield every file of one path of an input except sidecars, in one process; tars stay closed."""
    path = _path(path)
    for branch in input_paths.branches(path):
        yield from (one for one in files(branch, path.root, path.folder, is_input=True) if not one.is_ignored)


def _path(path: InputPath | str) -> InputPath:
    return input_paths.of(path)[0] if isinstance(path, str) else path


def members(source: Source, path: InputPath | str) -> Iterator[Source]:
    """Yield the files in a tar, sidecars as ignored; inner tars stay closed. Any other source is yielded unchanged.

    A tar that cannot be listed to its end is yielded itself, with a fault, after the files that were found.

    Args:
        source: a file, or an inner tar that `members` yielded.
        path: of the input; if the whole input is one tar, its name is not part of the names.
    """
    if not tars.is_tar(source.name) or source.fault or source.is_ignored:
        yield source
        return
    inner = None if source.offset is None else tars.Member(name=source.name, offset=source.offset, size=source.size)
    folder = "" if inner or _path(path).lends_no_folder(source.uri) else f"{source.name.rpartition('.')[0]}/"
    left_out = 0
    try:
        with inputs.opened(source.uri) as file:
            found = tars.members(file, name=source.uri, within=inner, depth=1)
            for member, label in samples.labelled(found, lambda one: tars.read_range(file, one.offset, one.size)):
                # An inner tar is marked as unopened; another worker opens it.
                opens = tars.is_tar(member.name) and inner is None and not member.is_link
                fingerprint = f"{source.fingerprint}-{member.offset}-{member.size}"
                name = safe_names.relative(folder + member.name)
                ignored = sidecars.is_sidecar(name)
                left_out += ignored
                yield Source(
                    uri=source.uri,
                    name=name,
                    size=member.size,
                    fingerprint=fingerprint,
                    offset=member.offset,
                    fault="" if opens or ignored else member.fault,
                    generation=source.generation,
                    label=label,
                    is_ignored=ignored,
                    mtime_ns=round(1e9 * member.mtime),
                )
    except storage.io_errors(UserError) as error:
        yield replace(source, fault=str(error))
    sidecars.note(left_out)


def excluded(source: Source, exclude: Sequence[str]) -> Source:
    """Return a source that is ignored if one of the globs names it, see `pipelines.files.sidecars.is_excluded`."""
    is_new = not source.is_ignored and sidecars.is_excluded(source.name, exclude)
    return replace(source, is_ignored=True, fault="") if is_new else source


def everything(
    patterns: str | Sequence[str], lists: ListOptions = PLAIN, exclude: Sequence[str] = ()
) -> Iterator[Source]:
    """Yield each photo of an input once, including those in tars and in tars of tars, in one process.

    Args:
        patterns: folder, file, glob, tar or list; or several.
        lists: how lists are read.
        exclude: globs of names that are ignored.
    """

    paths = input_paths.of(patterns, lists)
    if not input_paths.overlap(paths):
        yield from (source for source in _found(paths, exclude) if not source.is_ignored)
        return
    seen: set[tuple[bytes, int]] = set()
    for source in _found(paths, exclude):
        key = file_of(source)
        if not source.is_ignored and key not in seen:
            yield source
        seen.add(key)


def with_repeats(
    patterns: str | Sequence[str], lists: ListOptions = PLAIN, exclude: Sequence[str] = ()
) -> Iterator[Source]:
    """Yield what `everything` does, in memory that does not grow, and a photo again each time that it is found."""
    return (source for source in _found(input_paths.of(patterns, lists), exclude) if not source.is_ignored)


def _found(paths: Sequence[InputPath], exclude: Sequence[str]) -> Iterator[Source]:
    def within(source: Source, path: InputPath) -> Iterator[Source]:
        return (excluded(member, exclude) for member in members(source, path))

    for path in paths:
        for file in find(path):
            for member in within(excluded(file, exclude), path):
                yield from within(member, path) if member.offset is not None else [member]


def file_of(source: Source) -> tuple[bytes, int]:
    """Return a key that is the same for one file, whatever path found it; bytes, because it may not be UTF-8."""
    if storage.is_remote(source.uri):
        return source.uri.encode("utf-8", "surrogatepass"), source.offset or 0
    # A link to another photo is a photo of its own, as in an input of one folder.
    folder, name = os.path.split(source.uri)
    return os.fsencode(os.path.join(_resolved(folder), name)), source.offset or 0  # noqa: PTH118 (called once a photo)


@lru_cache(maxsize=1024)
def _resolved(folder: str) -> str:
    return storage.normalized(folder or ".")
