"""A colorized folder read back: one record an input in order of name, whether its last run has ended or not."""

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any

from pipelines import manifest, storage
from pipelines.account import REPORT_FILE
from pipelines.manifest import Record
from pipelines.runs import known
from pipelines.sources import Branch, files
from tfrecords.errors import UserError

_READ_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Ledger:
    """Where the records of a folder are.

    Attributes:
        folder: the output of `autochrome colorize`.
        shards: URIs of the manifest's shards.
        journals: URIs of what a run left that goes on or was killed; its records are newer than those of the shards.
    """

    folder: str
    shards: tuple[str, ...]
    journals: tuple[str, ...]

    @classmethod
    def of(cls, folder: str) -> "Ledger":
        """Lists a folder's manifest.

        Raises:
            UserError: there is none.
        """
        root = folder.rstrip("/") or "/"
        found = files(Branch(storage.join(root, manifest.FOLDER)), root)
        names = {file.name: file.uri for file in found if manifest.has_records(file.name) and not file.fault}
        if not names:
            raise UserError(f"{folder} has no manifest; make one with `autochrome colorize --output {folder}`")
        journals = tuple(uri for name, uri in sorted(names.items()) if manifest.is_journal(name))
        return cls(root, tuple(uri for name, uri in sorted(names.items()) if not manifest.is_journal(name)), journals)

    def records(self) -> Iterator[Record]:
        """Yields every input's record with its times, in order of name; memory holds a line a shard and the journals.

        Raises:
            OSError, BeamIOError: a shard cannot be read.
        """
        journals = (record for uri in self.journals for record in manifest.records(storage.read(uri)))
        told = sorted((record for record in journals if not record.pending), key=_place)
        for _, same_name in groupby(merge(*map(shard, self.shards), told, key=_place), key=attrgetter("name")):
            # A tar may hold a name twice; two records of one place are an older and a newer one.
            latest = {record.offset: record for record in sorted(same_name, key=attrgetter("at"))}
            yield from sorted(latest.values(), key=_place)

    def made_with(self) -> dict[str, Any]:
        """Model and settings of the last run; {} when nothing says."""
        with suppress(UserError):  # a damaged file, which the next run names
            if runs := known(self.folder):
                return runs[-1]
        try:
            return dict(json.loads(storage.read_if_there(storage.join(self.folder, REPORT_FILE)) or b"{}"))
        except (ValueError, TypeError):
            return {}


def _place(record: Record) -> tuple[str, str, int]:
    return record.name, record.uri, record.offset or 0


def shard(uri: str) -> Iterator[Record]:
    """Yields the records of a shard, each with its times and fingerprints from the timings beside it.

    Raises:
        OSError, BeamIOError: the shard cannot be read.
    """
    folder, _, name = uri.rpartition("/")
    with ExitStack() as stack:
        times: Iterator[bytes] = iter(())
        with suppress(*storage.IO_ERRORS):  # without them only the times are missing
            times = stack.enter_context(_lines(f"{folder}/{name.replace('photos', 'timings', 1)}"))
        for line in stack.enter_context(_lines(uri)):
            spent = next(times, b"")
            for record in manifest.records(line):
                yield manifest.timed(record, spent)


def _lines(uri: str) -> io.BufferedReader:
    return io.BufferedReader(storage.opened(uri), _READ_AT_ONCE)  # type: ignore[arg-type]
