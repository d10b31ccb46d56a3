"""What the records of a colorized folder come to: one pass, in memory that does not grow with their number."""

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pipelines.archive.manifest import Record
from pipelines.archive.render import COLOR

EXTREMES = 5
BIN_WIDTH, BINS = 5, 20  # of the histogram of colourfulness; the last bin takes what lies above


class Rank(NamedTuple):
    """A photo by how colourful it is."""

    colourfulness: float
    name: str


class Summary:
    """Counts and sums.

    Attributes:
        outcomes: inputs by status, or by the reason of a rejection; they add up to ``inputs``.
        inputs: records seen.
        rejected: of them.
        in_colour: inputs that were in colour already.
        warned: inputs with warnings.
        pages: pictures made or left, several of a file with pages.
        pixels: of these.
        bytes_in: of the sources that could be read.
        bytes_out: of the files.
        tones: pages by what their sources' colour was.
        milliseconds: by stage, of all photos together.
        timed: photos whose times are known.
        histogram: photos by colourfulness, in bins of BIN_WIDTH.
        examples: the first names with a warning, each with it.
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
        """Sums up records, to be given in order of name: of equal photos the first are named."""
        summary = cls()
        for record in records:
            summary.add(record)
        return summary

    def add(self, record: Record) -> None:
        """Takes one more record in."""
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
    """Keeps the highest entries in a heap."""
    if len(heap) < EXTREMES:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def was_in_colour(record: Record) -> bool:
    """Whether a photo, or a page of it, was in colour before."""
    return record.status in ("copied", "skipped") or any(output.tone == COLOR for output in record.outputs)


def colourfulness_of(record: Record) -> float | None:
    """How colourful a photo came out, of several pages the most colourful; None where it was not measured."""
    return max((o.colourfulness for o in record.outputs if o.colourfulness is not None), default=None)
