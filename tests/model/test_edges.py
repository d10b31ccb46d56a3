"""How far colour runs over an edge between two tones of other luminance and chroma, with a coarse grid of chroma."""

import cv2
import numpy as np
import pytest
import skimage.color

from model.upsampling import guide, recolor_rows
from tfrecords.color import lab_to_srgb_words

LEFT, RIGHT = (35, 30, 15), (65, -25, 20)
STEP = abs(LEFT[1] - RIGHT[1])
GRID = 256


def bleed(width: int, height: int, detail: int) -> tuple[float, float]:
    """Pixels by which a is wrong in a row, as full steps: of ours, and of bilinear chroma.

    Chroma comes as from a network: 256 x 256 with the detail of `detail`; the edge lies within a pixel of the grid.
    """
    is_left = np.arange(width) < round(0.4137 * width)
    light = np.where(is_left, LEFT[0], RIGHT[0]).astype(np.float32)
    pixels = lab_to_srgb_words(np.dstack([light[None], 0 * light[None], 0 * light[None]]))[..., 0].repeat(height, 0)
    chroma = np.where(is_left[:, None], LEFT[1:], RIGHT[1:]).astype(np.float32)[None]
    for side in (GRID, detail):
        chroma = cv2.resize(chroma, (side, 1), interpolation=cv2.INTER_AREA)
    chroma = cv2.resize(chroma.repeat(GRID, 0), (GRID, GRID), interpolation=cv2.INTER_LINEAR)
    middle = height // 2
    found = recolor_rows(pixels[middle : middle + 1], guide(pixels, chroma), middle, 16)
    asked = np.where(is_left, LEFT[1], RIGHT[1])
    ours = skimage.color.rgb2lab(found / 65535)[0, :, 1]
    theirs = cv2.resize(chroma[:1], (width, 1), interpolation=cv2.INTER_LINEAR)[0, :, 0]
    return tuple(float(np.abs(row - asked).sum() / STEP) for row in (ours, theirs))


@pytest.mark.parametrize(
    ("width", "height", "detail", "most"),
    [
        (4000, 3000, 256, 2.45),
        (4000, 3000, 64, 14.8),
        (4000, 3000, 32, 38.8),
        (320, 240, 256, 0.30),
        (320, 240, 64, 1.26),
        (320, 240, 32, 2.95),
    ],
)
def test_colour_runs_over_an_edge_by_no_more_pixels_than_it_did(width, height, detail, most):
    ours, bilinear = bleed(width, height, detail)
    assert ours <= most
    assert ours < 0.75 * bilinear
