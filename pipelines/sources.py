"""Where the photos are: folders, globs, single files, tars and tars of tars, on any file system that Beam knows."""

import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from pipelines import buckets, cloud, faults, inputs, local_reads, storage, tars
from pipelines.buckets import Blob
from pipelines.outcomes import Rejected
from pipelines.progress import SILENT, Ticker
from tfrecords.errors import UserError

_MAGIC = "*?["


@dataclass(frozen=True)
class Source:
    """A photo to read: a file, or a range of a tar.

    Attributes:
        uri: what to open.
        name: path relative to the input, with forward slashes; unique within a run but for repeated names in a tar.
        size: in bytes.
        fingerprint: changes when the file does: its size and time of change, or generation in a bucket.
        offset: of the first byte in a tar; None for a file.
        fault: why it cannot be read, known since it was listed; else ''.
        duplicate_of: name of a photo with the same bytes; else ''.
    """

    uri: str
    name: str
    size: int
    fingerprint: str
    offset: int | None = None
    fault: str = ""
    duplicate_of: str = ""

    def __reduce__(self) -> tuple[type["Source"], tuple[Any, ...]]:
        # Half the bytes of the default, for what local runs hold in memory by the million.
        return Source, (
            *(self.uri, self.name, self.size, self.fingerprint),
            *(self.offset, self.fault, self.duplicate_of),
        )

    def read(self, start: int = 0) -> bytes:
        """The photo's bytes from ``start`` on.

        Raises:
            Rejected: ``unreadable``: this photo is gone, changed or forbidden.
            WorldError: the disk or the bucket fails, or rights are lost.
        """
        if self.fault:
            raise Rejected("unreadable", self.fault)
        try:
            generation = _generation(self.uri, self.fingerprint)
            if self.offset is None and start == 0:
                return inputs.read(self.uri, generation)
            return inputs.read_range(self.uri, (self.offset or 0) + start, self.size - start, generation)
        except storage.IO_ERRORS as error:
            raise Rejected("unreadable", str(error)) from error


def root_of(pattern: str) -> str:
    """The folder that names are relative to: the pattern itself, or what stands before its first wildcard."""
    if _is_literal(pattern):
        is_file = not storage.is_remote(pattern) and Path(pattern).is_file()
        return os.path.dirname(pattern) if is_file else pattern.rstrip("/") or "/"  # noqa: PTH120 (keeps URIs as they are)
    before = pattern[: min(pattern.find(char) for char in _MAGIC if char in pattern)]
    return before.rpartition("/")[0] or ("/" if before.startswith("/") else "")


def _is_literal(pattern: str) -> bool:
    """Whether a pattern names one folder or file: it has no wildcard, or exists under that very name."""
    return not any(char in pattern for char in _MAGIC) or (not storage.is_remote(pattern) and Path(pattern).exists())


def is_file(pattern: str) -> bool:
    """Whether a pattern names one file and no folder."""
    if not _is_literal(pattern):
        return False
    if storage.is_remote(pattern):
        return storage.size(pattern) >= 0
    return Path(pattern).is_file()


@dataclass(frozen=True)
class Branch:
    """A part of an input that one worker lists; Beam's coder for plain strings would refuse a name that is no UTF-8.

    Attributes:
        path: what to list.
        page: objects that were listed already; then there is nothing left to list.
    """

    path: str
    page: tuple[Blob, ...] = ()


def branches(pattern: str) -> Iterator[Branch]:
    """Splits an input for listing in parallel: the subfolders of a folder, and its files; else the input itself.

    Args:
        pattern: folder, glob (``**`` crosses folders) or file; local or a URI.
    """
    if storage.is_in_bucket(pattern) and _is_literal(pattern):
        has_any = False
        for blobs, subfolders in buckets.pages(pattern):
            has_any |= bool(blobs or subfolders)
            yield from map(Branch, subfolders)
            if blobs:
                yield Branch(pattern, tuple(blobs))
        if not has_any:  # a single object has nothing below it
            yield Branch(pattern)
        return
    if storage.is_remote(pattern) or not _is_literal(pattern) or not Path(pattern).is_dir():
        yield Branch(pattern)
        return
    for entry in local_reads.listed(pattern):
        if not (entry.is_dir() and entry.is_symlink()):
            yield Branch(entry.path)


def files(branch: Branch, root: str, *, is_input: bool = False) -> Iterator[Source]:
    """Yields every file of a branch, lazily on local disks; links to folders are not followed.

    Links that lead nowhere and folders that cannot be listed are yielded with their fault; pipes and devices are not.

    Args:
        branch: one of ``branches``.
        root: of the input, which names are relative to.
        is_input: whether the root was seen to be there, so that a disk was unmounted where it is gone.

    Raises:
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    known_root = root if is_input else None
    for file in _remote_files(branch) if storage.is_remote(branch.path) else _local_files(branch.path, known_root):
        # An object that is the whole input has no name below itself; its own will do.
        yield replace(file, name=file.uri[len(root) :].lstrip("/") or file.uri.rpartition("/")[2]) if root else file


def _local_files(path_or_glob: str, root: str | None) -> Iterator[Source]:
    """Files under their whole paths."""
    if _is_literal(path_or_glob):
        yield from _below(path_or_glob, root)
        return
    for path in sorted(glob.glob(path_or_glob, recursive=True)):  # noqa: PTH207 (as it sorts)
        if not os.path.isdir(path):  # noqa: PTH112 (millions of files: no Path each)
            yield from _below(path, root)


def _below(path: str, root: str | None) -> Iterator[Source]:
    """Yields a file, or the files below a folder; nothing for pipes and devices, which would be waited for."""
    try:
        found = local_reads.looked_up(path, root)
        if not stat.S_ISDIR(found.st_mode):
            if stat.S_ISREG(found.st_mode):
                yield Source(path, path, found.st_size, f"{found.st_size}-{found.st_mtime_ns}")
            return
    except OSError as error:
        yield Source(path, path, 0, "", fault=f"{path}: {error.strerror}")
        return
    try:
        entries = local_reads.listed(path, root)
    except OSError as error:
        yield Source(path, path, 0, "", fault=f"the folder cannot be listed: {error.strerror}")
        return
    for entry in entries:
        if not (entry.is_symlink() and entry.is_dir()):
            yield from _below(entry.path, root)


def _remote_files(branch: Branch) -> Iterator[Source]:
    path = branch.path
    if storage.is_in_bucket(path):
        for blob in branch.page or (buckets.below(path) if _is_literal(path) else buckets.matching(path)):
            yield Source(blob.uri, blob.uri, blob.size, f"{blob.size}-{blob.generation}")
        return
    for result in FileSystems.match([path, path.rstrip("/") + "/**"] if _is_literal(path) else [path]):
        for found in result.metadata_list:
            if not found.path.endswith("/"):
                size, changed = found.size_in_bytes, found.last_updated_in_seconds
                yield Source(found.path, found.path, size, f"{size}-{changed}")


def _generation(uri: str, fingerprint: str) -> int | None:
    """The generation in a fingerprint, so that what was listed is what is read."""
    if not fingerprint or not storage.is_in_bucket(uri):
        return None
    return int(fingerprint.split("-")[1])


def find(pattern: str) -> Iterator[Source]:
    """Yields every file of an input, tars unopened, as one worker sees it."""
    root = root_of(pattern)
    for branch in branches(pattern):
        yield from files(branch, root, is_input=True)


def members(source: Source, pattern: str) -> Iterator[Source]:
    """Yields the files in a tar, inner tars unopened; any other source as it is.

    A tar that cannot be listed, or not to its end, is yielded itself with the fault, behind the files that were found.

    Args:
        source: a file, or an inner tar that ``members`` gave.
        pattern: the input; a tar that is the whole input lends its members no folder.
    """
    if not tars.is_tar(source.name) or source.fault:
        yield source
        return
    inner = None if source.offset is None else tars.Member(source.name, source.offset, source.size)
    folder = "" if inner or source.uri == pattern else source.name.rpartition(".")[0] + "/"
    try:
        with inputs.opened(source.uri) as file:
            for member in tars.members(file, name=source.uri, within=inner, depth=1):
                # An inner tar is marked as unopened; another worker will open it.
                opens = tars.is_tar(member.name) and inner is None
                fingerprint = f"{source.fingerprint}-{member.offset}-{member.size}"
                name, fault = folder + member.name, "" if opens else member.fault
                yield Source(source.uri, name, member.size, fingerprint, member.offset, fault)
    except (*storage.IO_ERRORS, UserError) as error:
        yield replace(source, fault=str(error))


def check_any(pattern: str) -> None:
    """Makes sure that an input has at least one file.

    Raises:
        UserError: it has none or cannot be listed.
        OutageError: the disk or the bucket does not answer.
    """
    if not pattern:
        raise UserError("--input is empty; name a folder, a file or a glob in quotes")
    if _is_literal(pattern) and not storage.is_remote(pattern) and not Path(pattern).exists():
        raise UserError(f"--input {pattern} does not exist; name a folder, a file or a glob in quotes")
    cloud.check({"--input": pattern})
    try:
        if next(find(pattern), None) is not None:
            return
    except storage.IO_ERRORS as error:
        raise UserError(f"--input {pattern} cannot be listed: {faults.cause(error)}") from error
    raise UserError(f"--input {pattern} has no files; name a folder, a file or a glob in quotes")


def check_apart(pattern: str, output: str) -> None:
    """Makes sure that sources are never written to, and results never taken for sources the next time.

    Raises:
        UserError: one folder contains the other, or no output is named.
    """
    if not output:
        raise UserError("--output is empty; name a folder")
    # Beside a tar there is room.
    folder = pattern if tars.is_tar(pattern) and _is_literal(pattern) else root_of(pattern)
    source, target = (storage.normalized(path) + "/" for path in (folder, output))
    if target.startswith(source) or source.startswith(target):
        raise UserError(
            f"--output {output} and --input {pattern} overlap; choose an output folder apart from the photos"
        )


@dataclass(eq=False)
class FindSources(beam.PTransform):
    """Lists an input: root → PCollection of Source.

    Folders are listed and tars indexed side by side: subfolders, tars and inner tars each go to any worker. Photos do
    not cross a shuffle here, as local runs keep in memory what does; what comes next spreads them.
    """

    pattern: str
    ticker: Ticker = SILENT

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[Source]:
        """Lists, and opens tars and the tars in them."""
        listed = (
            root
            | "Input" >> beam.Create([self.pattern])
            | "Branches" >> beam.FlatMap(branches)
            | "Spread branches" >> beam.Reshuffle()
            | "Files" >> beam.FlatMap(files, root_of(self.pattern), is_input=True)
        )
        tars_found, photos = listed | "Tars?" >> beam.Partition(_place, 2)
        inner_tars, photos_in_tars = self._opened(tars_found, "tars") | "Tars in tars?" >> beam.Partition(_place, 2)
        photos_within = self._opened(inner_tars, "inner tars")
        return (photos, photos_in_tars, photos_within) | "All" >> beam.Flatten() | "Tell" >> beam.Map(self._tell)

    def _opened(self, tars_found: beam.PCollection[Source], what: str) -> beam.PCollection[Source]:
        spread = tars_found | f"Spread {what}" >> beam.Reshuffle()
        return spread | f"Open {what}" >> beam.FlatMap(members, self.pattern)

    def _tell(self, source: Source) -> Source:
        self.ticker.listed()
        return source


def _place(source: Source, _: int) -> int:
    """0 for what is to be opened as a tar, 1 for photos."""
    return 0 if tars.is_tar(source.name) and not source.fault else 1
