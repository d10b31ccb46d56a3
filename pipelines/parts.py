"""One shard of records as a unit of work: made whole, with its account beside it, or found finished and left alone."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import blake2b
from time import perf_counter
from typing import Any, Self

import cv2
from apache_beam.metrics import Metrics
from apache_beam.metrics.metricbase import Distribution

from pipelines import claim, storage
from pipelines.convert import Converted
from pipelines.outcomes import Outcome, Rejected, Undecided, count
from pipelines.photo_process import PhotoProcesses
from pipelines.plan import Slot, order
from pipelines.progress import Ticker
from pipelines.sources import Source
from tfrecords.errors import WorldError
from tfrecords.example import LabExample
from tfrecords.shards import Shard, ShardWriter, shard_name
from tfrecords.statistics import Statistics

FOLDER = "parts"


@dataclass(frozen=True)
class Part:
    """The account of a finished shard.

    Attributes:
        split: that it belongs to.
        shard: the file.
        rejected: outcomes of the photos left out, in the order they were met.
        statistics: of its records.
        sources: fingerprint of the photos it was made of, rejected ones included, and of their size in it; hex.
    """

    split: str
    shard: Shard
    rejected: list[Outcome]
    statistics: Statistics
    sources: str

    def to_json(self) -> str:
        """Equal parts give equal text."""
        fields: dict[str, Any] = {
            "split": self.split,
            "shard": asdict(self.shard),
            "rejected": [asdict(outcome) for outcome in self.rejected],
            "statistics": self.statistics.to_dict(),
            "sources": self.sources,
        }
        return json.dumps(fields, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of ``to_json``; ValueError, KeyError or TypeError when it is no part."""
        fields = json.loads(text)
        return cls(
            split=fields["split"],
            shard=Shard(**fields["shard"]),
            rejected=[Outcome(**outcome) for outcome in fields["rejected"]],
            statistics=Statistics.from_dict(fields["statistics"]),
            sources=fields["sources"],
        )


def finish(
    grouped: tuple[Slot, Iterable[Source]], output: str, size: int, ticker: Ticker, processes: PhotoProcesses
) -> Part:
    """Makes sure that one shard is there.

    A shard whose account says that it was made of these very photos, and which has the bytes that the account says, is
    not opened again. Other settings need no comparing: they show in its name, and the run's claim compared them.

    Args:
        grouped: the shard's place, and its photos in any order.
        output: the data folder.
        size: side of the stored pictures.
        ticker: to be told of every photo.
        processes: the children; their handler is `pipelines.convert.convert`.

    Raises:
        OSError, BeamIOError: something cannot be written.
        WorldError: this machine has too little memory for a photo.
        PhotoProcessError: the child processes fail.
    """
    slot, sources = grouped
    photos = sorted(sources, key=lambda source: order(source.name))
    name = shard_name(slot.split, slot.index, slot.total)
    account = storage.join(output, f"{FOLDER}/{name}.json")
    part = _found(account, output, _fingerprint(photos, size))
    if part is None:
        part = _make(slot.split, name, photos, output, size, ticker, processes)
        storage.write(account, part.to_json().encode())
    else:
        ticker.done("skipped", part.shard.count)
        ticker.done("rejected", len(part.rejected))
    return part


def _fingerprint(photos: list[Source], size: int) -> str:
    told = b"".join([size.to_bytes(4), *(claim.fingerprint(photo) for photo in photos)])
    return blake2b(told, digest_size=16).hexdigest()


def _found(account: str, output: str, sources: str) -> Part | None:
    """The finished part, or None where it is to be made."""
    try:
        part = Part.from_json((storage.read_if_there(account) or b"").decode())
    except (ValueError, KeyError, TypeError):
        return None
    whole = storage.size(storage.join(output, part.shard.name)) == part.shard.bytes
    return part if whole and part.sources == sources else None


def _make(
    split: str, name: str, photos: list[Source], output: str, size: int, ticker: Ticker, processes: PhotoProcesses
) -> Part:
    """Reads, judges, converts and writes the photos of one shard, which appears whole or not at all."""
    cv2.setNumThreads(1)  # the runner has a worker a core
    rejected: list[Outcome] = []
    statistics = Statistics()
    with storage.whole_file(storage.join(output, name)) as file:
        writer = ShardWriter(file)
        for source in photos:
            outcome = _add(source, writer, statistics, size, processes)
            if outcome.status == "rejected":
                rejected.append(outcome)
            count(outcome)
            ticker.done(outcome.status)
    return Part(split, writer.finished(name), rejected, statistics, _fingerprint(photos, size))


def _add(source: Source, writer: ShardWriter, statistics: Statistics, size: int, processes: PhotoProcesses) -> Outcome:
    try:
        if source.duplicate_of:
            raise Rejected("duplicate", f"the same bytes as {source.duplicate_of}")
        with _Stage("read"):
            data = source.read()
        _distribution("photo_bytes", len(data))
        example = _converted(data, source.name, size, processes)
        with _Stage("write"):
            record = example.to_bytes()
            writer.write(record)
        _distribution("record_bytes", len(record))
        statistics.add(example, len(record))
    except Rejected as verdict:
        return Outcome(source.name, "rejected", verdict.reason, verdict.detail, source.uri)
    return Outcome(source.name, "written", uri=source.uri)


def _converted(data: bytes, name: str, size: int, processes: PhotoProcesses) -> LabExample:
    """The example of a photo.

    A photo that is undecided is tried once more at once, in a fresh process: records have an order, and the shard is
    done when all its photos are, so nothing is gained by waiting for the others.

    Raises:
        Rejected: the photo cannot be used.
        WorldError: this machine has too little memory for it; that is not the photo's fault.
    """
    try:
        converted: Converted = processes.call(data, name, size)
    except Undecided:
        try:
            converted = processes.call(data, name, size, alone=True)
        except Undecided as undecided:
            if undecided.reason == "out_of_memory":
                message = f"{name}: {undecided.detail}; give the workers more memory, or run fewer of them"
                raise WorldError(message) from None
            raise Rejected(undecided.reason, undecided.detail) from None
    for stage, milliseconds in converted.milliseconds.items():
        _distribution(f"{stage}_microseconds", round(1e3 * milliseconds))
    if converted.example is None:
        raise Rejected(converted.reason, converted.detail)
    return converted.example


def _distribution(name: str, value: int) -> None:
    _distribution_of(name).update(value)


@cache
def _distribution_of(name: str) -> Distribution:
    """Beam's distribution of that name; made once, as making one costs more than its update."""
    return Metrics.distribution("autochrome", name)


class _Stage:
    """Adds the time of a block to the job's distribution of that stage, in microseconds."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, *error: object) -> None:
        _distribution(f"{self._name}_microseconds", round(1e6 * (perf_counter() - self._started)))
