"""Find duplicate photos: the same bytes under two names would count twice in training, or leak into validation.

Equal photos have equal sizes, so only photos whose size occurs more than once are opened. Of these only the last bytes
are read, because different compressed pictures end differently. A digest of the whole content decides the rest.
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
    """Mark all but the first, by name, of the photos with equal content.

    Args:
        same_size: photos of the same size in bytes.

    Yields:
        every photo once, with ``duplicate_of`` set if an earlier name has the same content. A photo that cannot be
        read equals no other; the reason is reported when it is read again.
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
    """Return a digest of the photo's bytes from ``start`` on; if it cannot be read, a value unique to the photo."""
    try:
        return hashlib.blake2b(photo.read(start), digest_size=16).digest()
    except Rejected:
        return repr(photo.place).encode()


class MarkDuplicates(beam.PTransform):
    """Set ``duplicate_of``: PCollection of Source → PCollection of Source. Only names cross the shuffle."""

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Source]:
        """Group by size, then compare contents."""
        return (
            photos
            | "Size" >> beam.WithKeys(lambda photo: photo.size)
            | "Same size" >> beam.GroupByKey()
            | "Compare" >> beam.FlatMapTuple(lambda _, same_size: mark(same_size))
        )
