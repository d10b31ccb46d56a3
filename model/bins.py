"""The ab plane in squares of 10, as classes (Zhang, Isola, Efros: *Colorful Image Colorization*, 2016, section 2).

A class is the centre of a square that holds a colour of sRGB. Squares are centred on multiples of 10, as those of the
histogram in ``dataset.json`` (`tfrecords.statistics`). This module does not import TensorFlow.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfrecords import color
from tfrecords.statistics import CHROMA_CENTRES, CHROMA_STEP

NEIGHBOURS = 5
SIGMA = 5.0
UNIFORM = 0.5
"""Part of the uniform distribution in what rare colours are weighed by (Zhang et al.'s lambda)."""

Floats = NDArray[np.float32]


@functools.cache
def _centres() -> tuple[tuple[int, int], ...]:
    levels = np.append(np.arange(0, 255, 3), 255).astype(np.uint8)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    ab = color.srgb_to_lab(rgb.reshape(len(levels), -1, 3))[..., 1:]
    squares = np.unique(np.rint(ab / CHROMA_STEP).astype(int).reshape(-1, 2), axis=0)
    return tuple((int(a) * CHROMA_STEP, int(b) * CHROMA_STEP) for a, b in squares)


def centres() -> Floats:
    """Return the centres of the Q classes in Lab units, float32 ``[Q, 2]``, ordered by a and then b."""
    return np.array(_centres(), np.float32)


@functools.cache
def neighbours() -> tuple[NDArray[np.int32], Floats]:
    """Return the 5 nearest classes of every whole a and b from -128 to 127, and their shares, b running fastest.

    They share a colour by a Gaussian of sigma 5 of their distance, adding up to 1 (Zhang et al., section 2.1).

    Returns:
        Numbers of the classes, int32, and shares, float32, both ``[65536, 5]``.
    """
    places = centres()
    numbers, parts = [], []
    b = np.arange(-128, 128, dtype=np.float32)[:, None]
    for a in range(-128, 128):
        distances = (a - places[:, 0]) ** 2 + (b - places[:, 1]) ** 2
        nearest = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        near = np.take_along_axis(distances, nearest, axis=1)
        # Relative to the nearest, so that a colour far from all classes keeps a sum above 0.
        near = np.exp((near.min(axis=1, keepdims=True) - near) / (2 * SIGMA**2))
        numbers.append(nearest.astype(np.int32))
        parts.append(near / near.sum(axis=1, keepdims=True))
    return np.concatenate(numbers), np.concatenate(parts)


@functools.cache
def shares() -> Floats:
    """Return the soft classes of every whole a and b, float32 ``[65536, Q]``: `neighbours` as one table."""
    numbers, parts = neighbours()
    table = np.zeros((len(numbers), len(centres())), np.float32)
    np.put_along_axis(table, numbers.astype(np.intp), parts, axis=1)
    return table


@functools.cache
def _nearest() -> NDArray[np.intp]:
    """Return the nearest class of every whole a and b from -128 to 127, ``[256, 256]``."""
    places = centres()
    whole = np.arange(-128, 128, dtype=np.float32)
    return np.stack([np.argmin((a - places[:, 0]) ** 2 + (whole[:, None] - places[:, 1]) ** 2, axis=1) for a in whole])


def nearest(ab: Floats) -> NDArray[np.intp]:
    """Return the number of the class nearest to each ab, ``[...]``.

    Args:
        ab: in Lab units, ``[..., 2]``; rounded to whole numbers.
    """
    codes = np.clip(np.rint(ab), -128, 127).astype(int) + 128
    return np.asarray(_nearest()[codes[..., 0], codes[..., 1]])


def weights(histogram: Sequence[Sequence[int]] | ArrayLike, exponent: float) -> Floats:
    """Return how much a pixel of each class counts in the loss, so that rare colours are learnt too.

    A class weighs `mixed` to the power of -exponent, scaled to a mean of 1 over the pixels. The exponent 1 is Zhang et
    al.'s (equation 4).

    Args:
        histogram: pixels by a and b, ``[23, 23]``, as in ``dataset.json``.
        exponent: from 0, all alike, to 1.

    Returns:
        float32 ``[Q]``.

    Raises:
        ValueError: the histogram has another shape or counts nothing.
    """
    weight = mixed(histogram).astype(np.float64) ** -exponent
    occurring = _of_classes(np.asarray(histogram, np.float64))
    return (weight / np.sum(occurring * weight)).astype(np.float32)


def mixed(histogram: Sequence[Sequence[int]] | ArrayLike) -> Floats:
    """Return the smoothed shares of the classes, mixed with a uniform distribution: (1 - λ) p + λ / Q, λ = 0.5.

    Args:
        histogram: pixels by a and b, ``[23, 23]``, as in ``dataset.json``; smoothed by a Gaussian of sigma 5 Lab units.

    Returns:
        float32 ``[Q]``, which adds up to 1.

    Raises:
        ValueError: the histogram has another shape or counts nothing.
    """
    counts = np.asarray(histogram, np.float64)
    side = len(CHROMA_CENTRES)
    if counts.shape != (side, side) or counts.sum() <= 0:
        raise ValueError(f"a histogram of chroma has {side} x {side} counts, not {counts.shape} of sum {counts.sum()}")
    smooth = cv2.GaussianBlur(counts, (0, 0), SIGMA / CHROMA_STEP, borderType=cv2.BORDER_REFLECT)
    return ((1 - UNIFORM) * _of_classes(smooth) + UNIFORM / len(centres())).astype(np.float32)


def _of_classes(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each class in a histogram, ``[Q]``."""
    places = (centres().astype(int) - CHROMA_CENTRES[0]) // CHROMA_STEP
    found = counts[places[:, 0], places[:, 1]]
    shares: NDArray[np.float64] = found / found.sum()
    return shares
