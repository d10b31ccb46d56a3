"""Between a photo and the model: luminance goes in at the model's size, chroma comes out at the photo's."""

import cv2
import numpy as np

from tfrecords.color import Bytes, Floats, lab_to_srgb, luminance

# About a million pixels of Lab at a time keeps a scan of any size within some 50 MB beside its own bytes.
_STRIP_PIXELS = 1 << 20


def model_luminance(pixels: Bytes, size: int) -> Floats:
    """What the model sees of a photo: L* / 100 of it squeezed to a square, as in training.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 3]``, sRGB.
        size: side S of the model's input.

    Returns:
        float32 ``[S, S, 1]`` in [0, 1].
    """
    return luminance(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA))[..., None] / np.float32(100)


def recolor(pixels: Bytes, chroma: Floats) -> Bytes:
    """Joins the luminance of a photo with chroma of any size, brought up bilinearly.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 3]``, sRGB; of colour, only the luminance is used.
        chroma: float32 ``[h, w, 2]``, a and b.

    Returns:
        uint8 ``[H, W, 3]``, sRGB. Colours outside sRGB have given up chroma; L* is the photo's to within rounding.
    """
    height, width = pixels.shape[:2]
    result = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = pixels[top : top + rows]
        lab = np.empty((*strip.shape[:2], 3), np.float32)
        lab[..., 0] = luminance(strip)
        lab[..., 1:] = _stretch(chroma, top, len(strip), height, width)
        result[top : top + rows] = lab_to_srgb(lab)
    return result


def _stretch(chroma: Floats, top: int, rows: int, height: int, width: int) -> Floats:
    """Rows ``top`` to ``top + rows`` of chroma resized bilinearly (pixel centres aligned) to ``height`` x ``width``."""
    position = (np.arange(top, top + rows, dtype=np.float32) + 0.5) * len(chroma) / height - 0.5
    position = np.clip(position, 0, len(chroma) - 1)
    above = position.astype(np.intp)
    below = np.minimum(above + 1, len(chroma) - 1)
    weight = (position - above).astype(np.float32)[:, None, None]
    lines = chroma[above] * (1 - weight) + chroma[below] * weight
    return cv2.resize(lines, (width, rows), interpolation=cv2.INTER_LINEAR)
