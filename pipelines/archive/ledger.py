"""Read a colorized folder: one record per input, sorted by name, whether or not its last run has ended."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import merge
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from pipelines.archive import manifest, partitions, record_files
from pipelines.archive.manifest import REPORT_FILE, Record
from pipelines.archive.merging import Shard, merged, place_of
from pipelines.archive.record_files import Damage, Entry
from pipelines.archive.run_list import known
from pipelines.files import local_reads, storage
from pipelines.files.listings import Branch
from pipelines.files.sources import files
from tfrecords.errors import UserError

_BUFFERS = 32 << 20
_SMALLEST_BUFFER, _LARGEST_BUFFER = 1 << 13, 1 << 20
_OTHER_FILES = 256


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The location of a folder's records.

    Attributes:
        folder: the output of `autochrome colorize`.
        state: the folder of its manifest.
        shards: URIs of the manifest's shards.
        journals: URIs of journals of a run that is running or was killed; their records are newer than the shards.
        partitions: the ledgers of partitions (`pipelines.archive.partitions`), whose records this one has as well.
    """

    folder: str
    state: str
    shards: tuple[str, ...]
    journals: tuple[str, ...]
    partitions: "tuple[Ledger, ...]" = ()

    @classmethod
    def of(cls, folder: str, state: str = "") -> "Ledger":
        """List the manifest of a folder.

        Args:
            folder: the output of `autochrome colorize`.
            state: the folder of its manifest; '' if it is the output.

        Raises:
            UserError: there is no manifest.
        """
        root = (state or folder).rstrip("/") or "/"
        parts = tuple(_ledger(folder, partitions.folder_of(root, one)) for one in partitions.there(root))
        whole = _ledger(folder, root)
        if parts:
            journals = tuple(uri for one in (whole, *parts) for uri in one.journals)
            return replace(whole, journals=journals, partitions=parts)
        if not whole.shards and not whole.journals and not record_files.is_complete(root):
            raise _no_manifest(root, folder, state)
        return whole

    def records(self, tell: Callable[[Damage], None] | None = None) -> Iterator[Record]:
        """Yield the record of every input with its times, sorted by name.

        Shards that the list of shards does not name are left out, and told, unless a run is not done: it may have
        written its list without removing the shards of the run before.

        A shard is open while its names are read. Of a manifest of an earlier version, whose shards hold a hash of the
        names, up to 512 MiB are in memory. The journals are in memory as well.

        Args:
            tell: called with each damage.

        Raises:
            storage.io_errors: a shard cannot be read.
        """
        if self.partitions:
            yield from merge(*(one._told(tell, self.state) for one in self.partitions), key=place_of)
            return
        index = record_files.read_index(self.state)
        names = set(map(self._name, self.shards))
        unnamed = [] if self.journals else list(record_files.unnamed(index, names))
        names -= {damage.name for damage in unnamed}

        def whole(read: Iterable[Record | Damage]) -> Iterator[Record]:
            for one in read:
                if isinstance(one, Record):
                    yield one
                elif tell is not None:
                    tell(one)

        def opened(uri: str) -> Callable[[int], Iterator[Record]]:
            def read(others: int) -> Iterator[Record]:
                # Each is a file of records and one of timings.
                local_reads.allow_open(2 * (others + 1) + _OTHER_FILES)
                buffer = max(_SMALLEST_BUFFER, min(_LARGEST_BUFFER, _BUFFERS // (others + 1)))
                return whole(record_files.shard(uri, self._name(uri), index, buffer))

            return read

        shards = (
            Shard(_first(uri, index.shards.get(self._name(uri))), opened(uri))
            for uri in self.shards
            if self._name(uri) in names
        )
        journals = (record_files.journal(self._name(uri), storage.read(uri)) for uri in self.journals)
        told = sorted((record for read in journals for record in whole(read) if not record.pending), key=place_of)
        list(whole([*record_files.missing(index, names), *unnamed]))
        for _, same_name in groupby(merge(merged(shards), told, key=place_of), key=attrgetter("name")):
            yield from sorted(_latest(same_name), key=place_of)

    def _told(self, tell: Callable[[Damage], None] | None, folder: str) -> Iterator[Record]:
        """Yield the records of a partition; damage is told with the path relative to the folder of all partitions."""
        place = self.state.removeprefix(folder).strip("/")
        return self.records(tell and (lambda damage: tell(replace(damage, name=f"{place}/{damage.name}"))))

    def _name(self, uri: str) -> str:
        return uri.removeprefix(self.state).lstrip("/")

    def made_with(self) -> dict[str, Any]:
        """Return model and settings of the last run; {} if they are unknown."""
        if self.partitions:
            return self.partitions[-1].made_with()
        with suppress(UserError):  # a damaged file, which the next run reports
            if runs := known(self.state):
                return runs[-1]
        return self._report()

    def ignored(self) -> int:
        """Return how many files of the input were not photos, which have no records; 0 if that is unknown."""
        if self.partitions:
            return sum(one.ignored() for one in self.partitions)
        outcomes = self._report().get("outcomes")
        number = outcomes.get("ignored", 0) if isinstance(outcomes, dict) else 0
        return number if isinstance(number, int) else 0

    def _report(self) -> dict[str, Any]:
        try:
            return dict(json.loads(storage.read_if_there(storage.join(self.state, REPORT_FILE)) or b"{}"))
        except (ValueError, TypeError):
            return {}


def _no_manifest(root: str, folder: str, state: str) -> UserError:
    """Return the error of a folder that has no manifest."""
    above, _, last = root.rpartition("/")
    if last == manifest.FOLDER and record_files.is_complete(above or "."):
        return UserError(f"{root} is the manifest itself; give the folder that it is in: {above or '.'}")
    if not storage.is_remote(root) and Path(root).is_file():
        return UserError(f"{root} is a file; give the output folder of `autochrome colorize`")
    if state:
        return UserError(
            f"{root} has no manifest; make one with `autochrome colorize --output {folder} --state {state}`"
        )
    return UserError(
        f"{root} has no manifest; make one with `autochrome colorize --output {folder}`, or give the --state that it "
        "was given"
    )


def _first(uri: str, entry: Entry | None) -> str:
    """Return the name of the first record of a shard, without opening it if the list of shards states it."""
    return (entry.first if entry else "") or record_files.first_name(uri)


def _ledger(folder: str, root: str) -> Ledger:
    """Return what there is in one folder of records, without its partitions."""
    found = files(Branch(path=storage.join(root, manifest.FOLDER)), root)
    names = {file.name: file.uri for file in found if manifest.has_records(file.name) and not file.fault}
    journals = tuple(uri for name, uri in sorted(names.items()) if manifest.is_journal(name))
    shards = tuple(uri for name, uri in sorted(names.items()) if not manifest.is_journal(name))
    return Ledger(folder=folder.rstrip("/") or "/", state=root, shards=shards, journals=journals)


def _latest(same_name: Iterable[Record]) -> Iterable[Record]:
    """Return the records of one name, without those that a newer one replaces."""
    latest: dict[tuple[str, int | None], Record] = {}
    for record in sorted(same_name, key=attrgetter("at")):
        # A tar may contain a name twice, and two objects may have the same name. But if the archive was moved after the
        # shards were written, a journal has the same photo at another URI.
        moved = [key for key, known in latest.items() if key[1] == record.offset and record.at and not known.at]
        if (record.uri, record.offset) not in latest and len(moved) == 1:
            del latest[moved[0]]
        latest[record.uri, record.offset] = record
    return latest.values()
