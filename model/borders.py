"""Find the picture inside its border: a print's margin, a mount, the edge of a film, the bed of a scanner.

A border is a flat margin that ends at a straight line, on two opposite sides or on three at least. On a small luminance
each side is searched on its own: every row votes for the places where it leaves the tone that the margin has there, and
the line (turned by at most 2 degrees) with the most votes is measured. How flat is the margin just before the line, and
as a whole (captions are allowed)? Along how much of it does the tone change? What is found is searched again, because a
print may lie in a mount, and the mount on a scanner.

Skies, backdrops, snow and night have flat parts as well, but these do not end at straight lines on opposite sides. Two
sides alone are trusted only where they are as flat, sharp and parallel as no scene is.

Measured by ``tests/bench/borders_bench.py``: of 440 generated mounts around 11 photos, in ten tones, with margins of
1.5 to 20 % and tilts up to 1.8 degrees, 92 % are found, and 89 % to within 3 % of the area. Most of the others have
the tone of the picture's own edge. Of 14,966 colour photos 270 seem to have a border, and nearly all of them do: only
14 (0.1 % of all) have margins with colour, most of these coloured frames. The few false finds are things on an even
ground. The search takes 1 ms, and 3 to 8 ms together with the reduction of a photo of 12 megapixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Floats, Pixels, luminance
from tfrecords.squeezing import averaged

SIDE = 320
"""Longer side of the luminance that is searched."""
DEEPEST = 0.35
"""Where a margin ends at the latest, as a part of the side."""
SMALLEST = 0.4
"""The least side of a picture, as a part of that of the photo."""
LAYERS = 3
"""Borders around borders."""
TILT = 0.036
"""The steepest slope of an edge, 2 degrees."""
_SLOPES = np.linspace(-TILT, TILT, 13)
_LIKE, _AWAY = 4.0, 8.0  # L* within which a pixel has the tone of its margin, and from which it is something else
_ONE_TONE = 12.0
_NOISIEST = 2.5
_LEAST_VOTES = 0.3


@dataclass(frozen=True)
class Line:
    """One edge of a picture: ``start + slope · along``, in parts of the photo's sides.

    For the left and right edges this is x at the height ``along``; for the upper and lower edges, y at the width.
    """

    start: float
    slope: float = 0.0

    def at(self, along: float) -> float:
        """Return where the line is; 0 to 1 is inside of the photo."""
        return self.start + self.slope * along

    @property
    def ends(self) -> tuple[float, float]:
        """Where the line meets the sides of the photo."""
        return self.start, self.start + self.slope


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The edges of a picture within a photo; without a border on a side, the edge is the photo's."""

    left: Line = Line(0.0)
    top: Line = Line(0.0)
    right: Line = Line(1.0)
    bottom: Line = Line(1.0)

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return the smallest box around the picture in a photo of a size: left, top, right and bottom, in pixels."""
        left, right = min(self.left.ends), max(self.right.ends)
        top, bottom = min(self.top.ends), max(self.bottom.ends)
        return (
            max(0, int(np.floor(left * width))),
            max(0, int(np.floor(top * height))),
            min(width, int(np.ceil(right * width))),
            min(height, int(np.ceil(bottom * height))),
        )


@dataclass(frozen=True, kw_only=True)
class _Edge:
    """The edge of a margin at the left of a view, in pixels.

    Attributes:
        start: x of the edge at the upper side of the view.
        slope: x gained with each row.
        middle: x in the middle.
        flat: part of the pixels just outside the edge that have the tone of the margin.
        margin: the same of all pixels of the margin.
        seen: part of the edge along which the tone changes.
        tone: L* of the margin.
        noise: median deviation of the margin from its tone.
    """

    start: float
    slope: float
    middle: float
    flat: float
    margin: float
    seen: float
    tone: float
    noise: float

    @property
    def is_sure(self) -> bool:
        return self.flat >= 0.9 and self.margin >= 0.75 and self.seen >= 0.6

    @property
    def is_likely(self) -> bool:
        """Whether it may be the third or fourth edge: a white sky hides a white margin."""
        return self.is_sure or (self.flat >= 0.93 and self.margin >= 0.85 and self.seen >= 0.3)

    def is_opposite(self, other: Self) -> bool:
        """Return whether the two alone are a border: no scene is as flat, sharp and parallel."""
        return all(
            one.flat >= 0.97 and one.margin >= 0.9 and one.seen >= 0.75 and one.noise <= 0.7 for one in (self, other)
        ) and (abs(self.slope + other.slope) <= 0.008 and abs(self.tone - other.tone) <= 5)


def find(pixels: Pixels) -> Picture | None:
    """Find the picture within a photo.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB, upright.

    Returns:
        its edges; None if the photo has no border.
    """
    return find_in(small_luminance(pixels))


def small_luminance(pixels: Pixels) -> Floats:
    """Return L* of a photo, float32 ``[h, w]`` with the longer side at most `SIDE`."""
    height, width = pixels.shape[:2]
    # Every nth pixel is enough to average from, and saves most of the time in large scans.
    step = max(1, max(height, width) // (4 * SIDE))
    scale = SIDE / max(height, width)
    if scale >= 1:
        return luminance(pixels.copy())
    return luminance(averaged(pixels, max(1, round(width * scale)), max(1, round(height * scale)), step))


def find_in(light: Floats) -> Picture | None:
    """Find the picture within a luminance.

    Args:
        light: L*, float32 ``[h, w]``.
    """
    height, width = light.shape
    picture = Picture()
    x0, y0, x1, y1 = 0, 0, width, height
    for _ in range(LAYERS):
        edges = _border(light[y0:y1, x0:x1])
        if edges is None:
            break
        left, right, top, bottom = edges
        # Lines of this part, counted from its own sides, as lines of the photo.
        found = Picture(
            left=picture.left if left is None else _line(x0 + left.start, left.slope, y0, width, height),
            top=picture.top if top is None else _line(y0 + top.start, top.slope, x0, height, width),
            right=picture.right if right is None else _line(x1 - right.start, -right.slope, y0, width, height),
            bottom=picture.bottom if bottom is None else _line(y1 - bottom.start, -bottom.slope, x0, height, width),
        )
        x0 = x0 if left is None else int(np.ceil(max(found.left.ends) * width)) + 1
        y0 = y0 if top is None else int(np.ceil(max(found.top.ends) * height)) + 1
        x1 = x1 if right is None else int(min(found.right.ends) * width) - 1
        y1 = y1 if bottom is None else int(min(found.bottom.ends) * height) - 1
        if x1 - x0 < SMALLEST * width or y1 - y0 < SMALLEST * height:
            break
        picture = found
    return None if picture == Picture() else picture


def _line(place: float, slope: float, first: int, across: int, along: int) -> Line:
    """Return a line in parts of a photo's sides.

    Args:
        place: of the line in the row ``first``, in pixels.
        slope: pixels gained with each row.
        first: a row.
        across: number of pixels of a row.
        along: number of rows.
    """
    return Line((place - slope * first) / across, slope * along / across)


def _border(light: Floats) -> list[_Edge | None] | None:
    """Return the edges at the left, right, top and bottom; None if they are not those of a border."""
    height, width = light.shape
    views = [np.ascontiguousarray(view) for view in (light, light[:, ::-1], light.T, light[::-1].T)]
    first = [_edge(view, 0, len(view)) for view in views]
    if sum(edge is not None for edge in first) < 2:
        return None
    # Again, but only between the other edges: there is nothing to see in the margins.
    left, right, top, bottom = (0 if edge is None else round(edge.middle) + 2 for edge in first)
    rows, columns = (top, height - bottom), (left, width - right)
    edges = [_edge(view, *part) for view, part in zip(views, (rows, rows, columns, columns), strict=True)]
    sure = [edge for edge in edges if edge is not None and edge.is_sure]
    if len(sure) < 2:
        return None
    # The sides of one mount have one tone, within what light and age do to it.
    tone = float(np.median([edge.tone for edge in sure]))
    likely = [edge if edge and edge.is_likely and abs(edge.tone - tone) <= _ONE_TONE else None for edge in edges]
    sure = [edge for edge in likely if edge and edge.is_sure]
    if len(sure) >= 2 and len(likely) - likely.count(None) >= 3:
        return likely
    for one, other in ((0, 1), (2, 3)):
        pair = likely[one], likely[other]
        if pair[0] is not None and pair[1] is not None and pair[0].is_opposite(pair[1]):
            return [edge if place in (one, other) else None for place, edge in enumerate(likely)]
    return None


def _edge(light: Floats, first: int, last: int) -> _Edge | None:
    """Return the most visible edge of a margin at the left.

    Args:
        light: L*, float32 ``[h, w]``.
        first: the first row in which the edge is looked for.
        last: the row after the last.
    """
    deep, rows = int(DEEPEST * light.shape[1]), last - first
    if deep < 8 or rows < 16:
        return None
    tone = np.median(light[:, :3], axis=1)[:, None]
    tone = cv2.blur(cv2.medianBlur(tone, 5), (1, 15), borderType=cv2.BORDER_REPLICATE)[first:last]
    # Room for the slope beyond the deepest place in the middle.
    off = np.abs(light[first:last, : deep + 8] - tone)
    noise = float(np.median(off[:, 1]))
    like = off <= _LIKE + 2 * noise
    if noise > _NOISIEST or like[:, 1].mean() < 0.85:
        return None
    away = off > _AWAY + 2 * noise
    # The pixel before one that is away may have a part of both, so the one before that has to be like the margin.
    row, column = np.nonzero(away[:, 2:-1] & ~away[:, 1:-2] & like[:, :-3])
    column += 2
    height = row - (rows - 1) / 2
    votes, middle, slope = _most_voted(column, height, deep)
    if votes < _LEAST_VOTES * rows:
        return None
    near = np.abs(column - slope * height - middle) <= 1.5
    row, column, height = row[near], column[near], height[near]
    # Where the margin ends within its last pixel follows from how far that is on the way to the picture's tone.
    inside = np.maximum(off[row, column], off[row, column + 1])
    exact = column + 1 - off[row, column] / inside
    from_mean = height - height.mean()
    slope = float(np.sum(from_mean * exact) / max(1.0, np.sum(from_mean * from_mean)))
    middle = float(np.median(exact - slope * height))
    places = middle + slope * (np.arange(rows) - (rows - 1) / 2)
    ends = np.clip(np.floor(places).astype(np.intp), 1, deep)
    before = np.arange(off.shape[1]) < np.maximum(1, ends - 1)[:, None]
    return _Edge(
        start=middle - slope * (first + (rows - 1) / 2),
        slope=slope,
        middle=middle,
        flat=float(like[np.arange(rows), np.maximum(0, ends - 2)].mean()),
        margin=float(like[before].mean()),
        seen=len(np.unique(row)) / rows,
        tone=float(np.median(tone)),
        noise=noise,
    )


def _most_voted(column: NDArray[np.intp], height: NDArray[np.floating[Any]], deep: int) -> tuple[int, float, float]:
    """Return the number of votes for the line with the most, where it is in the middle, and its slope."""
    best = 0, 0.0, 0.0
    for slope in _SLOPES:
        place = np.rint(column - slope * height).astype(np.intp)
        counts = np.bincount(place[(place >= 2) & (place < deep)], minlength=deep)
        counts[1:-1] += counts[:-2] + counts[2:]
        most = int(np.argmax(counts))
        best = max(best, (int(counts[most]), float(most), float(slope)), key=lambda line: line[0])
    return best
