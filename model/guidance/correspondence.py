"""Find for each place of a photo the places of a reference that show the same kind of thing, and lend their colours.

The two pictures are compared cell by cell by what a network sees in them (`model.lite_features`), and by luminance. A
cell takes the mean colour of all cells of the reference, weighted by how like they are; a guided filter brings the
colours up along the edges of the photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Floats

# Found on 40 pairs of photos of the same event.
_TEMPERATURE = 0.06
_LIGHT = 8.0
"""Difference of L* that costs a factor e."""
_WINDOW, _FLATNESS = 15, 1e-3
ALIKE = 0.14
"""The likeness from which a reference counts as one of like things: 70 % of those pairs, and 10 % of others."""


@dataclass(frozen=True)
class Correspondence:
    """What a reference lends to a photo.

    Attributes:
        chroma: a and b for the photo, float32 ``[S, S, 2]``.
        likeness: mean likeness of the photo's cells to those they took their colours from, at most 1.
    """

    chroma: Floats
    likeness: float


def correspond(
    light: Floats, seen: Sequence[Floats], reference: Floats, chroma: Floats, known: Sequence[Floats]
) -> Correspondence:
    """Return what a reference lends to a photo.

    Args:
        light: L* of the photo, float32 ``[S, S]``.
        seen: layers of a network for it, each float32 ``[n, n, C]``.
        reference: L* of the reference, float32 ``[R, R]``.
        chroma: a and b of the reference, float32 ``[R, R, 2]``.
        known: the same layers for the reference.
    """
    side = seen[0].shape[0]
    own, lent = (cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA).ravel() for plane in (light, reference))
    colours = cv2.resize(chroma, (side, side), interpolation=cv2.INTER_AREA).reshape(-1, 2)
    layers = [_likeness(one, other) for one, other in zip(seen, known, strict=True)]
    likeness = _with_neighbours(np.mean(layers, axis=0), side)
    score = likeness / np.float32(_TEMPERATURE) - np.square((own[:, None] - lent) / np.float32(_LIGHT))
    share = np.exp(score - score.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    # Sums without BLAS, which depends on the number of threads.
    taken = np.stack([(share * colours[:, axis]).sum(axis=1) for axis in (0, 1)], axis=-1)
    return Correspondence(
        _brought_up(taken.reshape(side, side, 2), light), float((share * likeness).sum(axis=1).mean())
    )


def _likeness(one: Floats, other: Floats) -> Floats:
    """Return the cosine of each cell of one layer with each of another, float32 ``[n * n, n * n]``."""
    first, second = one.reshape(-1, one.shape[-1]), other.reshape(-1, other.shape[-1])
    middle = (first.mean(axis=0) + second.mean(axis=0)) / np.float32(2)
    units = []
    for cells in (first - middle, second - middle):
        length = np.sqrt(np.square(cells).sum(axis=1, keepdims=True))
        units.append(cells / np.maximum(length, np.float32(1e-6)))
    found: Floats = np.einsum("ic,jc->ij", *units)
    return found


def _with_neighbours(likeness: Floats, side: int) -> Floats:
    """Return the mean likeness of each cell and its eight neighbours to those of another cell, in the same places."""
    grid = likeness.reshape(side, side, side, side)
    total, number = np.zeros_like(grid), np.zeros_like(grid)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            here, there = zip(*(_overlap(side, step) for step in (down, across)), strict=True)
            total[(*here, *here)] += grid[(*there, *there)]
            number[(*here, *here)] += 1
    return (total / number).reshape(likeness.shape)


def _overlap(side: int, step: int) -> tuple[slice, slice]:
    """Return the places that have a neighbour `step` places on, and those neighbours."""
    return slice(max(0, -step), side - max(0, step)), slice(max(0, step), side - max(0, -step))


def _brought_up(cells: Floats, light: Floats) -> Floats:
    """Return colours of cells, float32 ``[n, n, 2]``, on the grid of a luminance, along its edges."""
    side = light.shape[0]
    window = max(1, side // _WINDOW)

    def mean(plane: NDArray[Any]) -> Floats:
        found: Floats = cv2.blur(plane, (window, window))
        return found

    wide = cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC)
    guide = light / np.float32(100)
    centre = mean(guide)
    spread = mean(guide * guide) - centre * centre + np.float32(_FLATNESS)
    planes = []
    for axis in (0, 1):
        plane = np.ascontiguousarray(wide[..., axis])
        slope = (mean(guide * plane) - centre * mean(plane)) / spread
        rest = mean(plane) - slope * centre
        planes.append(mean(slope) * guide + mean(rest))
    return np.stack(planes, axis=-1)
