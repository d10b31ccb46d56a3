"""One shard of records as a unit of work: made whole, with its account beside it, or found finished and left alone."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Self

import cv2

from pipelines.dataset import claim
from pipelines.dataset.conversion import converted, distribution, stage
from pipelines.dataset.examples import Converted
from pipelines.dataset.sharding import Slot, order
from pipelines.files import local_writes, storage
from pipelines.files.sources import Source
from pipelines.runtime.outcomes import Outcome, count
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import Ticker
from tfrecords.shards import Shard, ShardWriter, shard_name
from tfrecords.statistics import Statistics

FOLDER = "parts"


@dataclass(frozen=True)
class ShardReport:
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
) -> ShardReport:
    """Makes sure that one shard is there.

    A shard whose account says that it was made of these very photos, and which has the bytes that the account says, is
    not opened again. Other settings need no comparing: they show in its name, and the run's claim compared them.

    Args:
        grouped: the shard's place, and its photos in any order.
        output: the data folder.
        size: side of the stored pictures.
        ticker: to be told of every photo.
        processes: the children; their handler is `pipelines.dataset.examples.convert`.

    Raises:
        OSError, BeamIOError: something cannot be written.
        WorldError: a photo cannot be read, or this machine has too little memory for it.
        PhotoProcessError: the child processes fail.
    """
    slot, sources = grouped
    photos = sorted(sources, key=lambda source: (order(source.name), source.place))
    name = shard_name(slot.split, slot.index, slot.total)
    account = f"{FOLDER}/{name}.json"
    part = _found(storage.join(output, account), output, _fingerprint(photos, size))
    if part is None:
        make = partial(_make, slot.split, name, photos, output, size, _Progress(ticker), processes)
        path = storage.join(output, name)
        # In a bucket the request is repeated; on a disk all must be written again.
        part, outcomes = make() if storage.is_remote(path) else local_writes.patiently(path, make)
        for outcome in outcomes:
            count(outcome)
        storage.write_in(output, account, part.to_json().encode())
    else:
        ticker.done("skipped", part.shard.count)
        ticker.done("rejected", len(part.rejected))
    return part


def _fingerprint(photos: list[Source], size: int) -> str:
    told = b"".join([size.to_bytes(4), *(claim.fingerprint(photo) for photo in photos)])
    return blake2b(told, digest_size=16).hexdigest()


def _found(account: str, output: str, sources: str) -> ShardReport | None:
    """The finished part, or None where it is to be made."""
    try:
        part = ShardReport.from_json((storage.read_if_there(account) or b"").decode())
    except (ValueError, KeyError, TypeError):
        return None
    whole = storage.size(storage.join(output, part.shard.name)) == part.shard.bytes
    return part if whole and part.sources == sources else None


@dataclass
class _Progress:
    """Tells the ticker of each photo of a shard once, however often the shard is begun."""

    ticker: Ticker
    told: int = 0

    def done(self, index: int, outcome: Outcome) -> None:
        if index == self.told:
            self.ticker.done(outcome.status)
            self.told += 1


def _make(
    split: str, name: str, photos: list[Source], output: str, size: int, progress: _Progress, processes: PhotoProcesses
) -> tuple[ShardReport, list[Outcome]]:
    """Reads, judges, converts and writes the photos of one shard, which appears whole or not at all.

    Returns:
        the report, and the outcomes of all photos.
    """
    cv2.setNumThreads(1)  # the runner has a worker a core
    outcomes: list[Outcome] = []
    statistics = Statistics()
    with storage.whole_file(output, name) as file:
        writer = ShardWriter(file)
        for index, (source, result) in enumerate(converted(photos, size, processes)):
            outcomes.append(_add(source, result, writer, statistics))
            progress.done(index, outcomes[-1])
    rejected = [outcome for outcome in outcomes if outcome.status == "rejected"]
    return ShardReport(split, writer.finished(name), rejected, statistics, _fingerprint(photos, size)), outcomes


def _add(source: Source, result: Converted, writer: ShardWriter, statistics: Statistics) -> Outcome:
    example = result.example
    if example is None:
        return Outcome(source.name, "rejected", result.reason, result.detail, source.uri)
    with stage("write"):
        record = example.to_bytes()
        writer.write(record)
    distribution("record_bytes", len(record))
    statistics.add(example, len(record))
    return Outcome(source.name, "written", uri=source.uri)
