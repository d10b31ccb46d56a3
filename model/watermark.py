"""A watermark in chroma: a keyed pattern of faint colours that says that a machine coloured a photo.

A square as wide as the longer side of the photo is divided into 64 x 64 cells. In a and in b each cell has a chip, a
sign that the key gives. Three chips in ten are always the same, for detection; each of the others carries one of the
coded bits of `model.watermark_code`. Chips are spread as band-passed dots, so that the pattern has neither the coarse
tints that chroma has by itself nor the fine detail that JPEG drops. It is added to chroma after that has been fitted to
luminance, and before it is brought up to full size: the luminance of the photo stays what it was, and the cost does not
grow with the photo. Black and white have no room for colours in sRGB, and stay as
they are.

The amplitude grows with the chroma beneath, as the steps of CIEDE2000 do, but slower, and where luminance is smooth it
is less than half of what it is on texture, which hides it: in a deep blue sky, blotches showed at the full amplitude
although CIEDE2000 had them at less than 1. `model.watermark_detector` reads the pattern;
``tests/bench/watermark_bench.py`` measures how well.
"""

import hashlib
from dataclasses import replace
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from model.upsampling import Guided
from model.watermark_code import LENGTH, Payload, encode
from tfrecords.color import Floats

CELLS = 64
"""Cells along the longer side of a photo."""
SIDE = 256
"""Pixels of the pattern along the longer side."""
CELL = SIDE // CELLS
_KEY = b"autochrome watermark 1"
_SYNC_SHARE = 0.3
_BAND = 0.55 * CELL, 1.2 * CELL
# Lab units: CIEDE2000 counts a step of a as one and a half of b where there is little chroma.
_AMPLITUDE = np.array([0.25, 0.375], np.float32)
_PER_CHROMA, _MOST_CHROMA = np.float32(0.025), np.float32(30)
_SMOOTH, _TEXTURED = np.float32(0.6), np.float32(1.3)
"""Factors of the amplitude where luminance has no texture, and where it has `_FULL_TEXTURE` or more."""
_FULL_TEXTURE = np.float32(4)  # standard deviation of L* in a window
_WINDOW = 3.0  # deviation of the Gaussian window, in pixels of the chroma grid
_GRID = 256
"""Pixels of a chroma grid that can carry the cells."""

Signs = NDArray[np.float32]
Roles = NDArray[np.int64]


@cache
def chips() -> tuple[Signs, Roles]:
    """Return the sign of each chip, -1 or 1, and its role: the number of its coded bit, or -1 for detection.

    Both are ``[2, CELLS, CELLS]``.
    """
    shape, number = (2, CELLS, CELLS), 2 * CELLS * CELLS
    stream = np.frombuffer(hashlib.shake_256(_KEY).digest(9 * number), np.uint8)
    signs = 1 - 2 * (stream[:number] & 1).astype(np.float32)
    order = np.argsort(stream[number:].view(np.uint64), kind="stable")
    roles = np.empty(number, np.int64)
    sync = int(_SYNC_SHARE * number)
    roles[order[:sync]] = -1
    roles[order[sync:]] = np.arange(number - sync) % LENGTH
    return signs.reshape(shape), roles.reshape(shape)


def band_passed(plane: Floats) -> Floats:
    """Return the band of a float32 plane ``[h, w]`` that the pattern uses, at its size."""
    fine, coarse = (cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) for sigma in _BAND)
    band: Floats = (fine - coarse).reshape(plane.shape)
    return band


def spread(values: Floats) -> Floats:
    """Return the pattern ``[2, SIDE, SIDE]`` of the values of chips ``[2, CELLS, CELLS]``, float32."""
    planes = np.zeros((2, SIDE, SIDE), np.float32)
    planes[:, CELL // 2 :: CELL, CELL // 2 :: CELL] = values
    return np.stack([band_passed(plane) for plane in planes])


@lru_cache(maxsize=4)
def pattern(payload: Payload) -> Floats:
    """Return the pattern of a content, a and b in Lab units, float32 ``[2, SIDE, SIDE]``."""
    signs, roles = chips()
    values = signs * np.where(roles < 0, np.float32(1), encode(payload)[roles])
    spread_out = spread(values)
    size = np.sqrt(np.mean(spread_out.astype(np.float64) ** 2, axis=(1, 2), keepdims=True)).astype(np.float32)
    made: Floats = spread_out / size * _AMPLITUDE[:, None, None]
    made.flags.writeable = False
    return made


def lay(guided: Guided, payload: Payload, box: tuple[int, int, int, int], shape: tuple[int, int]) -> Guided:
    """Add the pattern to the chroma of a photo.

    Args:
        guided: chroma of the picture within the photo.
        payload: the content.
        box: left, top, right and bottom of the picture in the photo, in pixels.
        shape: height and width of the photo.
    """
    planes = _fine_enough(guided.planes)
    left, top, right, bottom = box
    rows = _places(top, bottom, planes.shape[1], max(shape))
    columns = _places(left, right, planes.shape[2], max(shape))
    a, b = planes[0], planes[1]
    gain = 1 + _PER_CHROMA * np.minimum(np.sqrt(a * a + b * b), _MOST_CHROMA)
    added = gain * _hidden_by(planes[4]) * _sampled(pattern(payload), rows, columns)
    return replace(guided, planes=np.concatenate([planes[:2] + added, planes[2:]]))


def _hidden_by(light: Floats) -> Floats:
    """Return the factor of the amplitude that the texture of L* ``[h, w]`` allows, float32 of the same shape."""
    mean, square = (
        cv2.GaussianBlur(plane, (0, 0), _WINDOW, borderType=cv2.BORDER_REFLECT).reshape(light.shape)
        for plane in (light, light * light)
    )
    texture = np.sqrt(np.maximum(0, square - mean * mean))
    factor: Floats = np.minimum(_TEXTURED, _SMOOTH + (_TEXTURED - _SMOOTH) / _FULL_TEXTURE * texture).astype(np.float32)
    return factor


def _fine_enough(planes: Floats) -> Floats:
    height, width = (max(side, _GRID) for side in planes.shape[1:])
    if planes.shape[1:] == (height, width):
        return planes
    finer: Floats = np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in planes])
    return finer


def _places(start: int, end: int, number: int, longer: int) -> Floats:
    """Return where the pixels of a grid lie in the pattern, along one side."""
    centres = start + (np.arange(number) + 0.5) * ((end - start) / number)
    places: Floats = np.clip(centres * (SIDE / longer) - 0.5, 0, SIDE - 1).astype(np.float32)
    return places


def _sampled(planes: Floats, rows: Floats, columns: Floats) -> Floats:
    """Return planes ``[2, SIDE, SIDE]`` at fractional rows and columns, bilinearly."""
    row, column = (np.minimum(places.astype(np.int32), SIDE - 2) for places in (rows, columns))
    down, right = (rows - row.astype(np.float32))[:, None], columns - column.astype(np.float32)
    wide = planes[:, :, column] * (1 - right) + planes[:, :, column + 1] * right
    return (wide[:, row] * (1 - down) + wide[:, row + 1] * down).astype(np.float32, copy=False)
