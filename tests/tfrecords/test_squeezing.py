import cv2
import numpy as np
import pytest
import skimage.color

from tfrecords.squeezing import squeezed


@pytest.mark.parametrize(("height", "width"), [(256, 256), (256, 512), (375, 500), (512, 300), (512, 512), (300, 513)])
def test_squeezing_averages_areas(photos, height, width):
    for photo in (photos["coffee"][:height, :width], photos["rocket"][:height, :width].repeat(2, 0)[:height]):
        pixels = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
        found, exact = (
            skimage.color.rgb2lab(squared)
            for squared in (
                squeezed(pixels, 256, 256),
                cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA),
            )
        )
        error = np.abs(found - exact)
        assert error[..., 0].mean() < 0.4
        assert error[..., 1:].mean() < 0.4
        assert np.abs(found.mean(axis=(0, 1)) - exact.mean(axis=(0, 1))).max() < 0.1


def test_a_side_that_is_too_short_is_enlarged_linearly(photos):
    small = photos["coffee"][:100, :140]
    found = squeezed(small, 256, 256)
    np.testing.assert_array_equal(found, cv2.resize(small, (256, 256), interpolation=cv2.INTER_LINEAR))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_other_side_is_averaged_all_the_same(dtype):
    """Lines of one pixel, black and white, are grey from afar."""
    lines = np.tile(np.array([0, 200], dtype), (100, 3000))
    for pixels in (lines, lines.T):
        assert np.abs(squeezed(pixels, 256, 256).astype(int) - 100).max() <= 60
        assert squeezed(pixels, 256, 256).mean() == pytest.approx(100, abs=1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (300, 200, 3), (7, 9, 3)])
def test_any_shape_becomes_the_one_that_is_asked_for(shape):
    assert squeezed(np.zeros(shape, np.uint8), 32, 16).shape == (16, 32, *shape[2:])
