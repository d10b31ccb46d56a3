"""Convert samples of any depth to 8 or 16 bits, and lay transparency on white.

Unsigned integers are scaled by the range of their type, 2**bits - 1 to 255 or 65,535, never clipped. Work is done on a
few rows at a time.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.images.strips import by_strips, strips
from tfrecords.color import Bytes, Pixels, Words

WHITE = 65535
"""Of 16 bits."""


def of_image(image: Image.Image) -> npt.NDArray[Any]:
    """Return the pixels of an open image; ``np.asarray`` takes two more copies meanwhile."""
    image.load()
    width, height = image.size
    return by_strips(lambda rows: np.asarray(image.crop((0, rows.start, width, rows.stop))), height, width)


def to_bytes(pixels: Pixels) -> Bytes:
    """Scale uint16 to uint8, 65,535 to 255, rounded to the nearest; uint8 is returned as it is."""
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    return by_strips(lambda rows: _rounded(pixels[rows]), *pixels.shape[:2])


def to_words(pixels: Pixels) -> Words:
    """Scale uint8 to uint16, 255 to 65,535; uint16 is returned as it is."""
    if pixels.dtype == np.uint16:
        return pixels.view(np.uint16)
    return by_strips(lambda rows: pixels[rows].astype(np.uint16) * np.uint16(257), *pixels.shape[:2])


def _rounded(words: Pixels) -> Bytes:
    codes = words // 257
    return (codes + (words - 257 * codes > 128)).astype(np.uint8)


def scaled(samples: npt.NDArray[Any], bits: int) -> Words:
    """Scale unsigned integers of up to 16 bits to uint16, 2**bits - 1 to 65,535, rounded to the nearest."""
    if bits == 16:
        return samples.astype(np.uint16, copy=False)
    top = (1 << bits) - 1

    def scale(rows: slice) -> Words:
        return ((samples[rows].astype(np.uint32) * WHITE + top // 2) // top).astype(np.uint16)

    return by_strips(scale, *samples.shape[:2])


def stretch(values: npt.NDArray[Any], bits: int = 16) -> Words:
    """Scale integers and floating point without a white of their own to uint16.

    Floating point in [0, 1] keeps its scale, and so do integers in [0, 2**bits - 1], of at most 16 bits. Any others are
    stretched from the least to the greatest. NaN and infinity become 0.
    """
    is_real = values.dtype.kind == "f"

    def part(rows: slice) -> npt.NDArray[Any]:
        return np.nan_to_num(values[rows], nan=0, posinf=0, neginf=0) if is_real else values[rows]

    size = values.shape[:2]
    ends = [(float(some.min()), float(some.max())) for some in map(part, strips(*size))]
    low, high = min(least for least, _ in ends), max(most for _, most in ends)
    known = 1.0 if is_real else float((1 << bits) - 1)
    if low >= 0 and high <= known:
        low, high = 0.0, known
    scale = WHITE / max(high - low, 1e-12)
    return by_strips(lambda rows: np.rint((part(rows).astype(np.float64) - low) * scale).astype(np.uint16), *size)


def has_alpha(pixels: Pixels) -> bool:
    """Return whether pixels have alpha, their last channel: ``[H, W, 2]`` or ``[H, W, 4]``."""
    return pixels.ndim == 3 and pixels.shape[2] in (2, 4)


def is_transparent(pixels: Pixels) -> bool:
    """Return whether pixels have alpha, and any of it is less than opaque."""
    return has_alpha(pixels) and bool(pixels[..., -1].min() < np.iinfo(pixels.dtype).max)


def without_alpha(pixels: Pixels) -> npt.NDArray[Any]:
    """Return the colours of pixels as a view, ``[H, W]`` or ``[H, W, 3]``."""
    if not has_alpha(pixels):
        return pixels
    return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]


def with_alpha(colours: Pixels, alpha: Pixels) -> Pixels:
    """Join colours ``[H, W]`` or ``[H, W, 3]`` and alpha ``[H, W]`` of one type."""
    joined: npt.NDArray[Any] = np.dstack([colours, alpha])
    return joined


def on_white(pixels: Pixels) -> Pixels:
    """Lay pixels with straight alpha on white paper.

    Args:
        pixels: ``[H, W, 2]`` or ``[H, W, 4]`` with alpha last; ``[H, W]`` and ``[H, W, 3]`` are returned as they are.

    Returns:
        ``[H, W]`` or ``[H, W, 3]`` of the same type.
    """
    if not has_alpha(pixels):
        return pixels
    white = np.iinfo(pixels.dtype).max

    def lay(rows: slice) -> Pixels:
        alpha = pixels[rows, :, -1:].astype(np.uint32)
        laid = (pixels[rows, :, :-1] * alpha + white // 2) // white + (white - alpha)
        result: npt.NDArray[Any] = laid.astype(pixels.dtype)
        return result[..., 0] if result.shape[2] == 1 else result

    return by_strips(lay, *pixels.shape[:2])


def straight(words: Words) -> Words:
    """Divide colours by their alpha, with which they are multiplied (associated alpha); where it is 0 they are 0.

    Args:
        words: ``[H, W, 2]`` or ``[H, W, 4]`` with alpha last.
    """

    def divide(rows: slice) -> Words:
        alpha = words[rows, :, -1:].astype(np.uint32)
        colours = words[rows, :, :-1] * np.uint32(WHITE)
        whole = np.minimum((colours + alpha // 2) // np.maximum(alpha, 1), WHITE) * (alpha > 0)
        return np.concatenate([whole, alpha], axis=-1).astype(np.uint16)

    return by_strips(divide, *words.shape[:2])
