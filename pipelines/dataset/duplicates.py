"""Find duplicate photos: the same bytes under two names would count twice in training, or leak into validation.

Equal photos have equal sizes, so only photos whose size occurs more than once are opened. Of these the last bytes are
read, because different compressed pictures end differently. Of those that end alike, as uncompressed scans may, bytes
at eight places are read. A digest of the whole content decides the rest, which are nearly all duplicates.

Photos that are still alike are spread over all workers before each step, so no worker reads all photos of one size, and
no group is in memory before its photos are known to be equal.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipelines.errors import Rejected
from pipelines.files.sources import Source

_BYTES = 4096
_PLACES = 8
_ALONE, _ALIKE = "alone", "alike"


def end(photo: Source) -> bytes:
    """Return a digest of the last bytes of a photo."""
    return _digest(photo, [(max(0, photo.size - _BYTES), photo.size)])


def places(photo: Source) -> bytes:
    """Return a digest of bytes at eight places of a photo; of all its bytes if it is small."""
    if photo.size <= _PLACES * _BYTES:
        return whole(photo)
    starts = ((photo.size - _BYTES) * place // _PLACES for place in range(_PLACES))
    return _digest(photo, [(start, start + _BYTES) for start in starts])


def whole(photo: Source) -> bytes:
    """Return a digest of all bytes of a photo."""
    return _digest(photo, [(0, photo.size)])


STEPS = {"end": end, "places": places, "whole": whole}
"""Digests that tell photos of one size apart, the cheapest first. The last one is that of all bytes."""


def marked(equal: Iterable[Source]) -> Iterator[Source]:
    """Yield photos with equal content, each once; all but the first by name have ``duplicate_of`` set."""
    first, *others = sorted(equal, key=lambda photo: photo.place)
    yield first
    yield from (replace(photo, duplicate_of=first.name) for photo in others)


def _digest(photo: Source, ranges: list[tuple[int, int]]) -> bytes:
    """Return a digest of parts of a photo and its size; if it cannot be read, a value unique to the photo.

    The reason why it cannot be read is reported when it is read again.
    """
    digest = hashlib.blake2b(photo.size.to_bytes(8), digest_size=16)
    try:
        for start, stop in ranges:
            # With an offset, a range is read, also from the start.
            part = replace(photo, size=stop, offset=photo.offset or 0) if (start, stop) != (0, photo.size) else photo
            digest.update(part.read(start))
    except Rejected:
        return repr(photo.place).encode("utf-8", "surrogatepass")
    return digest.digest()


class MarkDuplicates(beam.PTransform):
    """Set ``duplicate_of``: PCollection of Source → PCollection of Source. Only names cross the shuffles."""

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Source]:
        """Group by size, then by more and more of the content."""
        done, alike = _split(photos | "Size" >> beam.WithKeys(lambda photo: photo.size), "size")
        told_apart = [done]
        *cheap, last = STEPS
        for step in cheap:
            keyed = alike | f"Spread for {step}" >> beam.Reshuffle() | f"Key {step}" >> beam.WithKeys(STEPS[step])
            done, alike = _split(keyed, step)
            told_apart.append(done)
        spread = alike | f"Spread for {last}" >> beam.Reshuffle() | f"Key {last}" >> beam.WithKeys(STEPS[last])
        equal = spread | "Same bytes" >> beam.GroupByKey() | "Mark" >> beam.FlatMapTuple(lambda _, some: marked(some))
        return (*told_apart, equal) | "All photos" >> beam.Flatten()


def _split(keyed: beam.PCollection[tuple[object, Source]], step: str) -> tuple[beam.PCollection[Source], ...]:
    """Return the photos that share their key with no other photo, and the photos that do."""
    grouped = keyed | f"Same {step}" >> beam.GroupByKey()
    split = grouped | f"Alone by {step}" >> beam.FlatMapTuple(_sorted).with_outputs(_ALONE, _ALIKE)
    return split[_ALONE], split[_ALIKE]


def _sorted(_: object, same_key: Iterable[Source]) -> Iterator[Any]:  # Beam warns of a bare TaggedOutput
    photos = iter(same_key)
    first, second = next(photos), next(photos, None)
    # Empty files are no photos, and equal no other.
    tag = _ALONE if second is None or first.size == 0 else _ALIKE
    yield TaggedOutput(tag, first)
    if second is not None:
        yield TaggedOutput(tag, second)
    yield from (TaggedOutput(tag, photo) for photo in photos)
