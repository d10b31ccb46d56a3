"""What the page filters photos by, in files of 10,000 photos that are loaded when they are shown.

    OUTPUT/report/data/columns/00001.js     outcome and marks of each photo of 10,000
    OUTPUT/report/data/ranked/00001.js      the 10,000 most colourful photos, by their place in the order of names
    OUTPUT/report/data/ranked/00002.js      the 10,000 least colourful ones

The index has the number of photos of each outcome and mark by file. The page finds the first photos of a filter by
these numbers, and loads only the files that hold them.
"""

import heapq
from dataclasses import dataclass, field
from typing import Any

from pipelines.archive.manifest import Record
from pipelines.viewer.summary import colourfulness_of, was_in_colour

PHOTOS_PER_FILE = 10_000
RANKED = 10_000
# The column of marks has one character per photo: the sum of these, as page.js reads it.
IN_COLOUR, WARNED = 1, 2


@dataclass(kw_only=True)
class Columns:
    """The columns of the photos so far; memory grows by a few numbers per 10,000 photos.

    Attributes:
        keys: the outcomes; a column has their indexes.
        photos: their number.
    """

    keys: list[str]
    photos: int = 0
    _outcomes: list[int] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    _counts: list[tuple[list[int], int, int]] = field(default_factory=list)
    _most: list[tuple[int, int]] = field(default_factory=list)
    _least: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._code = {key: index for index, key in enumerate(self.keys)}

    def add(self, record: Record) -> None:
        """Add the next photo."""
        self._outcomes.append(self._code[record.key])
        self._marks.append(IN_COLOUR * was_in_colour(record) + WARNED * bool(record.warnings))
        if (measured := colourfulness_of(record)) is not None:
            value = round(10 * measured)
            _keep(self._most, (value, -self.photos))
            _keep(self._least, (-value, -self.photos))
        self.photos += 1

    @property
    def is_full(self) -> bool:
        """Whether the file of the last photos has as many as it may."""
        return len(self._outcomes) >= PHOTOS_PER_FILE

    def taken(self) -> tuple[int, dict[str, Any]]:
        """Return number and contents of the next file, and begin another one."""
        columns = {"outcomes": self._outcomes, "marks": "".join(map(str, self._marks))}
        by_outcome = [self._outcomes.count(code) for code in range(len(self.keys))]
        in_colour, warned = (sum(bool(marks & mark) for marks in self._marks) for mark in (IN_COLOUR, WARNED))
        self._counts.append((by_outcome, in_colour, warned))
        self._outcomes, self._marks = [], []
        return len(self._counts), columns

    def counts(self) -> dict[str, Any]:
        """Return the number of photos in each file: by outcome, already in colour, and with warnings."""
        return {
            "outcomes": [[counts[code] for counts, _, _ in self._counts] for code in range(len(self.keys))],
            "inColour": [number for _, number, _ in self._counts],
            "warned": [number for _, _, number in self._counts],
        }

    def ranked(self) -> tuple[list[int], list[int]]:
        """Return the places of the most and of the least colourful photos; of equal ones the first by name is first."""
        most, least = ([-place for _, place in sorted(heap, reverse=True)] for heap in (self._most, self._least))
        return most, least


def _keep(heap: list[tuple[int, int]], entry: tuple[int, int]) -> None:
    """Add an entry to a heap that keeps the highest ones."""
    if len(heap) < RANKED:
        heapq.heappush(heap, entry)
    elif entry > heap[0]:
        heapq.heapreplace(heap, entry)
