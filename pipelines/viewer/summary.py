"""Summarise the records of a colorized folder in one pass, in memory that does not grow with their number."""

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pipelines.archive.manifest import Record
from pipelines.archive.tone import COLOR

EXTREMES = 5
BIN_WIDTH, BINS = 5, 20  # of the histogram of colourfulness; the last bin also has all higher values


class Rank(NamedTuple):
    """A photo and its colourfulness."""

    colourfulness: float
    name: str


class Summary:
    """Counts and sums.

    Attributes:
        outcomes: inputs by status, or by the reason of a rejection; they add up to ``inputs``.
        inputs: number of records.
        rejected: number of rejected inputs.
        in_colour: inputs that were already in colour.
        warned: inputs with warnings.
        pages: pictures, written or left as they were; a file may have several pages.
        pixels: of all pages.
        bytes_in: of the sources that could be read.
        bytes_out: of the written files.
        tones: pages by the tone of their source.
        milliseconds: by stage, summed over all photos.
        timed: photos with known times.
        histogram: photos by colourfulness, in bins of BIN_WIDTH.
        examples: the first names with a warning, each with its first warning.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.inputs = self.rejected = self.in_colour = self.warned = 0
        self.pages = self.pixels = self.bytes_in = self.bytes_out = self.timed = 0
        self.tones: Counter[str] = Counter()
        self.milliseconds: Counter[str] = Counter()
        self.histogram = [0] * BINS
        self.examples: list[tuple[str, str]] = []
        self._most: list[tuple[float, int, str]] = []
        self._least: list[tuple[float, int, str]] = []

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Summary":
        """Summarise records; they must be sorted by name, so that the first of equally colourful photos are named."""
        summary = cls()
        for record in records:
            summary.add(record)
        return summary

    def add(self, record: Record) -> None:
        """Add one record."""
        self.outcomes[record.key] += 1
        self.inputs += 1
        self.rejected += record.status == "rejected"
        self.in_colour += was_in_colour(record)
        self.bytes_in += record.bytes
        self.bytes_out += record.bytes_out
        self.pages += len(record.outputs)
        self.pixels += sum(output.width * output.height for output in record.outputs)
        self.tones.update(output.tone for output in record.outputs if output.tone)
        self.timed += bool(record.milliseconds)
        self.milliseconds.update(record.milliseconds)
        if record.warnings:
            self.warned += 1
            if len(self.examples) < EXTREMES:
                self.examples.append((record.name, record.warnings[0]))
        if (value := colourfulness_of(record)) is not None:
            self.histogram[min(BINS - 1, int(value / BIN_WIDTH))] += 1
            _keep(self._most, (value, -self.inputs, record.name))
            _keep(self._least, (-value, -self.inputs, record.name))

    @property
    def most(self) -> list[Rank]:
        """The most colourful photos, most first."""
        return [Rank(value, name) for value, _, name in sorted(self._most, reverse=True)]

    @property
    def least(self) -> list[Rank]:
        """The least colourful photos, least first."""
        return [Rank(-value, name) for value, _, name in sorted(self._least, reverse=True)]


def _keep(heap: list[tuple[float, int, str]], entry: tuple[float, int, str]) -> None:
    """Add an entry to a heap that keeps the highest ones."""
    if len(heap) < EXTREMES:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def was_in_colour(record: Record) -> bool:
    """Return whether a photo, or one of its pages, was in colour before."""
    return record.status in ("copied", "skipped") or any(output.tone == COLOR for output in record.outputs)


def colourfulness_of(record: Record) -> float | None:
    """Return how colourful a photo is now; the maximum over its pages, or None if it was not measured."""
    return max((o.colourfulness for o in record.outputs if o.colourfulness is not None), default=None)
