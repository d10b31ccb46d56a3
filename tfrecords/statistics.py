"""Statistics of a data set, collected while it is written: colours, luminances, synsets, sizes.

Class rebalancing needs the histogram of chroma (Zhang et al. 2016, section 2.2): how often each square of the ab plane
occurs over all pixels. Every second pixel of every second row is counted, which is enough: chroma of photos
varies more slowly than that.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tfrecords.example import LabExample

CHROMA_STEP = 10
"""Width of a square of the ab plane; the squares are centred on multiples of it."""
CHROMA_CENTRES = tuple(range(-110, 111, CHROMA_STEP))
LUMINANCE_BINS = 100
"""Bins of L*, each one unit wide."""

_SIDE = len(CHROMA_CENTRES)
_CHROMA_BIN = np.clip(
    (np.arange(256) - 128 - CHROMA_CENTRES[0] + CHROMA_STEP // 2) // CHROMA_STEP, 0, _SIDE - 1
).astype(np.uint8)
_LUMINANCE_BIN = np.minimum(np.arange(256) / 2.55, LUMINANCE_BINS - 1).astype(np.uint8)

Counts = npt.NDArray[np.int64]


@dataclass(kw_only=True)
class Statistics:
    """Sums over examples; ``+`` adds those of two shards.

    Attributes:
        examples: their number.
        record_bytes: sum over all records, without framing.
        largest_record: in bytes.
        largest_photo: height times width before resizing, in pixels.
        synsets: number of examples by WordNet id; '' where no folder names one.
        luminance: pixels by L*, int64 ``[100]``; bin k holds [k, k + 1).
        chroma: pixels by a and b, int64 ``[23, 23]``; the bin ``[i, j]`` is centred on a = 10 i - 110, b = 10 j - 110.
    """

    examples: int = 0
    record_bytes: int = 0
    largest_record: int = 0
    largest_photo: int = 0
    synsets: Counter[str] = field(default_factory=Counter)
    luminance: Counts = field(default_factory=lambda: np.zeros(LUMINANCE_BINS, np.int64))
    chroma: Counts = field(default_factory=lambda: np.zeros((_SIDE, _SIDE), np.int64))

    def add(self, example: LabExample, record_bytes: int) -> None:
        """Count one example and the bytes of its record."""
        self.examples += 1
        self.record_bytes += record_bytes
        self.largest_record = max(self.largest_record, record_bytes)
        self.largest_photo = max(self.largest_photo, example.height * example.width)
        self.synsets[example.synset] += 1
        from tfrecords import kernels  # takes a quarter of a second to import

        planes = np.ascontiguousarray(example.luminance), np.ascontiguousarray(example.chroma.transpose(2, 0, 1))
        bins = _LUMINANCE_BIN, _CHROMA_BIN, np.zeros((2, 256), np.int64)
        kernels.count(*planes, *bins, self.luminance, self.chroma)

    def __iadd__(self, other: Self) -> Self:
        """Add those of other examples."""
        self.examples += other.examples
        self.record_bytes += other.record_bytes
        self.largest_record = max(self.largest_record, other.largest_record)
        self.largest_photo = max(self.largest_photo, other.largest_photo)
        self.synsets.update(other.synsets)
        self.luminance += other.luminance
        self.chroma += other.chroma
        return self

    def __add__(self, other: Self) -> Self:
        result = type(self)()
        result += self
        result += other
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers for JSON."""
        return {
            "examples": self.examples,
            "record_bytes": self.record_bytes,
            "largest_record": self.largest_record,
            "largest_photo": self.largest_photo,
            "synsets": dict(sorted(self.synsets.items())),
            "luminance": self.luminance.tolist(),
            "chroma": self.chroma.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the statistics that ``to_dict`` wrote."""
        fields = dict(values)
        return cls(
            synsets=Counter(fields.pop("synsets")),
            luminance=np.array(fields.pop("luminance"), np.int64),
            chroma=np.array(fields.pop("chroma"), np.int64),
            **fields,
        )
