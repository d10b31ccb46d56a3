import cv2
import numpy as np
import pytest

from tfrecords.squeezing import averaged


def pictures(height: int, width: int) -> list[np.ndarray]:
    """Pictures whose averages are anywhere, at a code, or in the middle between two."""
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (height, width), np.uint8)
    lines = np.indices((height, width)).sum(axis=0) % 2
    return [noise, 255 * draw.integers(0, 2, (height, width), np.uint8), lines.astype(np.uint8), np.sort(noise)]


@pytest.mark.parametrize(("height", "width"), [(700, 1201), (1600, 770)])
@pytest.mark.parametrize(("columns", "rows"), [(256, 256), (256, 20), (7, 611)])
def test_averages_are_those_of_opencv_to_the_bit(height, width, columns, rows):
    for picture in pictures(height, width):
        for pixels in (picture, np.stack([picture, picture[::-1], 255 - picture], axis=-1)):
            expected = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
            np.testing.assert_array_equal(averaged(pixels, columns, rows), expected)


def test_averages_of_every_nth_pixel_and_of_a_part_are_those_of_opencv_to_the_bit():
    picture = np.stack(pictures(1300, 2100)[:3], axis=-1)
    for step, part in ((2, picture), (1, picture[5:-7, 3:-9]), (2, picture[5:-7, 3:-9]), (2, picture[..., 0])):
        taken = np.ascontiguousarray(part[::step, ::step])
        expected = cv2.resize(taken, (250, 190), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(averaged(part, 250, 190, step), expected)
