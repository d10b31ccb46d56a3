"""Hints: colours that a person gives at places of a photo, as a picture of chroma that is laid over it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.borders import Picture
from model.framing import inside
from model.upsampling import Guided, joined
from tfrecords import color
from tfrecords.color import Bytes, Floats, Pixels

MOST_SIDE = 1024
"""The longer side of the picture on which points are drawn, at most."""
# A painted copy differs from its photo by more than rounding, or than another size of it, can make.
_PAINTED, _PAINTED_LIGHT = 6.0, 10.0
_OPAQUE = 127
_MOST_DRAWN = 2048  # longer side of a painted picture that is kept as it is; a stroke of one pixel survives
_ROWS = 256


@dataclass(frozen=True, kw_only=True)
class Point:
    """A disc of one colour.

    Attributes:
        x: of its centre, 0 at the left side of the photo and 1 at the right one.
        y: of its centre, 0 at the top of the photo and 1 at the bottom.
        radius: as a share of the photo's longer side; 0 for a single pixel.
        rgb: sRGB, each from 0 to 255; a neutral grey says that there is no colour.
        page: of the photo's file, from 1.
    """

    x: float
    y: float
    radius: float
    rgb: tuple[int, int, int]
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Hints:
    """Colours of some pixels of a picture that is stretched over the photo.

    Attributes:
        chroma: a and b, float32 ``[h, w, 2]``; 0 where none is given.
        given: bool ``[h, w]``.
    """

    chroma: Floats
    given: NDArray[np.bool_]


def of_points(points: Sequence[Point], height: int, width: int) -> Hints:
    """Draw points for a photo of ``height`` times ``width`` pixels; of points that overlap the later one is seen."""
    scale = min(1.0, MOST_SIDE / max(height, width))
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    chroma, given = np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.bool_)
    for point in points:
        column, row = min(int(point.x * width), width - 1), min(int(point.y * height), height - 1)
        radius = point.radius * max(height, width)
        reach = math.ceil(radius)
        rows = slice(max(0, row - reach), row + reach + 1)
        columns = slice(max(0, column - reach), column + reach + 1)
        y, x = np.arange(height)[rows, None] + 0.5, np.arange(width)[None, columns] + 0.5
        disc = (x - point.x * width) ** 2 + (y - point.y * height) ** 2 <= radius * radius
        disc[row - rows.start, column - columns.start] = True
        chroma[rows, columns][disc], given[rows, columns][disc] = chroma_of(point.rgb), True
    return Hints(chroma=chroma, given=given)


def chroma_of(rgb: Sequence[int]) -> Floats:
    """Return a and b of an sRGB colour, float32 ``[2]``; exactly 0 for a neutral grey."""
    if len(set(rgb)) == 1:
        return np.zeros(2, np.float32)
    chroma: Floats = color.srgb_to_lab(np.array([[rgb]], np.uint8))[0, 0, 1:]
    return chroma


def of_layer(layer: Bytes) -> Hints:
    """Return the hints of a layer, uint8 ``[h, w, 4]`` of sRGB and alpha: its pixels that are more than half opaque."""
    return _collected(layer.shape[:2], lambda rows: (layer[rows, :, :3], layer[rows, :, 3] > _OPAQUE))


def of_copy(painted: Bytes, photo: Pixels) -> Hints:
    """Return the hints of a copy of the photo that was painted on: the pixels whose colours differ from the photo's.

    Args:
        painted: uint8 ``[h, w, 3]``, sRGB. Of another size than the photo's, only colours are compared.
        photo: uint8 or uint16 ``[H, W]`` or ``[H, W, 3]``, sRGB.
    """
    height, width = painted.shape[:2]
    is_resized = photo.shape[:2] != (height, width)
    own: Pixels = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA) if is_resized else photo

    def strip(rows: slice) -> tuple[Bytes, NDArray[np.bool_]]:
        lab, before = _lab(painted[rows]), _lab(own[rows])
        differs = np.hypot(lab[..., 1] - before[..., 1], lab[..., 2] - before[..., 2]) > _PAINTED
        return painted[rows], differs if is_resized else differs | (
            np.abs(lab[..., 0] - before[..., 0]) > _PAINTED_LIGHT
        )

    return _collected((height, width), strip)


def _lab(pixels: Pixels) -> Floats:
    in_color: Pixels = np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2))
    return color.srgb_to_lab(in_color)


def _collected(shape: tuple[int, int], strip: Callable[[slice], tuple[Bytes, NDArray[np.bool_]]]) -> Hints:
    """Return hints from strips of rows of a picture: sRGB and where it is given; large pictures become smaller."""
    height, width = shape
    scale = min(1.0, _MOST_DRAWN / max(shape))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    chroma, given = np.zeros((rows, columns, 2), np.float32), np.zeros((rows, columns), np.bool_)
    for top in range(0, height, _ROWS):
        rgb, is_given = strip(slice(top, top + _ROWS))
        ys, xs = np.nonzero(is_given)
        if len(ys):
            colours = rgb[ys, xs]
            found = color.srgb_to_lab(np.ascontiguousarray(colours[None]))[0, :, 1:]
            found[(colours == colours[:, :1]).all(axis=1)] = 0
            at = (ys + top) * rows // height, xs * columns // width
            chroma[at], given[at] = found, True
    return Hints(chroma=chroma, given=given)


def cells(hints: Hints, photo: tuple[int, ...], picture: Picture | None, height: int, width: int) -> Floats:
    """Return the hints of a part of a photo on a small grid.

    A cell is given if its centre is under a hint, or if a hint's pixel lies in it; then it has the mean of the colours.

    Args:
        hints: of the whole photo.
        photo: its height and width in pixels.
        picture: the part, or None for the whole photo.
        height: of the grid.
        width: of the grid.

    Returns:
        float32 ``[height, width, 3]``: a, b, and 1 where they are given; 0 elsewhere.
    """
    left, top, right, bottom = _box(photo, picture)
    rows, columns = hints.given.shape
    found = np.zeros((height, width, 3), np.float32)
    y = ((top + (np.arange(height) + 0.5) * (bottom - top) / height) * rows / photo[0]).astype(np.int64)
    x = ((left + (np.arange(width) + 0.5) * (right - left) / width) * columns / photo[1]).astype(np.int64)
    at = np.ix_(np.minimum(y, rows - 1), np.minimum(x, columns - 1))
    found[..., :2], found[..., 2] = hints.chroma[at], hints.given[at]
    ys, xs = np.nonzero(hints.given)
    cell_y = np.floor(((ys + 0.5) * photo[0] / rows - top) * height / (bottom - top)).astype(np.int64)
    cell_x = np.floor(((xs + 0.5) * photo[1] / columns - left) * width / (right - left)).astype(np.int64)
    is_in = (cell_y >= 0) & (cell_y < height) & (cell_x >= 0) & (cell_x < width)
    cell = cell_y[is_in] * width + cell_x[is_in]
    chroma = hints.chroma[ys[is_in], xs[is_in]]
    number = np.bincount(cell, minlength=height * width)
    for axis in (0, 1):
        total = np.bincount(cell, weights=chroma[:, axis], minlength=height * width)
        mean = (total / np.maximum(number, 1)).reshape(height, width)
        found[..., axis] = np.where(number.reshape(height, width) > 0, mean, found[..., axis])
    found[..., 2] = np.maximum(found[..., 2], number.reshape(height, width) > 0)
    return found


def shrunk(given: Floats, side: int) -> Floats:
    """Bring hints, float32 ``[h, w, 3]`` as `cells` returns them, to a square grid, float32 ``[side, side, 3]``."""
    whole = Hints(chroma=given[..., :2], given=given[..., 2] > 0)
    return cells(whole, given.shape[:2], None, side, side)


def paint(colour: Pixels, photo: Pixels, hints: Hints, picture: Picture | None = None, space: str = "srgb") -> None:
    """Give the pixels under hints exactly their colours, as far as the space shows them at the photo's luminance.

    Args:
        colour: uint8 or uint16 ``[H, W, 3]``, changed in place.
        photo: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``.
        hints: of the whole photo.
        picture: within its border, beyond which there is no colour; None for the whole photo.
        space: of the colours, one of `model.color_spaces.SPACES`.
    """
    height, width = photo.shape[:2]
    left, top, right, bottom = _box((height, width), picture)
    rows, columns = hints.given.shape
    x = (np.arange(left, right) * 2 + 1) * columns // (2 * width)
    for start in range(top, bottom, _ROWS):
        end = min(start + _ROWS, bottom)
        y = (np.arange(start, end) * 2 + 1) * rows // (2 * height)
        if not hints.given[y[0] : y[-1] + 1].any():
            continue
        under = hints.given[np.ix_(y, x)]
        if picture is not None:
            under = under & inside(picture, start, end, height, width)[:, left:right]
        ys, xs = np.nonzero(under)
        if not len(ys):
            continue
        light = color.luminance(photo[start:end, left:right].copy())[None, ys, xs]
        # A picture of one row, whose chroma has the same grid and no slopes.
        planes = np.zeros((5, 1, len(ys)), np.float32)
        planes[:2, 0] = hints.chroma[y[ys], x[xs]].T
        row = Guided(planes=planes, height=1, width=len(ys))
        colour[start + ys, left + xs] = joined(light, row, 0, 8 * colour.dtype.itemsize, space)[0]


def _box(photo: tuple[int, ...], picture: Picture | None) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom in pixels of what is not border."""
    return (0, 0, photo[1], photo[0]) if picture is None else picture.box(photo[0], photo[1])
