"""Choose the place of each photo in the records from its name alone, so that runs repeat and files may be added.

Every decision is a hash of the name (BLAKE2b), never of its position in a listing.
"""

import math
from dataclasses import dataclass

from pipelines.files.hashes import stable_hash

PARTITIONS_FILE = "parts/partitions.json"
"""In a folder of records whose shards several machines make, until the set is complete."""

_PHOTOS_PER_SHARD = 1024  # about 85 MB at 256 x 256: few enough files, and large enough to read at full speed
# Local runs deal shards out to their workers in turn, so sets of a few thousand photos have smaller shards: 64 keep 16
# workers busy to the end.
_LEAST_PHOTOS_PER_SHARD = 64
_SHARDS_OF_SMALL_SETS = 64
_LEAST_SHARDS = 8


@dataclass(frozen=True, order=True, kw_only=True)
class Slot:
    """The place of a shard: its split, and its index among the split's ``total`` shards."""

    split: str
    index: int
    total: int


Key = tuple[str, int, int]
"""A Slot as a tuple, because Beam warns about keys of other classes."""


def _hash(purpose: str, name: str) -> int:
    return int.from_bytes(stable_hash(name, purpose))


def shard_count(photos: int) -> int:
    """Return the default number of training shards for a set of ``photos`` photos."""
    few = min(_SHARDS_OF_SMALL_SETS, photos // _LEAST_PHOTOS_PER_SHARD)
    return max(_LEAST_SHARDS, few, math.ceil(photos / _PHOTOS_PER_SHARD))


def is_held_out(name: str, validation_percent: float) -> bool:
    """Return whether a photo belongs to the validation split; this depends only on its name and the percentage."""
    return _hash("split", name) < validation_percent / 100 * 2**64


def slot(name: str, num_shards: int, validation_percent: float) -> Slot:
    """Return the shard that a photo belongs to.

    Args:
        name: relative to the input.
        num_shards: of the training split; the validation split has a proportional number, at least one.
        validation_percent: in [0, 100).
    """
    if is_held_out(name, validation_percent):
        total = max(1, round(num_shards * validation_percent / 100))
        return Slot(split="validation", index=_hash("shard", name) % total, total=total)
    return Slot(split="train", index=_hash("shard", name) % num_shards, total=num_shards)


def order(name: str) -> tuple[int, str]:
    """Return the sort key of a photo within its shard: classes are mixed, and every run has the same order."""
    return _hash("order", name), name
