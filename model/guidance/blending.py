"""Spread hints by chrominance blending (L. Yatziv and G. Sapiro, IEEE Transactions on Image Processing 15(5), 2006).

Each pixel mixes the colours of the hints that are nearest on the geodesic way, weighted by the inverse fourth power of
the distance. The model's prediction takes part in the mixture as if it lay at one distance from everywhere, the reach,
so that a hint gives way to it.
"""

import math

import cv2
import numpy as np

from model.guidance import geodesic
from tfrecords.color import Floats

CONTRIBUTORS = 4
"""The number of colours that a pixel mixes at most."""
EDGE = 3.0
"""What a change of 1 in L* costs: as much as this number of pixels of a picture `SIDE` pixels long."""
SIDE = 256
GRAIN = 1.0
"""Deviation of the Gaussian that takes grain out of the luminance first, in the same pixels."""
_FADED = 1e-2  # weight of a hint, beside the prediction's of 1, below which it is left out
_ALIKE = 2.0  # hints closer than this in a and b are one colour


def blend(prediction: Floats, light: Floats, given: Floats, reach: float) -> Floats:
    """Return chroma that is that of the hints at the hints and gives way to the prediction with distance.

    Args:
        prediction: a and b, float32 ``[h, w, 2]``.
        light: L*, float32 ``[h, w]``.
        given: the hints, float32 ``[h, w, 3]``: a, b, and 1 where they are given; 0 elsewhere.
        reach: the distance at which a hint and the prediction weigh the same, as a share of the picture's longer side.

    Returns:
        float32 ``[h, w, 2]``.
    """
    height, width = light.shape
    side = max(height, width)
    is_given = given[..., 2] > 0
    if not is_given.any():
        return prediction
    far = max(reach * side, 0.5)
    smooth = cv2.GaussianBlur(light, (0, 0), GRAIN * side / SIDE, borderType=cv2.BORDER_REFLECT)
    levels = geodesic.steps(smooth, EDGE * side / SIDE)
    near = geodesic.nearest(levels, _kinds(given), CONTRIBUTORS, far / math.sqrt(math.sqrt(_FADED)))
    colours = given.reshape(-1, 3)[:, :2]
    total, mixed = np.ones((height, width), np.float32), prediction.copy()
    for distance, seed in zip(near.distances, near.seeds, strict=True):
        weight = np.square(np.square(np.float32(far) / np.maximum(distance, np.float32(1e-3))))
        mixed += weight[..., None] * colours[seed]
        total += weight
    mixed /= total[..., None]
    return np.where(is_given[..., None], given[..., :2], mixed)


def _kinds(given: Floats) -> geodesic.Ints:
    """Return the number of each hint's colour, int32 ``[h, w]``; -1 where none is given."""
    kinds = np.full(given.shape[:2], -1, np.int32)
    is_given = given[..., 2] > 0
    rounded = np.rint(given[is_given][:, :2] / _ALIKE).astype(np.int32)
    kinds[is_given] = np.unique(rounded, axis=0, return_inverse=True)[1].reshape(-1)
    return kinds
