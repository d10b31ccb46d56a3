import numpy as np
import pytest

from model import luminance_kernels
from tfrecords.color import linear_light, luminance


@pytest.mark.parametrize("bits", [8, 16])
def test_luminance_of_any_colour(bits):
    top = (1 << bits) - 1
    corners = np.array(np.meshgrid(*[[0, 1, 2, top // 40, top // 2, top - 1, top]] * 3)).reshape(3, -1).T
    drawn = np.random.default_rng(0).integers(0, top + 1, (60_000, 3))
    pixels = np.concatenate([corners, drawn]).astype(np.uint8 if bits == 8 else np.uint16)[None]
    light = np.empty(pixels.shape[:2], np.float32)
    compute = luminance_kernels.luminance_of_bytes if bits == 8 else luminance_kernels.luminance_of_words
    compute(pixels, linear_light(bits), light)
    np.testing.assert_allclose(light, luminance(pixels), atol=3e-5)
    assert light.min() == 0
    assert light.max() <= 100.00002
