"""Divide the records of a manifest into shards that hold ranges of names, so that they can be read one after the other.

The bounds of the ranges are names, chosen evenly from a sample of one in 256 names. A hash of the name decides whether
it is in the sample, so the bounds depend on the names alone. In a simulation of 100 million names, the shards of 10,000
records on average had 5,000 to 16,500.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.archive import manifest
from pipelines.files.hashes import stable_hash
from pipelines.runtime import outcomes

_SAMPLED = 256


@dataclass(frozen=True)
class Layout:
    """The shards of a manifest.

    Attributes:
        bounds: the first name of each shard except the first one, in order.
        splits_rejected: whether the list of rejected photos is in shards as well.
    """

    bounds: tuple[str, ...] = ()
    splits_rejected: bool = False

    @classmethod
    def of(cls, records: int, sample: Iterable[str], rejected: int = 0) -> "Layout":
        """Return the layout of a manifest.

        Args:
            records: their number.
            sample: the names for which `is_sampled` is true.
            rejected: number of rejected photos.
        """
        names = sorted(sample)
        shards = manifest.shard_count(records)
        places = {index * len(names) // shards for index in range(1, shards)} - {0, len(names)}
        bounds = sorted({names[place] for place in places} - set(names[:1]))
        return cls(tuple(bounds), splits_rejected=rejected > outcomes.REJECTED_IN_ONE_FILE)

    @property
    def shards(self) -> int:
        """Their number."""
        return len(self.bounds) + 1

    def shard_of(self, name: str) -> int:
        """Return the shard of the record of a photo."""
        return bisect_right(self.bounds, name)


def is_sampled(name: str) -> bool:
    """Return whether a name is in the sample from which bounds are chosen."""
    return int.from_bytes(stable_hash(name, "bounds")) % _SAMPLED == 0
