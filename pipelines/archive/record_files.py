"""Read files of records strictly: a line that is not a record is reported, never skipped silently.

    OUTPUT/manifest/shards.json     {"photos-00000-of-00004.jsonl": {"records": 9987, "sha256": "…", "first": "a"}, …}

The list of shards is written when all of them are complete, and removed before any of them is written again. If it
exists, a shard that is missing, empty, or cut off after a line is therefore found as well.

One case is not damage: a killed run may leave the last line of its journal incomplete. The photo is made again.

A photo whose record is lost is made again. If the new file is equal to the existing one, that one stays, which proves
the new record. The mark in the file's XMP would not: it names neither the settings nor the bytes of the source.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipelines.archive import manifest, parquet_records
from pipelines.archive.manifest import FOLDER, JSON_LINES, PARQUET, REPORT_FILE, Record
from pipelines.files import storage, versions
from tfrecords.words import counted

_T = TypeVar("_T")

INDEX_FILE = f"{FOLDER}/shards.json"
LOST_FILE = "is missing"
"""The damage of a file that the list of shards names and that is not there."""
UNNAMED_FILE = f"is not named by {INDEX_FILE}"
"""The damage of a shard that is there and that the list of shards does not name."""
_READ_AT_ONCE = 1 << 20
_FIRST_LINE = 1 << 14
_NAMED = 3


@dataclass(frozen=True)
class Damage:
    """A file of records that is damaged.

    Attributes:
        name: path relative to the folder.
        what: the damage, as a readable text.
    """

    name: str
    what: str

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.what == UNNAMED_FILE:
            return "its records are left out, and the same `autochrome colorize` removes it"
        return "run the same `autochrome colorize` again to repair it"

    def __str__(self) -> str:
        return f"{self.name} {self.what}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The entry of a shard in the list.

    Attributes:
        records: their number.
        sha256: of the file, in hex.
        first: the name of its first record; '' if it has none, or was written by a version that did not state it.
    """

    records: int
    sha256: str
    first: str = ""


@dataclass(frozen=True)
class Index:
    """The list of shards.

    Attributes:
        shards: entries by path relative to the folder; empty if there is no list.
        inputs: number of records of all shards together, if the report states it; else 0.
    """

    shards: Mapping[str, Entry] = field(default_factory=dict)
    inputs: int = 0


NO_INDEX = Index()


def entry(name: str, records: int, data: bytes, first: str = "") -> tuple[str, Entry]:
    """Return the path of a shard and its entry for the list."""
    return name, Entry(records=records, sha256=hashlib.sha256(data).hexdigest(), first=first)


def write_index(folder: str, shards: Iterable[tuple[str, Entry]]) -> None:
    """Write the list of all shards."""
    told = {name.rpartition("/")[2]: vars(entry) for name, entry in sorted(shards)}
    storage.write_in(folder, INDEX_FILE, (json.dumps(told, indent=2) + "\n").encode())


def drop_index(folder: str) -> None:
    """Remove the list, durably; call this before a shard is written."""
    uri = storage.join(folder, INDEX_FILE)
    while found := versions.read(uri):
        versions.remove(uri, found)


def read_index(folder: str) -> Index:
    """Read the list. A damaged list counts as none: it protects the shards, but contains no records."""
    return Index(_listed(folder), _inputs(folder))


def _listed(folder: str) -> dict[str, Entry]:
    try:
        told = json.loads(storage.read_if_there(storage.join(folder, INDEX_FILE)) or b"{}")
        return {f"{FOLDER}/{name}": Entry(**fields) for name, fields in told.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _inputs(folder: str) -> int:
    try:
        report = json.loads(storage.read_if_there(storage.join(folder, REPORT_FILE)) or b"{}")
        return int(report.get("inputs", 0)) - int(report.get("outcomes", {}).get("ignored", 0))
    except (ValueError, TypeError, AttributeError):
        return 0


def missing(index: Index, names: Iterable[str]) -> Iterator[Damage]:
    """Yield the damage of shards that are in the list but not among the names of the files."""
    return (Damage(name, LOST_FILE) for name in sorted(index.shards.keys() - set(names)))


def unnamed(index: Index, names: Iterable[str]) -> Iterator[Damage]:
    """Yield the damage of shards that are not in the list, such as those that were copied over another manifest."""
    return (Damage(name, UNNAMED_FILE) for name in sorted(names) if index.shards and name not in index.shards)


def is_complete(folder: str) -> bool:
    """Return whether there is a list of shards that is not damaged; it may be empty, as that of a run without photos.

    Raises:
        WorldError: the list cannot be read.
    """
    try:
        return isinstance(json.loads(storage.read_if_there(storage.join(folder, INDEX_FILE)) or b""), dict)
    except ValueError:
        return False


def first_name(uri: str) -> str:
    """Return the name of the first record of a shard; '' if it is damaged.

    Raises:
        storage.io_errors, WorldError: the shard cannot be read.
    """
    with storage.opened(uri, _FIRST_LINE) as file:
        if manifest.format_of(uri) == PARQUET:
            return parquet_records.first_name(file)
        record = _record(file.readline())
    return record.name if record else ""


def journal(name: str, data: bytes) -> Iterator[Record | Damage]:
    """Yield the records of a journal, then its damage, if any.

    Args:
        name: path relative to the folder.
        data: its bytes.
    """
    *lines, torn = data.split(b"\n")
    found = _Lines(name)
    yield from (record for record in found.of(lines) if record is not None)
    if (record := _record(torn)) is not None:
        yield record
    yield from found.damage()


def shard(uri: str, name: str, index: Index, buffer: int = _READ_AT_ONCE) -> Iterator[Record | Damage]:
    """Yield the records of a shard, with times and fingerprints from the timings, then its damage, if any.

    Args:
        uri: of the file.
        name: path relative to the folder.
        index: the list of shards.
        buffer: bytes to read at a time, of the records and of the timings.

    Raises:
        storage.io_errors, WorldError: the shard cannot be read.
    """
    folder, _, file_name = uri.rpartition("/")
    timings = file_name.replace("photos", "timings", 1).replace(f".{PARQUET}", f".{JSON_LINES}")
    is_parquet = manifest.format_of(name) == PARQUET
    with ExitStack() as stack:
        times: Iterator[bytes] = iter(())
        with storage.errors_ignored():  # without this file, only the times are missing
            times = stack.enter_context(storage.opened(f"{folder}/{timings}", buffer))
        found = _Rows(name) if is_parquet else _Lines(name)
        for record in found.of(stack.enter_context(storage.opened(uri, buffer))):
            spent = next(times, b"")
            if record is not None:
                yield _timed(record, spent)
        yield from found.damage(index, index.shards.get(name))


def _timed(record: Record, line: bytes) -> Record:
    """Return a record of a shard with the values of its line in the timings; unchanged if the line is another's."""
    try:
        fields = json.loads(line)
        if fields["name"] != record.name:
            return record
        record = _with(record, milliseconds=dict(fields["milliseconds"]))
        pairs = zip(record.outputs, fields.get("outputs", ()), strict=True)
        return _with(record, outputs=tuple(_with(output, fingerprint=str(told)) for output, told in pairs))
    except (ValueError, LookupError, TypeError):
        return record


def _with(original: _T, **fields: Any) -> _T:
    """Do what `dataclasses.replace` does, in a tenth of the time: a report calls this three times for each record."""
    copied = object.__new__(type(original))
    vars(copied).update(vars(original))
    vars(copied).update(fields)
    return copied


def _record(line: bytes) -> Record | None:
    try:
        return Record.from_json(line.decode())
    except (ValueError, KeyError, TypeError):
        return None


class _Lines:
    """Counts the lines of a file, and collects those that are not records."""

    unit = "line"

    def __init__(self, name: str) -> None:
        self._name = name
        self._total = 0
        self._bad: list[int] = []
        self._bad_ones = 0
        self._digest = hashlib.sha256()
        self._broken = ""

    def of(self, file: Iterable[bytes]) -> Iterator[Record | None]:
        """Yield the record of each line, or None."""
        for line in file:
            self._digest.update(line)
            yield self.count(_record(line))

    def count(self, record: Record | None) -> Record | None:
        """Count the next record, or None for what is not one."""
        self._total += 1
        if record is None:
            self._bad_ones += 1
            if len(self._bad) < _NAMED:
                self._bad.append(self._total)
        return record

    def damage(self, index: Index = NO_INDEX, expected: Entry | None = None) -> Iterator[Damage]:
        if self._bad_ones:
            yield Damage(self._name, self._said())
        elif self._broken:
            yield Damage(self._name, f"is damaged ({self._broken})")
        elif not index.shards and index.inputs and not self._total:
            # From a version that made no list: if there are any records at all, none of its shards is empty.
            yield Damage(self._name, "is empty")
        elif expected is not None and self._total < expected.records:
            yield Damage(self._name, f"has {self._total:,} of its {counted(expected.records, 'record')}")
        elif expected is not None and self._digest.hexdigest() != expected.sha256:
            yield Damage(self._name, "was changed since it was written")

    def _said(self) -> str:
        named = ", ".join(f"{number:,}" for number in self._bad)
        more = self._bad_ones - len(self._bad)
        if self._bad_ones == 1:
            return f"{self.unit} {named} is not a record"
        return f"{self.unit}s {named}{f' and {more:,} more' if more else ''} are not records"


class _Rows(_Lines):
    """Does the same for the rows of Parquet, whose bytes are in memory: a shard has few megabytes."""

    unit = "row"

    def of(self, file: Iterable[bytes]) -> Iterator[Record | None]:
        """Yield the record of each row, or None."""
        data = b"".join(file)
        self._digest.update(data)
        try:
            yield from map(self.count, parquet_records.from_parquet(io.BytesIO(data)))
        except parquet_records.NotParquetError as error:
            self._broken = str(error).splitlines()[0]
