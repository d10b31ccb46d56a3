"""Where the photos are: folders, globs, single files, on any file system that Beam knows."""

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from pipelines import storage
from pipelines.progress import SILENT, Ticker
from tfrecords.errors import UserError

_MAGIC = "*?["


@dataclass(frozen=True)
class Source:
    """A photo to read.

    Attributes:
        uri: what to open.
        name: path relative to the input, with forward slashes; unique within a run.
    """

    uri: str
    name: str

    def read(self) -> bytes:
        """The photo's bytes, as they are stored."""
        return storage.read(self.uri)


def root_of(pattern: str) -> str:
    """The folder that names are relative to: the pattern itself, or what stands before its first wildcard."""
    if _is_literal(pattern):
        is_file = "://" not in pattern and Path(pattern).is_file()
        return os.path.dirname(pattern) if is_file else pattern.rstrip("/") or "/"  # noqa: PTH120 (keeps URIs as they are)
    before = pattern[: min(pattern.find(char) for char in _MAGIC if char in pattern)]
    return before.rpartition("/")[0] or ("/" if before.startswith("/") else "")


def _is_literal(pattern: str) -> bool:
    """Whether a pattern names one folder or file: it has no wildcard, or exists under that very name."""
    return not any(char in pattern for char in _MAGIC) or ("://" not in pattern and Path(pattern).exists())


def find(pattern: str) -> Iterator[Source]:
    """Yields every file that a folder (with its subfolders), a glob or a path stands for, lazily on local disks.

    Args:
        pattern: folder, glob (``**`` crosses folders) or file; local or a URI.
    """
    root = root_of(pattern)
    for uri in _remote_files(pattern) if "://" in pattern else _local_files(pattern):
        yield Source(uri, uri[len(root) :].lstrip("/") if root else uri)


def _local_files(pattern: str) -> Iterator[str]:
    matches = [pattern.rstrip("/") or "/"] if _is_literal(pattern) else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    for match in matches:
        if os.path.isfile(match):  # noqa: PTH113 (millions of files: no Path each)
            yield match
        elif _is_literal(pattern):
            yield from _walk(match)


def _walk(folder: str) -> Iterator[str]:
    """Regular files below a folder; links to folders are not followed, nor are pipes and devices opened."""
    for current, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(current, file)  # noqa: PTH118 (as above)
            if os.path.isfile(path):  # noqa: PTH113
                yield path


def _remote_files(pattern: str) -> Iterator[str]:
    everything_below = pattern.rstrip("/") + "/**"
    patterns = [pattern, everything_below] if _is_literal(pattern) else [pattern]
    for result in FileSystems.match(patterns):
        for metadata in result.metadata_list:
            if not metadata.path.endswith("/"):
                yield metadata.path


def check_any(pattern: str) -> None:
    """Makes sure that an input has at least one file.

    Raises:
        UserError: it has none or cannot be listed.
    """
    if not pattern:
        raise UserError("--input is empty; name a folder, a file or a glob in quotes")
    try:
        if next(find(pattern), None) is not None:
            return
    except storage.IO_ERRORS as error:
        raise UserError(f"--input {pattern} cannot be listed: {str(error).splitlines()[0]}") from error
    if _is_literal(pattern) and "://" not in pattern and not Path(pattern).exists():
        raise UserError(f"--input {pattern} does not exist; name a folder, a file or a glob in quotes")
    raise UserError(f"--input {pattern} has no files; name a folder, a file or a glob in quotes")


@dataclass(eq=False)
class FindSources(beam.PTransform):
    """Lists an input and spreads what it found over the workers: root → PCollection of Source."""

    pattern: str
    ticker: Ticker = SILENT

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[Source]:
        """Lists, then breaks fusion so that listing and reading do not share a worker."""
        return root | beam.Create([self.pattern]) | beam.FlatMap(self._find) | beam.Reshuffle()

    def _find(self, pattern: str) -> Iterator[Source]:
        for source in find(pattern):
            self.ticker.listed()
            yield source
