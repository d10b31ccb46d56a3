"""Add a line in a margin below a picture that says that a machine coloured it. The picture itself stays as it is."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfrecords.color import Bytes, Pixels

TEXT = "AI-colorized"
_SHARE, _FEWEST = 0.035, 16  # of the longer side; rows
_PAPER, _INK = 236, 64
_OF_ROWS = 0.62


def rows(height: int, width: int) -> int:
    """Return how many rows the margin of a picture has."""
    return max(_FEWEST, round(_SHARE * max(height, width)))


def add(pixels: Pixels) -> Pixels:
    """Return a picture with the line below it.

    Args:
        pixels: uint8 or uint16, ``[H, W, 3]``, or ``[H, W, 4]`` with alpha last.

    Returns:
        the same type, ``[H + rows(H, W), W, …]``; R = G = B and opaque below the picture.
    """
    height, width, channels = pixels.shape
    grey = _margin(rows(height, width), width)
    most = int(np.iinfo(pixels.dtype).max)
    margin = np.full((*grey.shape, channels), most, pixels.dtype)
    margin[..., :3] = grey[..., None].astype(pixels.dtype) * (most // 255)
    return np.concatenate([pixels, margin])


@lru_cache(maxsize=4)
def _margin(height: int, width: int) -> Bytes:
    image = Image.new("L", (width, height), _PAPER)
    size = _OF_ROWS * height
    left, top, right, bottom = _font(size).getbbox(TEXT)
    size *= min(1.0, 0.9 * width / (right - left))  # a narrow picture
    font = _font(size)
    left, top, right, bottom = font.getbbox(TEXT)
    place = ((width - (right - left)) / 2 - left, (height - (bottom - top)) / 2 - top)
    ImageDraw.Draw(image).text(place, TEXT, fill=_INK, font=font)
    return np.asarray(image)


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(1.0, size))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
