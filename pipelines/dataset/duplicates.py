"""Photos that are there twice: the same bytes under two names would teach twice, or leak into validation.

Equal photos have equal sizes, so only photos whose size occurs more than once are opened, and then only their last
bytes (compressed pictures that differ end differently); a digest of the whole content settles what is left.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import apache_beam as beam

from pipelines.errors import Rejected
from pipelines.files.sources import Source

_TAIL = 4096


def mark(same_size: Iterable[Source]) -> Iterator[Source]:
    """Marks, among photos of one size, all but the first by name of those with equal content.

    Args:
        same_size: photos that have as many bytes as each other.

    Yields:
        every photo once, ``duplicate_of`` set on those whose content an earlier name has. A photo that cannot be read
        equals no other: reading it again will say why.
    """
    photos = sorted(same_size, key=lambda photo: photo.place)
    if len(photos) == 1 or photos[0].size == 0:
        yield from photos
        return
    tails = [_digest(photo, photo.size - min(photo.size, _TAIL)) for photo in photos]
    alike = Counter(tails)
    first: dict[bytes, Source] = {}
    for photo, tail in zip(photos, tails, strict=True):
        original = photo if alike[tail] == 1 else first.setdefault(_digest(photo), photo)
        yield photo if original is photo else replace(photo, duplicate_of=original.name)


def _digest(photo: Source, start: int = 0) -> bytes:
    """Digest of a photo's bytes from ``start`` on; of its place if it cannot be read."""
    try:
        return hashlib.blake2b(photo.read(start), digest_size=16).digest()
    except Rejected:
        return repr(photo.place).encode()


class MarkDuplicates(beam.PTransform):
    """Sets ``duplicate_of``: PCollection of Source → PCollection of Source. Only names cross the shuffle."""

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Source]:
        """Groups by size, then compares."""
        return (
            photos
            | "Size" >> beam.WithKeys(lambda photo: photo.size)
            | "Same size" >> beam.GroupByKey()
            | "Compare" >> beam.FlatMapTuple(lambda _, same_size: mark(same_size))
        )
