import numpy as np
import pytest

from pipelines.images import label


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_the_picture_stays_as_it_is_and_the_margin_has_no_colour(dtype, channels):
    most = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, most, (300, 400, channels), dtype)
    made = label.add(pixels)
    assert (made.shape, made.dtype) == ((300 + label.rows(300, 400), 400, channels), dtype)
    assert np.array_equal(made[:300], pixels)
    margin = made[300:]
    assert (margin[..., :1] == margin[..., :3]).all()
    assert (margin[..., 3:] == most).all()
    assert margin[..., 0].min() < 0.4 * most < 0.9 * most < margin[..., 0].max()


@pytest.mark.parametrize("shape", [(1, 1), (3000, 40), (20, 3000), (16, 16)])
def test_the_line_fits_into_any_picture(shape):
    margin = label.add(np.zeros((*shape, 3), np.uint8))[shape[0] :, :, 0]
    edges = np.concatenate([margin[0], margin[-1]])
    assert (edges == margin.max()).all()


def test_equal_pictures_get_equal_lines():
    pixels = np.zeros((90, 120, 3), np.uint8)
    assert np.array_equal(label.add(pixels), label.add(pixels))
