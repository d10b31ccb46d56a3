"""JPEGs at their full size, grey or in colour, and whether data of the picture is missing.

libjpeg makes what is missing grey, and says no more than "premature end of data segment"; Pillow does not pass this on.
"""

import numpy as np
import simplejpeg

from pipelines.errors import Rejected
from pipelines.images import cut_short, memory
from pipelines.images.opening import OpenPhoto
from tfrecords.color import Bytes

_COLOURS = {"L": "GRAY", "RGB": "RGB"}
# What is missing from a block is 0, which is mid-grey; blocks are at most 16 rows high.
_GREY, _BLOCK = (127, 129), 16
_MISSING = "premature end"
DAMAGED = "data_damaged"
"""Warning that a part of the data is missing, but hardly a row at the bottom."""


def read(photo: OpenPhoto) -> Bytes | None:
    """Decode an open JPEG that is not loaded yet, without regard to its profile and orientation.

    simplejpeg has the same libjpeg-turbo as Pillow, so that the pixels are the same, but decodes into the array itself,
    in three fifths of the time. If libjpeg warns, Pillow decides.

    Args:
        photo: any; warnings are added to ``photo.heard``.

    Returns:
        ``[H, W]`` or ``[H, W, 3]``; None for any other photo.

    Raises:
        Rejected: ``unreadable`` if more rows are missing than a block has, unless the user wants them grey.
    """
    image = photo.image
    if image.format != "JPEG" or image.mode not in _COLOURS or photo.words is not None:
        return None
    try:
        pixels: Bytes = simplejpeg.decode_jpeg(photo.data, _COLOURS[image.mode])
        return pixels[..., 0] if image.mode == "L" else pixels
    except ValueError as error:
        if memory.out_of_memory(error):
            raise
        is_missing = _MISSING in str(error)
    image.load()
    pixels = np.asarray(image)
    if is_missing:
        _judge(photo, missing_rows(pixels), len(pixels))
    return pixels


def check_reduced(photo: OpenPhoto, height: int) -> None:
    """Refuse a JPEG that Pillow decodes smaller, if `read` would refuse it at its full size.

    Args:
        photo: any, at its reduced size; warnings are added to ``photo.heard``.
        height: of its full size.

    Raises:
        Rejected: as `read` does.
    """
    image = photo.image
    if image.mode not in _COLOURS:
        return
    image.load()
    step = -(-height // image.height)
    most = min(image.height, _BLOCK // step + 1)
    bottom = image.crop((0, image.height - most, image.width, image.height))
    if missing_rows(np.asarray(bottom)) < most:
        return
    try:
        simplejpeg.decode_jpeg(photo.data, _COLOURS[image.mode], min_height=1, min_width=1)
    except ValueError as error:
        if memory.out_of_memory(error):
            raise
        if _MISSING in str(error):
            _judge(photo, min(height, step * missing_rows(np.asarray(image))), height)


def _judge(photo: OpenPhoto, rows: int, height: int) -> None:
    if rows > _BLOCK and not photo.keeps_rows:
        raise Rejected("unreadable", f"the picture is cut short: {rows:,} of {height:,} rows are missing")
    warning = cut_short.WARNING if rows > _BLOCK else DAMAGED
    photo.heard.append(warning)


def missing_rows(pixels: Bytes) -> int:
    """Return how many rows at the bottom are nothing but mid-grey."""
    row = len(pixels)
    while row and pixels[row - 1].min() >= _GREY[0] and pixels[row - 1].max() <= _GREY[1]:
        row -= 1
    return len(pixels) - row
