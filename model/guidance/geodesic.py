"""Geodesic distances on a picture: how far each pixel is from the nearest seeds, where crossing edges costs most.

A path costs its length in pixels, and what the luminance changes along it (L. Yatziv and G. Sapiro, "Fast Image and
Video Colorization Using Chrominance Blending", 2006). Costs are whole numbers, so that Dial's queue of buckets finds
the exact distances in a time that is linear in the number of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Floats

Ints = NDArray[np.int32]
UNIT = 16
"""The cost of a step to the next pixel in a row or column; distances are in units of this."""


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The nearest seeds of each pixel, at most one of each kind, the nearest first.

    Attributes:
        distances: float32 ``[K, h, w]`` in pixels; infinite where there is no further kind of seed within the limit.
        seeds: int32 ``[K, h, w]``, index of the seed in the flattened picture; -1 where there is none.
    """

    distances: Floats
    seeds: Ints


def warm_up() -> None:
    """Load the compiled loop, and compile it where no process has done so yet."""
    nearest(np.zeros((2, 2), np.int32), np.zeros((2, 2), np.int32), 1)


def steps(light: Floats, edge: float) -> Ints:
    """Return luminance in the units of costs, int32 ``[h, w]``.

    Args:
        light: L*, float32 ``[h, w]``.
        edge: what a change of 1 in L* costs, in pixels.
    """
    levels: Ints = np.rint(light.astype(np.float64) * (edge * UNIT)).astype(np.int32)
    return levels


def nearest(levels: Ints, kinds: Ints, number: int, limit: float = np.inf) -> Nearest:
    """Find the nearest seeds of each pixel.

    Args:
        levels: `steps` of the picture, int32 ``[h, w]``.
        kinds: int32 ``[h, w]``: the kind of seed that a pixel is, from 0; -1 where it is none.
        number: K, how many kinds to find for each pixel.
        limit: of the distance, in pixels.
    """
    from model.guidance import buckets  # takes a quarter of a second to import

    shape = number, *levels.shape
    distances, seeds = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    most = int(min(limit * UNIT, np.iinfo(np.int32).max // 2))
    buckets.settle(np.ascontiguousarray(levels), np.ascontiguousarray(kinds), UNIT, most, distances, seeds)
    found = np.where(distances < 0, np.float32(np.inf), distances.astype(np.float32) / np.float32(UNIT))
    return Nearest(distances=found, seeds=seeds)
