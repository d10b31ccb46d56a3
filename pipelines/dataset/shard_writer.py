"""Write one shard of records as a unit of work: complete and with a report, or found finished and left alone."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import blake2b
from typing import Any, Self

from pipelines.dataset import claim
from pipelines.dataset.conversion import converted
from pipelines.dataset.converted import Converted, digest_of
from pipelines.dataset.measures import Measures
from pipelines.dataset.sharding import Slot, order
from pipelines.errors import Rejected
from pipelines.files import contents, local_writes, storage
from pipelines.files.sources import Source
from pipelines.runtime.outcomes import Outcome, Status
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import Ticker
from tfrecords.shards import Shard, ShardWriter, shard_name
from tfrecords.statistics import Statistics

FOLDER = "parts"
_TELL_EVERY_S = 0.1


@dataclass(frozen=True, kw_only=True)
class ShardReport:
    """The report on a finished shard.

    Attributes:
        split: of the shard.
        shard: the file.
        rejected: outcomes of the rejected photos, in the order of the shard.
        statistics: of its records.
        sources: fingerprint of all its photos, rejected ones included, and of the side of the stored pictures; hex.
        contents: digest of the bytes of these photos; hex. '' if an earlier version made the shard.
    """

    split: str
    shard: Shard
    rejected: list[Outcome]
    statistics: Statistics
    sources: str
    contents: str = ""

    def to_json(self) -> str:
        """Return JSON text; equal reports give equal text."""
        fields: dict[str, Any] = {
            "split": self.split,
            "shard": asdict(self.shard),
            "rejected": [asdict(outcome) for outcome in self.rejected],
            "statistics": self.statistics.to_dict(),
            "sources": self.sources,
            "contents": self.contents,
        }
        return json.dumps(fields, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the report that `to_json` wrote; ValueError, KeyError or TypeError for anything else."""
        fields = json.loads(text)
        return cls(
            split=fields["split"],
            shard=Shard(**fields["shard"]),
            rejected=[Outcome(**outcome) for outcome in fields["rejected"]],
            statistics=Statistics.from_dict(fields["statistics"]),
            sources=fields["sources"],
            contents=fields.get("contents", ""),
        )


def finish(
    grouped: tuple[Slot, Iterable[Source]],
    output: str,
    size: int,
    ticker: Ticker,
    processes: PhotoProcesses,
    measures: Measures,
) -> ShardReport:
    """Make one shard, unless it is there.

    A shard is left alone if its report names exactly these photos and the file has the bytes that the report states, by
    size and checksum. If the photos have other times, as copies have, they are read and their bytes are compared. Other
    settings need no comparison: they are part of the name, or the run's claim compared them.

    Args:
        grouped: the place of the shard, and its photos in any order.
        output: the data folder.
        size: side of the stored pictures in pixels.
        ticker: receives one report for every photo.
        processes: the child processes; their handler is `pipelines.dataset.examples.convert`.
        measures: receives times, sizes and outcomes, also those of a shard that had to be started again.

    Returns:
        the report on the shard.

    Raises:
        storage.io_errors: a file cannot be written.
        WorldError: a photo cannot be read, or this machine has too little memory for it.
        PhotoProcessError: the child processes fail.
    """
    slot, photos = grouped[0], _sorted(grouped[1])
    name = shard_name(slot.split, slot.index, slot.total)
    account = f"{FOLDER}/{name}.json"
    part = _found(storage.join(output, account), output, photos, size, is_whole=_is_whole)
    if part is None:
        progress = _Progress(ticker=ticker)
        make = partial(_make, slot.split, name, photos, output, size, progress, processes, measures)
        path = storage.join(output, name)
        try:
            # For a bucket the request is repeated; on a disk the whole file must be written again.
            part, outcomes = make() if storage.is_remote(path) else local_writes.patiently(path, make)
        finally:
            progress.tell()
        for outcome in outcomes:
            measures.add_outcome(outcome)
        storage.write_in(output, account, part.to_json().encode())
    else:
        ticker.done("skipped", part.shard.count)
        ticker.done("rejected", len(part.rejected))
    return part


def found(grouped: tuple[Slot, Iterable[Source]], output: str, size: int) -> ShardReport | None:
    """Return the report on a shard that another run has finished, whose size alone is compared; None if there is none.

    Args:
        grouped: the place of the shard, and its photos in any order.
        output: the data folder.
        size: side of the stored pictures in pixels.

    Raises:
        WorldError: a file or a photo cannot be read.
    """
    slot, photos = grouped[0], _sorted(grouped[1])
    account = f"{FOLDER}/{shard_name(slot.split, slot.index, slot.total)}.json"
    return _found(storage.join(output, account), output, photos, size, is_whole=_has_its_size)


def _sorted(photos: Iterable[Source]) -> list[Source]:
    return sorted(photos, key=lambda source: (order(source.name), source.place))


def _fingerprint(photos: list[Source], size: int) -> str:
    told = b"".join([size.to_bytes(4), *(claim.fingerprint(photo) for photo in photos)])
    return blake2b(told, digest_size=16).hexdigest()


def _contents(digests: Iterable[str], size: int) -> str:
    """Return the digest of a shard's photos from the digests of their bytes, in order."""
    return blake2b("\0".join((str(size), *digests)).encode(), digest_size=16).hexdigest()


def _digest(photo: Source) -> str:
    """Return what `_contents` takes of a photo: nothing of one that is not read."""
    if photo.duplicate_of:
        return ""
    try:
        return digest_of(photo.read())
    except Rejected:
        return ""


def _found(
    account: str, output: str, photos: list[Source], size: int, *, is_whole: Callable[[str, Shard], bool]
) -> ShardReport | None:
    """Return the report on a finished shard, or None if the shard must be made."""
    try:
        part = ShardReport.from_json((storage.read_if_there(account) or b"").decode())
    except (ValueError, KeyError, TypeError):
        return None
    if not is_whole(storage.join(output, part.shard.name), part.shard):
        return None
    sources = _fingerprint(photos, size)
    if part.sources == sources:
        return part
    # Copied or touched photos have other fingerprints. The next run finds the new ones in the report.
    if not part.contents or part.contents != _contents(map(_digest, photos), size):
        return None
    part = replace(part, sources=sources)
    storage.write(account, part.to_json().encode())
    return part


def _is_whole(path: str, shard: Shard) -> bool:
    """Return whether a file is the shard; reading it takes 0.25 seconds a gigabyte, or what the disk takes."""
    return _has_its_size(path, shard) and contents.checksum(path) == shard.crc32c


def _has_its_size(path: str, shard: Shard) -> bool:
    return storage.size(path) == shard.bytes


@dataclass(kw_only=True)
class _Progress:
    """Reports each photo of a shard to the ticker once, even if the shard is started several times.

    Small photos are reported a few at a time, because a report takes as long as a hundredth of such a photo.
    """

    ticker: Ticker
    photos: int = 0
    last: float = 0.0
    untold: Counter[Status] = field(default_factory=Counter)

    def done(self, index: int, outcome: Outcome) -> None:
        if index == self.photos:
            self.photos += 1
            self.untold[outcome.status] += 1
            if time.monotonic() - self.last >= _TELL_EVERY_S:
                self.tell()

    def tell(self) -> None:
        self.last = time.monotonic()
        for status, photos in self.untold.items():
            self.ticker.done(status, photos)
        self.untold.clear()


def _make(
    split: str,
    name: str,
    photos: list[Source],
    output: str,
    size: int,
    progress: _Progress,
    processes: PhotoProcesses,
    measures: Measures,
) -> tuple[ShardReport, list[Outcome]]:
    """Read, judge, convert and write the photos of one shard, which appears complete or not at all.

    Returns:
        the report, and the outcomes of all photos.
    """
    outcomes: list[Outcome] = []
    digests: list[str] = []
    statistics = Statistics()
    with storage.whole_file(output, name) as file:
        writer = ShardWriter(file)
        for index, (source, result) in enumerate(converted(photos, size, processes, measures)):
            outcomes.append(_add(source, result, writer, statistics, measures))
            digests.append(result.digest)
            progress.done(index, outcomes[-1])
    rejected = [outcome for outcome in outcomes if outcome.status == "rejected"]
    return ShardReport(
        split=split,
        shard=writer.finished(name),
        rejected=rejected,
        statistics=statistics,
        sources=_fingerprint(photos, size),
        contents=_contents(digests, size),
    ), outcomes


def _add(source: Source, result: Converted, writer: ShardWriter, statistics: Statistics, measures: Measures) -> Outcome:
    if result.statistics is None:
        return Outcome(name=source.name, status="rejected", reason=result.reason, detail=result.detail, uri=source.uri)
    with measures.stage("write"):
        writer.write(result.record)
    measures.add("record_bytes", len(result.record))
    statistics += result.statistics
    return Outcome(name=source.name, status="written", uri=source.uri)
