import numpy as np
import pytest
import tensorflow as tf

from model import shrinking


def averaged(rows: np.ndarray, side: int) -> np.ndarray:
    """Means of rows [S, …], each in `side` equal parts, of which S make a row of the result, [side, …]."""
    parts = rows.astype(np.float64).repeat(side, axis=0)
    return np.stack([parts[start * len(rows) : (start + 1) * len(rows)].mean(axis=0) for start in range(side)])


@pytest.mark.parametrize(("size", "side"), [(8, 8), (8, 4), (8, 6), (7, 3), (9, 1), (256, 192)])
def test_each_pixel_is_the_mean_over_its_area(size, side):
    pictures = np.random.default_rng(0).random((2, size, size, 3), np.float32)
    found = shrinking.shrunk(tf.constant(pictures), side).numpy()
    for picture, small in zip(pictures, found, strict=True):
        expected = averaged(averaged(picture, side).swapaxes(0, 1), side).swapaxes(0, 1)
        np.testing.assert_allclose(small, expected, atol=1e-6)
    np.testing.assert_allclose(found, tf.image.resize(pictures, [side, side], "area"), atol=5e-5)
