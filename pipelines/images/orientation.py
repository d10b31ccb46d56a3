"""The eight orientations in which EXIF and TIFF store photos, and turning them upright."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.images import memory, tiff_tags

UPRIGHT = 1
_FLIPS_AND_TURNS: dict[int, tuple[int, int, bool]] = {  # row step, column step, transposed afterwards
    1: (1, 1, False),
    2: (1, -1, False),
    3: (-1, -1, False),
    4: (-1, 1, False),
    5: (1, 1, True),
    6: (-1, 1, True),
    7: (-1, -1, True),
    8: (1, -1, True),
}

# What Pillow raises on broken EXIF and XMP.
_OF_BROKEN_EXIF = (SyntaxError, struct.error, LookupError, TypeError, ValueError, ArithmeticError, OSError, EOFError)


def valid(value: int) -> int:
    """Return the orientation itself, or 1 instead of one that does not exist."""
    return value if value in _FLIPS_AND_TURNS else UPRIGHT


def transposes(value: int) -> bool:
    """Return whether turning upright exchanges width and height."""
    return _FLIPS_AND_TURNS[value][2]


def of(image: Image.Image) -> int:
    """Return the orientation of an open image, 1 to 8, from its EXIF or XMP; broken EXIF counts as none.

    Raises:
        Exception: a PNG is broken; it is loaded, because its EXIF may come after its pixels.
    """
    if image.format == "PNG":
        image.load()
    with memory.suppressed(*_OF_BROKEN_EXIF):
        return valid(int(image.getexif().get(tiff_tags.ORIENTATION, UPRIGHT)))
    return UPRIGHT


def upright(pixels: npt.NDArray[Any], value: int) -> npt.NDArray[Any]:
    """Turn ``[H, W]`` or ``[H, W, C]`` of an orientation upright; the result is contiguous."""
    rows, columns, transposed = _FLIPS_AND_TURNS[value]
    pixels = pixels[::rows, ::columns]
    return np.ascontiguousarray(pixels.swapaxes(0, 1) if transposed else pixels)
