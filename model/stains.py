"""Suspect stains in predicted chroma: blotches of colour where luminance is smooth, as on mottled studio backdrops.

Without the true colours, a blotch is chroma that varies within a small window although luminance has no texture there,
and that no linear function of the luminance explains. A photo is suspected if blotches cover a part of it.

Measured by ``tests/bench/stains_bench.py --offset=3``, on other photos than those that gave the thresholds:

    model         photos   suspected   real   of truly grey stains found
    released_1     1,597          60   62 %                         14 %
    released_2     1,290          39   38 %                         18 %

Real are suspicions where truly grey parts are painted, or where the true colours vary less than the painted ones.
Sunsets, petals and cloth look like stains, too. Evenly wrong colours, such as a brown wash, are not found. On 104
historic scans the three that released_1 stains most are suspected, and no others; of released_2 none is.
"""

import cv2
import numpy as np

from tfrecords.color import Floats

SHARE = 0.04
"""Part of a picture that blotches must cover."""
_SIDE = 64
_WINDOW = 3.0  # deviation of the Gaussian windows, in pixels of _SIDE
_SMOOTH = 3.0  # L*: the most texture of a smooth part
_VARIED = 4.5  # chroma: the least deviation of a blotch
_COLOURED = 10.0  # chroma: the least of a blotch itself
_FLAT = 4.0  # variance of L* below which luminance explains little


def are_suspected(seen: Floats, chroma: Floats) -> bool:
    """Return whether the colours of a picture look like stains.

    Args:
        seen: the model's input, L* / 100, float32 ``[S, S, 1]``.
        chroma: its prediction, a and b in Lab units, float32 ``[h, w, 2]``.
    """
    return blotched_share(seen, chroma) > SHARE


def blotched_share(seen: Floats, chroma: Floats) -> float:
    """Return the part of a picture that blotches cover.

    Args:
        seen: L* / 100, float32 ``[S, S, 1]``.
        chroma: a and b in Lab units, float32 ``[h, w, 2]``.

    Returns:
        the share of its area, in [0, 1].
    """
    light = seen[..., 0] * np.float32(100)
    side = min(_SIDE, len(light))
    grain = len(light) / side
    texture = cv2.GaussianBlur(light * light, (0, 0), grain) - np.square(cv2.GaussianBlur(light, (0, 0), grain))
    smooth = (_resized(texture, side) < _SMOOTH * _SMOOTH).astype(np.float32)
    light, chroma = _resized(light, side), _resized(chroma, side)
    weight = _mean(smooth) + np.float32(1e-3)

    def mean(plane: Floats) -> Floats:
        """Return the mean over the smooth pixels of each window."""
        return _mean(smooth * plane) / weight

    mean_light = mean(light)
    variance_of_light = np.maximum(0, mean(light * light) - mean_light * mean_light)
    unexplained = np.zeros_like(light)
    for plane in (chroma[..., 0], chroma[..., 1]):
        mean_plane = mean(plane)
        covariance = mean(light * plane) - mean_light * mean_plane
        unexplained += np.maximum(0, mean(plane * plane) - mean_plane * mean_plane)
        unexplained -= covariance * covariance / (variance_of_light + _FLAT)
    coloured = np.hypot(chroma[..., 0], chroma[..., 1]) > _COLOURED
    return float(np.mean((smooth > 0) & coloured & (unexplained > _VARIED * _VARIED)))


def _resized(plane: Floats, side: int) -> Floats:
    resized: Floats = cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA).reshape(
        side, side, *plane.shape[2:]
    )
    return resized


def _mean(plane: Floats) -> Floats:
    blurred: Floats = cv2.GaussianBlur(plane, (0, 0), _WINDOW, borderType=cv2.BORDER_REFLECT)
    return blurred
