"""Find the watermark in a picture that may have been compressed, resized, cropped, turned or made lighter.

The chroma of the picture is brought to the size of the pattern. What follows from luminance is taken out, the band of
the pattern is weighed by the inverse of its variance nearby, and each chip is read with a matched filter. First the
whole picture is tried in its eight orientations. If the pattern is not there, the picture may have been cropped: at
each of some fifty scales, cross-correlation with the known chips shows the place that fits best.

The evidence is z, the sum of the known chips over the root of the sum of their squares. In a picture without the
pattern the signs of the key have nothing to do with the values that they are multiplied with, so that by Hoeffding's
inequality P(Z ≥ z) ≤ exp(-z² / 2) for any picture; times the number of places tried this bounds the false alarms. A
content with the right checksum, read from the other chips, divides the bound by 2¹⁶.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import exp, log
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from model.watermark import CELL, CELLS, SIDE, band_passed, chips, spread
from model.watermark_code import LENGTH, Payload, decode
from tfrecords.color import Bytes, Floats

FALSE_ALARMS = 1e-4
"""A watermark counts as detected if the bound on false alarms is at most this."""
_CHECKSUM = 2.0**-16
# In Lab units squared: variance of luminance that foretells nothing, and of chroma below which no more is gained.
_FLAT_LIGHT, _FLAT_CHROMA = 0.3, 0.05
_NEARBY = 2.0 * CELL
_CLIP = 2.0
# A crop keeps at least half of the longer side. A scale that is off by half a step moves the edge by half a pixel.
_LEAST_SCALE, _STEP = 0.5, 0.0125
_FINE = 4
_CANDIDATES = 2
_LARGER = 2


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found in a picture.

    Attributes:
        z: the evidence, see the module.
        false_alarm: bound on the probability of as much evidence in a picture without a watermark.
        payload: the content, if its checksum is right.
        part: share of the longer side of the marked photo that the picture shows.
        searched: ``nothing`` if there are no colours in the picture, or it is too small; the ``whole`` picture; or
            ``parts``, the whole picture and then, as a part of a photo, at each size and place.
    """

    z: float
    false_alarm: float
    payload: Payload | None
    part: float = 1.0
    searched: Literal["nothing", "whole", "parts"] = "whole"

    @property
    def detected(self) -> bool:
        """Whether the picture has the watermark."""
        return self.false_alarm <= FALSE_ALARMS


def find(pixels: Bytes, *, cropped: bool = True) -> Finding:
    """Look for the watermark.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 3]``, sRGB.
        cropped: whether to look for parts of photos as well, which takes most of the time.
    """
    if pixels.ndim == 2 or min(pixels.shape[:2]) < 2 or not np.any(pixels != pixels[..., :1]):
        return Finding(z=0.0, false_alarm=1.0, payload=None, searched="nothing")
    whole = _in_whole(pixels)
    if whole.detected or not cropped:
        return whole
    part = _in_part(pixels)
    return replace(min(whole, part, key=lambda finding: finding.false_alarm), searched="parts")


def _in_whole(pixels: Bytes) -> Finding:
    seen = _whitened(_shrunk(pixels, SIDE))
    turned = (np.rot90(plane, turns, (1, 2)) for plane in (seen, seen[:, :, ::-1]) for turns in range(4))
    return max((_read(plane, 0, 0, places=8) for plane in turned), key=lambda finding: finding.z)


def _in_part(pixels: Bytes) -> Finding:
    small = _shrunk(pixels, _LARGER * SIDE)
    scales = np.exp(np.arange(log(_LEAST_SCALE), -_STEP / 2, _STEP))
    coarse = sorted((_best(small, scale) for scale in scales), key=lambda place: -place.score)[:_CANDIDATES]
    nearby = np.linspace(-0.8, 0.8, 2 * _FINE + 1) * _STEP
    fine = [_best(small, place.scale * exp(step)) for place in coarse for step in nearby if place.scale * exp(step) < 1]
    best = max(fine, key=lambda place: place.score)
    # Which fine scales are tried depends on the picture, so all that might have been tried count.
    places = (len(nearby) + 1) * sum(_lags(small, scale) for scale in scales)
    found = _read(best.seen, best.top, best.left, places=places)
    return Finding(z=found.z, false_alarm=found.false_alarm, payload=found.payload, part=round(float(best.scale), 3))


@dataclass(frozen=True, kw_only=True)
class _Place:
    score: float
    scale: float
    top: int
    left: int
    seen: Floats


def _best(small: Bytes, scale: float) -> _Place:
    """Return the place of a picture in the pattern, if it has `scale` of its longer side, that fits best."""
    seen = _whitened(_shrunk(small, SIDE * scale))
    height, width = seen.shape[1:]
    square = np.zeros((2, SIDE, SIDE), np.float32)
    square[:, :height, :width] = seen
    # Within these lags nothing wraps around.
    product = (np.conj(fft.rfft2(square)) * _known()).sum(axis=0)
    fits = fft.irfft2(product, s=(SIDE, SIDE))[: SIDE - height + 1, : SIDE - width + 1]
    top, left = np.unravel_index(int(fits.argmax()), fits.shape)
    filtered = sum(float(np.sum(band_passed(plane) ** 2)) for plane in seen)
    score = float(fits[top, left]) / (filtered**0.5 + 1e-9)
    return _Place(score=score, scale=scale, top=int(top), left=int(left), seen=seen)


def _lags(small: Bytes, scale: float) -> int:
    height, width = _size(small, SIDE * scale)
    return (SIDE - height + 1) * (SIDE - width + 1)


@cache
def _known() -> NDArray[np.complex64]:
    signs, roles = chips()
    known: NDArray[np.complex64] = fft.rfft2(spread(np.where(roles < 0, signs, np.float32(0))))
    return known


def _size(pixels: Bytes, longer: float) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = longer / max(height, width)
    return max(2, round(height * scale)), max(2, round(width * scale))


def _shrunk(pixels: Bytes, longer: float) -> Bytes:
    """Return a picture whose longer side has `longer` pixels; it is enlarged to the size of the pattern at most."""
    height, width = _size(pixels, longer)
    if longer > SIDE and longer >= max(pixels.shape[:2]):
        return pixels
    is_smaller = width <= pixels.shape[1]
    shrunk: Bytes = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC)
    return shrunk


def _whitened(pixels: Bytes) -> Floats:
    """Return the evidence for the pattern in a and in b, float32 ``[2, h, w]``, of pixels ``[h, w, 3]``."""

    def nearby(plane: Floats) -> Floats:
        blurred: Floats = cv2.GaussianBlur(plane, (0, 0), _NEARBY, borderType=cv2.BORDER_REFLECT)
        return blurred.reshape(plane.shape)

    lab: Floats = cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    light, *chroma = (band_passed(np.ascontiguousarray(lab[..., channel])) for channel in range(3))
    variance: Floats = nearby(light * light) + np.float32(_FLAT_LIGHT)

    def weighed(band: Floats) -> Floats:
        own = (band - nearby(band * light) / variance * light).astype(np.float32, copy=False)
        sure = (own / (nearby(own * own) + np.float32(_FLAT_CHROMA))).astype(np.float32, copy=False)
        limit = np.float32(_CLIP) * np.sqrt(np.mean(sure * sure))
        return np.clip(sure, -limit, limit)

    return np.stack([weighed(band) for band in chroma])


def _chip_values(seen: Floats, top: int, left: int) -> Floats:
    """Return the evidence at each chip, ``[2, CELLS, CELLS]``; 0 outside the picture."""
    square = np.zeros((2, SIDE, SIDE), np.float32)
    height, width = seen.shape[1:]
    for plane, filtered in zip(seen, square, strict=True):
        filtered[top : top + height, left : left + width] = band_passed(np.ascontiguousarray(plane))
    values: Floats = square[:, CELL // 2 :: CELL, CELL // 2 :: CELL]
    assert values.shape == (2, CELLS, CELLS)
    return values


def _read(seen: Floats, top: int, left: int, places: int) -> Finding:
    """Read the chips of a picture at a place in the pattern, the best of a number of places."""
    signs, roles = chips()
    values = (_chip_values(seen, top, left) * signs).astype(np.float64)
    known = values[roles < 0]
    z = float(known.sum() / (np.sqrt(np.sum(known * known)) + 1e-12))
    content = roles >= 0
    payload = decode(np.bincount(roles[content], weights=values[content], minlength=LENGTH).astype(np.float64))
    chance = exp(-(max(z, 0.0) ** 2) / 2)
    return Finding(z=round(z, 2), false_alarm=_bound(chance, places, payload), payload=payload)


def _bound(chance: float, places: int, payload: Payload | None) -> float:
    # Four tests: in whole and in part, with a content and without. Each may use a quarter of the false alarms.
    tests = 4 * places
    return min(1.0, chance * tests * (_CHECKSUM if payload is not None else 1.0))
