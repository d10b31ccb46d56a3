"""Partitions: several machines make the shards of one set, each its own, without a runner that joins them.

    RECORDS/parts/partitions.json    their number, while the set is not complete

Each partition lists all photos and finds all duplicates, so each knows all shards and the photos in them. When its own
shards are complete, it looks for the others'. If all are there, it describes the set; else the partition that ends last
does. Shards and reports are written whole, so when several partitions end together, at least the one whose report comes
last finds all of them. If two do, they write the same bytes.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, TaggedOutput

from pipelines import notices
from pipelines.dataset import claim, shard_writer
from pipelines.dataset.claim import Claim, Listing
from pipelines.dataset.shard_writer import ShardReport
from pipelines.dataset.sharding import PARTITIONS_FILE, Key, Slot
from pipelines.files import storage
from pipelines.files.sources import Source
from pipelines.runtime import outcomes
from pipelines.runtime.partition import WHOLE, Partition
from tfrecords.errors import UserError
from tfrecords.shards import is_shard
from tfrecords.words import first

ADVICE = "give all partitions the same photos, flags and number of parts, or choose another --output"
_NAMED = 5
_REPORT, _MISSING = "report", "missing"

Photos = tuple[Key, Iterable[Source]]
"""The place of a shard, and its photos."""


def check(partition: Partition, output: str, *, overwrite: bool) -> None:
    """Check that a partition does not delete what the others made.

    Raises:
        UserError: it would.
    """
    if overwrite and partition != WHOLE:
        raise UserError(
            f"--overwrite would delete the records of the other partitions; leave it out, and choose another --output "
            f"or delete {output} first"
        )


def stake(output: str, partition: Partition, listing: Listing) -> None:
    """Write the number of partitions, or compare it with that of the partitions before.

    Raises:
        UserError: it is another one.
    """
    claim.stake(
        storage.join(output, PARTITIONS_FILE), Claim({"number of parts": partition.total}, listing), advice=ADVICE
    )


def has(partition: Partition, place: Key) -> bool:
    """Return whether a shard is one of a partition's."""
    _, index, _ = place
    return partition.has(index)


def with_others(
    grouped: beam.PCollection[Photos],
    mine: beam.PCollection[ShardReport],
    output: str,
    size: int,
    partition: Partition,
) -> tuple[beam.PCollection[ShardReport], AsSingleton]:
    """Look for the shards of the other partitions when those of this one are complete.

    Args:
        grouped: the photos of all shards.
        mine: reports on the shards of this partition.
        output: the data folder.
        size: side of the stored pictures in pixels.
        partition: this one.

    Returns:
        reports on all shards, none if any is missing; and a list of the partitions (`Partition.index`) that miss some.
    """
    others = grouped | "Of other partitions" >> beam.Filter(lambda photos: not has(partition, photos[0]))
    complete = AsSingleton(mine | "Mine" >> beam.combiners.Count.Globally())
    found = others | "Look for them" >> beam.FlatMap(_found, output, size, partition, complete).with_outputs(
        _REPORT, _MISSING
    )
    missing = AsSingleton(found[_MISSING] | "Each partition" >> beam.Distinct() | beam.combiners.ToList())
    reports = (mine, found[_REPORT]) | "All shards" >> beam.Flatten()
    return reports | "If all are there" >> beam.Filter(lambda _, missing: not missing, missing), missing


def _found(photos: Photos, output: str, size: int, partition: Partition, _: int) -> Iterator[Any]:
    (split, index, total), sources = photos
    report = shard_writer.found((Slot(split=split, index=index, total=total), sources), output, size)
    yield TaggedOutput(_MISSING, index % partition.total + 1) if report is None else TaggedOutput(_REPORT, report)


def tell(output: str, partition: Partition, missing: Iterable[int]) -> None:
    """Say that other partitions are not complete yet."""
    named = _listed([Partition(index, partition.total) for index in sorted(missing)])
    notices.tell(
        output,
        f"partition {partition} is complete; not complete yet: {named}. The partition that "
        f"ends last writes dataset.json",
        logging.INFO,
    )


def is_waiting(output: str) -> bool:
    """Return whether some partitions of a set are complete and others are not."""
    return storage.size(storage.join(output, PARTITIONS_FILE)) >= 0


def check_complete(output: str) -> None:
    """Check that no partition of a set is missing.

    Raises:
        UserError: some are; it says which have made shards and which have not, and what to do.
    """
    total = _total(output)
    if not total:
        return
    names = (name.removesuffix(".json") for name in storage.names(storage.join(output, shard_writer.FOLDER)))
    begun = {int(name.split("-")[1]) % total + 1 for name in names if is_shard(name)}
    have, lack = (
        _listed([Partition(index, total) for index in range(1, total + 1) if (index in begun) is is_begun])
        for is_begun in (True, False)
    )
    raise UserError(
        f"{output} is not complete: partitions with finished shards: {have}; without any: {lack}; run the same "
        "`autochrome prepare` without --partition, which makes what is missing, or with each of them again"
    )


def _listed(some: Sequence[Partition]) -> str:
    return first([str(one) for one in some], _NAMED) or "none"


def _total(output: str) -> int:
    """Return the number of partitions of a set that is not complete; 0 if it has none, or the number is damaged."""
    try:
        claimed = Claim.from_json((storage.read_if_there(storage.join(output, PARTITIONS_FILE)) or b"").decode())
        return int(claimed.settings["number of parts"])
    except (ValueError, KeyError, TypeError):
        return 0


def counts(output: str, partition: Partition) -> dict[str, int]:
    """Return the number of photos by outcome in the shards of a partition, whose reports are read."""
    folder = storage.join(output, shard_writer.FOLDER)
    total = dict.fromkeys(("written",), 0)
    for name in storage.names(folder):
        shard = name.removesuffix(".json")
        if is_shard(shard) and partition.has(int(shard.split("-")[1])):
            report = ShardReport.from_json(storage.read(storage.join(folder, name)).decode())
            total["written"] += report.shard.count
            for reason, number in outcomes.tally(report.rejected).items():
                total[reason] = total.get(reason, 0) + number
    return dict(sorted(total.items()))
