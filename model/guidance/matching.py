"""Find the place of a reference in a photo that shows the same scene, and lend its colours there.

Features of both are matched (SIFT with Lowe's ratio), and a homography that enough of them agree on lays the reference
over the photo. Where the luminance of the two agrees as well, the photo takes the colours.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tfrecords.color import Bytes, Floats

SIDE = 256
"""Side of the squares that photos and references are squeezed to."""
_RATIO, _PIXELS = 0.75, 4.0
_LEAST_PAIRS, _LEAST_SHARE = 16, 0.35
_ALIKE = 10.0  # difference of L* at which a colour is taken by exp(-1)


@dataclass(frozen=True)
class Loan:
    """Colours for a photo: a and b, float32 ``[S, S, 2]``, and how far they hold, float32 ``[S, S]`` in [0, 1]."""

    chroma: Floats
    weight: Floats


@dataclass(frozen=True)
class Match:
    """A homography from a reference to a photo, float64 ``[3, 3]``, and the number of features that agree on it."""

    homography: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    pairs: int


def match(light: Floats, reference: Floats) -> Match | None:
    """Return how a reference lies on a photo; None if they do not show the same scene.

    Args:
        light: L* of the photo, float32 ``[S, S]``.
        reference: L* of the reference, float32 ``[S, S]``.
    """
    finder = cv2.SIFT.create(1500)
    (at, found), (there, known) = (finder.detectAndCompute(_codes(plane), None) for plane in (light, reference))
    if found is None or known is None or len(known) < _LEAST_PAIRS or len(found) < _LEAST_PAIRS:
        return None
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(known, found, k=2)
    pairs = [one for one, other in nearest if one.distance < _RATIO * other.distance]
    if len(pairs) < _LEAST_PAIRS:
        return None
    from_reference = np.array([there[pair.queryIdx].pt for pair in pairs], np.float32)
    to_photo = np.array([at[pair.trainIdx].pt for pair in pairs], np.float32)
    homography, inliers = cv2.findHomography(from_reference, to_photo, cv2.RANSAC, _PIXELS)
    if homography is None or inliers.sum() < max(_LEAST_PAIRS, _LEAST_SHARE * len(pairs)):
        return None
    return Match(homography, int(inliers.sum()))


def lend(light: Floats, reference: Floats, chroma: Floats, found: Match) -> Loan:
    """Return the colours that a reference lends to a photo.

    Args:
        light: L* of the photo, float32 ``[S, S]``.
        reference: L* of the reference, float32 ``[S, S]``.
        chroma: a and b of the reference, float32 ``[S, S, 2]``.
        found: how it lies on the photo.
    """
    size = light.shape[::-1]
    planes = np.dstack([chroma, reference, np.ones_like(reference)])
    warped = cv2.warpPerspective(planes, found.homography, size, flags=cv2.INTER_LINEAR)
    covered = warped[..., 3] > 0.99
    if not covered.any():
        return Loan(np.zeros_like(chroma), np.zeros_like(light))
    # Prints differ in exposure and contrast.
    one, other = warped[..., 2][covered], light[covered]
    gain = float(np.std(other) / max(float(np.std(one)), 1e-3))
    difference = (warped[..., 2] - one.mean()) * np.float32(gain) + other.mean() - light
    error = cv2.GaussianBlur(np.abs(difference), (0, 0), 2.0)
    weight = np.where(covered, np.exp(-np.square(error / np.float32(_ALIKE))), 0).astype(np.float32)
    return Loan(np.ascontiguousarray(warped[..., :2]), cv2.GaussianBlur(weight, (0, 0), 1.5) * covered)


def _codes(light: Floats) -> Bytes:
    codes: Bytes = np.clip(light * np.float32(2.55), 0, 255).astype(np.uint8)
    return codes
