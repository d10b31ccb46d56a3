"""Read shards in order of name, and keep only those open whose names the reader has reached.

Shards that hold ranges of names are open one at a time. Those of earlier versions, which hold a hash of the names, are
all open at once.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipelines.archive.manifest import Record

Place = tuple[str, str, int]


@dataclass(frozen=True)
class Shard:
    """A shard that is not open yet.

    Attributes:
        first: the name of its first record; '' if it is unknown.
        opened: returns its records, given the number of shards that are open.
    """

    first: str
    opened: Callable[[int], Iterator[Record]]


def place_of(record: Record) -> Place:
    """Return the key by which records are sorted: by name."""
    return record.name, record.uri, record.offset or 0


def merged(shards: Iterable[Shard]) -> Iterator[Record]:
    """Yield the records of all shards, sorted; the records of each shard must be sorted."""
    ordered = sorted(shards, key=lambda shard: shard.first, reverse=True)
    open_: list[tuple[Place, int, Record, Iterator[Record]]] = []
    number = 0
    while ordered or open_:
        while ordered and (not open_ or ordered[-1].first <= open_[0][0][0]):
            number += 1
            records = ordered.pop().opened(len(open_))
            if (record := next(records, None)) is not None:
                heapq.heappush(open_, (place_of(record), number, record, records))
        if open_:
            _, own, record, records = open_[0]
            yield record
            following = next(records, None)
            if following is None:
                heapq.heappop(open_)
            else:
                heapq.heapreplace(open_, (place_of(following), own, following, records))
