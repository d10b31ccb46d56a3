"""Spread hints by least squares, with local and global consistency.

Neighbours of like luminance get like colours (A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization",
2004). So do superpixels of like luminance, texture and prediction, wherever they are: a hint on one tree reaches the
others. The model's prediction is a weak prior, weaker the further hints reach. Hints keep their colours exactly.

What is smooth is the correction of the prediction: solved for itself, chroma would lose the variety that the prediction
has around a hint, and a single hint would make a photo worse on average (``tests/bench/hints_bench.py``).
"""

from typing import Any

import cv2
import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from skimage.segmentation import slic

from model.guidance.clustering import Doubles, centres, squares
from tfrecords.color import Floats

SIDE = 256
"""The longer side of the grid, at most."""
CONTRAST = 4.0
"""Difference of L* at which neighbours hold together by exp(-1/2) of their most."""
_LEAST = 1e-3  # what holds neighbours together across any edge
_SUPERPIXELS, _COMPACTNESS = 400, 10.0
_TO_SUPERPIXEL, _TO_CLUSTER = 0.02, 0.3
_CLUSTERS = 32
# Deviations of what likens superpixels: L*, its deviation within them, a and b of the prediction.
_SCALES = np.array([6.0, 4.0, 6.0, 6.0])
_TOLERANCE, _MOST_STEPS = 2e-3, 400


def optimise(prediction: Floats, light: Floats, given: Floats, reach: float) -> Floats:
    """Return chroma that is that of the hints at the hints, smooth between edges, and near the prediction far away.

    Args:
        prediction: a and b, float32 ``[h, w, 2]``.
        light: L*, float32 ``[h, w]``.
        given: the hints, float32 ``[h, w, 3]``: a, b, and 1 where they are given; 0 elsewhere.
        reach: the length on which a hint gives way to the prediction, as a share of the picture's longer side.

    Returns:
        float32 ``[h', w', 2]``, with a longer side of `SIDE` pixels at most.
    """
    prediction, light, given = _small(prediction, light, given)
    height, width = light.shape
    is_given = given[..., 2].ravel() > 0
    if not is_given.any():
        return prediction
    prior = max(reach * max(height, width), 0.5) ** -2.0
    matrix, number = _links(prediction, light)
    matrix = matrix + scipy.sparse.diags(np.r_[np.full(height * width, prior), np.full(number, 1e-9)])
    is_free = np.r_[~is_given, np.ones(number, np.bool_)]
    free, fixed = np.flatnonzero(is_free), np.flatnonzero(~is_free)
    rows = matrix.tocsr()[free]
    among, to_fixed = rows[:, free], rows[:, fixed]
    result = np.empty((height * width, 2), np.float32)
    for axis in (0, 1):
        predicted, colours = prediction[..., axis].ravel(), given[..., axis].ravel()[is_given]
        correction = (colours - predicted[is_given]).astype(np.float64)
        solved = _solved(among, -(to_fixed @ correction))
        result[~is_given, axis] = predicted[~is_given] + solved[: len(free) - number]
        result[is_given, axis] = colours
    return result.reshape(height, width, 2)


def _small(prediction: Floats, light: Floats, given: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the planes on a grid of `SIDE` pixels at most; a hint's pixel makes its whole cell a hint."""
    height, width = light.shape
    scale = min(1.0, SIDE / max(height, width))
    if scale == 1:
        return prediction, light, given
    size = max(2, round(width * scale)), max(2, round(height * scale))
    weighted = cv2.resize(given, size, interpolation=cv2.INTER_AREA)
    share = weighted[..., 2:]
    small = np.where(share > 0, weighted / np.maximum(share, np.float32(1e-6)), 0).astype(np.float32)
    areas = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (prediction, light)]
    return areas[0], areas[1], small


def _links(prediction: Floats, light: Floats) -> tuple[Any, int]:
    """Return the Laplacian of all links, sparse, and the number of its nodes that are not pixels.

    Pixels are linked with their neighbours and their superpixel, and superpixels with those like them: with the centre
    of a cluster of them.
    """
    height, width = light.shape
    place = np.arange(height * width).reshape(height, width)
    ones, others, weights = [], [], []

    def link(one: Any, other: Any, weight: Any) -> None:
        ones.append(np.ravel(one))
        others.append(np.ravel(other))
        weights.append(np.broadcast_to(weight, np.shape(one)).ravel())

    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = slice(0, height - dy), slice(max(0, -dx), width - max(0, dx))
        there = slice(dy, height), slice(max(0, dx), width - max(0, -dx))
        step = (light[here] - light[there]) / CONTRAST
        link(place[here], place[there], (np.exp(-0.5 * step * step) + _LEAST) / (dy * dy + dx * dx))
    labels = slic(light / 100, _SUPERPIXELS, _COMPACTNESS / 100, channel_axis=None, start_label=0).ravel()
    number = int(labels.max()) + 1
    link(place, height * width + labels.reshape(height, width), _TO_SUPERPIXEL)
    features = _features(prediction, light, labels, number)
    found = centres(features, _CLUSTERS)
    distances = squares(features, found)
    nearest = distances.argmin(axis=1)
    weight = _TO_CLUSTER * np.exp(-0.5 * distances.min(axis=1))
    link(height * width + np.arange(number), height * width + number + nearest, weight)
    number += len(found)
    one, other, weight = (np.concatenate(parts) for parts in (ones, others, weights))
    size = height * width + number
    adjacency = scipy.sparse.coo_matrix((weight, (one, other)), shape=(size, size), dtype=np.float64).tocsr()
    adjacency = adjacency + adjacency.T
    return scipy.sparse.diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency, number


def _features(prediction: Floats, light: Floats, labels: NDArray[Any], number: int) -> Doubles:
    """Return what likens superpixels, ``[s, 4]``."""
    count = np.maximum(np.bincount(labels, minlength=number), 1)

    def mean(plane: Any) -> Doubles:
        return np.bincount(labels, weights=np.ravel(plane), minlength=number) / count

    lightness = mean(light)
    deviation = np.sqrt(np.maximum(mean(light.astype(np.float64) ** 2) - lightness**2, 0))
    found: Doubles = np.stack([lightness, deviation, mean(prediction[..., 0]), mean(prediction[..., 1])], axis=1)
    found /= _SCALES
    return found


def _solved(matrix: Any, right: Doubles) -> Doubles:
    """Solve by conjugate gradients with Jacobi's preconditioner, without BLAS, whose sums depend on its threads."""
    inverse = 1 / matrix.diagonal()
    solution, rest = np.zeros_like(right), right.copy()
    direction = inverse * rest
    energy = float(np.sum(rest * direction))
    enough = energy * _TOLERANCE**2
    for _ in range(_MOST_STEPS):
        if energy <= enough or energy == 0:
            break
        product = matrix @ direction
        step = energy / float(np.sum(direction * product))
        solution += step * direction
        rest -= step * product
        scaled = inverse * rest
        before, energy = energy, float(np.sum(rest * scaled))
        direction = scaled + (energy / before) * direction
    return solution
