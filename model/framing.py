"""Colour for the picture within a border: the model sees the picture alone, and the margins stay grey.

The edge is cut sharply, at the full resolution of the photo, so that no colour runs into the margin. Luminance is
everywhere that of the photo, as in `model.upsampling`.
"""

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from model.borders import Picture
from model.upsampling import STRIP_PIXELS, Guided, guide, recolor_guided, recolor_rows
from model.watermark import lay
from model.watermark_code import Payload
from tfrecords.color import Bytes, Floats, Pixels


def seen_part(pixels: Pixels, picture: Picture | None) -> Pixels:
    """Return the part of a photo that the model sees, as a view: the box of the picture, or the whole photo."""
    if picture is None:
        return pixels
    left, top, right, bottom = picture.box(*pixels.shape[:2])
    return pixels[top:bottom, left:right]


@overload
def recolor_picture(
    pixels: Pixels,
    chroma: Floats,
    picture: Picture | None,
    bits: Literal[8] = 8,
    seen: Floats | None = None,
    space: str = ...,
    watermark: Payload | None = None,
    below: int = 0,
) -> Bytes: ...
@overload
def recolor_picture(
    pixels: Pixels,
    chroma: Floats,
    picture: Picture | None,
    bits: int,
    seen: Floats | None = None,
    space: str = ...,
    watermark: Payload | None = None,
    below: int = 0,
) -> Pixels: ...
def recolor_picture(
    pixels: Pixels,
    chroma: Floats,
    picture: Picture | None,
    bits: int = 8,
    seen: Floats | None = None,
    space: str = "srgb",
    watermark: Payload | None = None,
    below: int = 0,
) -> Pixels:
    """Join the luminance of a photo with chroma for its picture; the same as `model.upsampling.recolor` without one.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        chroma: float32 ``[h, w, 2]``, a and b of `seen_part`.
        picture: where the picture is; None if the photo has no border.
        bits: 8 or 16, of the result.
        seen: `model.upsampling.model_luminance` of `seen_part`, where it is at hand.
        space: one of `model.color_spaces.SPACES`.
        watermark: content of the watermark in the chroma (`model.watermark`); None for none.
        below: rows that somebody will add below the photo, which count where the watermark is measured.

    Returns:
        uint8 or uint16 ``[H, W, 3]``, codes of the space; R = G = B outside the picture, unless rounding
        differs by one.
    """
    height, width = pixels.shape[:2]
    box = left, top, right, bottom = (0, 0, width, height) if picture is None else picture.box(height, width)
    guided = guide(seen_part(pixels, picture), chroma, seen)
    if watermark is not None:
        guided = lay(guided, watermark, box, (height + below, width))
    if picture is None:
        return recolor_guided(pixels, guided, bits, space)
    shape = height, width, 3
    result: Pixels = np.empty(shape, np.uint8) if bits == 8 else np.empty(shape, np.uint16)
    rows = max(1, STRIP_PIXELS // width)
    for start in [*range(0, top, rows), *range(top, bottom, rows), *range(bottom, height, rows)]:
        end = min(start + rows, next(limit for limit in (top, bottom, height) if start < limit))
        part = result[start:end]
        if not top <= start < bottom:
            part[:] = _grey(pixels[start:end], bits, space)
            continue
        within_it = inside(picture, start, end, height, width)
        within = np.flatnonzero(within_it.all(axis=0))
        if within.size:
            # Only what is not wholly inside needs the margin's grey.
            for columns in (slice(0, int(within[0])), slice(int(within[-1]) + 1, width)):
                if columns.start < columns.stop:
                    part[:, columns] = _grey(pixels[start:end, columns], bits, space)
        else:
            part[:] = _grey(pixels[start:end], bits, space)
        colored = recolor_rows(pixels[start:end, left:right], guided, start - top, bits, space)
        np.copyto(part[:, left:right], colored, where=within_it[:, left:right, None])
    return result


def _grey(pixels: Pixels, bits: int, space: str) -> Pixels:
    """Return the grey of a part of a photo, as if chroma of 0 had been brought up for it."""
    height, width = pixels.shape[:2]
    guided = Guided(planes=np.zeros((5, 2, 2), np.float32), height=height, width=width)
    return recolor_rows(pixels, guided, 0, bits, space)


def inside(picture: Picture, start: int, end: int, height: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels of the rows from ``start`` to ``end`` belong to the picture, ``[end - start, width]``."""
    y = ((np.arange(start, end) + 0.5) / height)[:, None]
    x = ((np.arange(width) + 0.5) / width)[None]
    across = (x >= picture.left.start + picture.left.slope * y) & (x < picture.right.start + picture.right.slope * y)
    return (
        across
        & (y >= picture.top.start + picture.top.slope * x)
        & (y < picture.bottom.start + picture.bottom.slope * x)
    )
