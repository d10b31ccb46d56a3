"""Squeeze photos to the size at which a model sees them, in training and in use."""

import cv2

from tfrecords.color import Pixels


def squeezed(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize pixels by area averaging; linearly if a side is too short.

    Up to twice the size, OpenCV averages whole pixels far faster than parts of pixels, so photos are first scaled to
    twice the size: 0.5 ms instead of 1.2 ms for 500 x 375 pixels. The result differs from direct averaging by 0.18 in L
    and 0.17 in ab on average (107 ImageNet photos), less than decoding at half the size does. The linear kernel sees
    two pixels, so a side that is more than twice too long is averaged first.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, C]``.
        width: of the result.
        height: of the result.

    Returns:
        the same type, ``[height, width]`` or ``[height, width, C]``.
    """
    across, down = pixels.shape[1] / width, pixels.shape[0] / height
    if min(across, down) >= 1:
        if 1 < max(across, down) <= 2:
            pixels = _resized(pixels, 2 * width, 2 * height, cv2.INTER_LINEAR)
        return _resized(pixels, width, height, cv2.INTER_AREA)
    if max(across, down) > 2:
        most = min(pixels.shape[1], 2 * width), min(pixels.shape[0], 2 * height)
        pixels = _resized(pixels, *most, cv2.INTER_AREA)
    return _resized(pixels, width, height, cv2.INTER_LINEAR)


def _resized(pixels: Pixels, width: int, height: int, kernel: int) -> Pixels:
    resized: Pixels = cv2.resize(pixels, (width, height), interpolation=kernel)
    return resized.reshape(height, width, *pixels.shape[2:])
