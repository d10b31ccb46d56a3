"""Whether two decoders see the same picture, compared in a small version."""

import cv2
import numpy as np

from pipelines.errors import Rejected
from tfrecords.color import Bytes, Floats

_SIDE = 64
# Codes of 255. Decoders round in different ways; a wrong picture is off by tens.
_MEAN, _MOST = 3.0, 24.0


def check(one: Bytes, other: Bytes, name: str, other_name: str) -> None:
    """Compare what two decoders made of a photo.

    Args:
        one: uint8 ``[H, W]``, ``[H, W, 3]`` or ``[H, W, 4]``, whose alpha is not compared.
        other: the same, by the other decoder.
        name: of the first decoder.
        other_name: of the other.

    Raises:
        Rejected: ``decoders_disagree``.
    """
    if one.shape[:2] != other.shape[:2]:
        said = f"{one.shape[1]} x {one.shape[0]} and {other.shape[1]} x {other.shape[0]} pixels"
        raise Rejected("decoders_disagree", f"{name} and {other_name} see {said}")
    apart = np.abs(_small(one) - _small(other))
    if apart.mean() > _MEAN or apart.max() > _MOST:
        said = f"see pictures that are {apart.mean():.0f} of 255 apart on average, and up to {apart.max():.0f}"
        raise Rejected("decoders_disagree", f"{name} and {other_name} {said}")


def _small(pixels: Bytes) -> Floats:
    colours = pixels[..., None] if pixels.ndim == 2 else pixels[..., :3]
    height, width = pixels.shape[:2]
    size = min(width, _SIDE), min(height, _SIDE)
    small: Bytes = cv2.resize(np.ascontiguousarray(colours), size, interpolation=cv2.INTER_AREA)
    return small.reshape(size[1], size[0], -1).astype(np.float32)
