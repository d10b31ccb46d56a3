import numpy as np
import pytest
from PIL import Image

from pipelines.images import samples

WORDS = np.arange(65_536, dtype=np.uint16).reshape(256, 256)


def test_words_become_the_nearest_bytes():
    np.testing.assert_array_equal(samples.to_bytes(WORDS), np.rint(WORDS / 257))
    bytes_ = WORDS.astype(np.uint8)
    assert np.shares_memory(samples.to_bytes(bytes_), bytes_)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15, 16])
def test_all_ones_become_white(bits):
    values = np.arange(1 << bits, dtype=np.uint16).reshape(-1, 256)
    np.testing.assert_array_equal(samples.scaled(values, bits), np.rint(values / ((1 << bits) - 1) * 65_535))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 0.5, 1]]), [0, 32_768, 65_535]),
        (np.array([[-1.0, 0, 3]]), [0, 16_384, 65_535]),
        (np.array([[np.nan, np.inf, 1]]), [0, 0, 65_535]),
        (np.array([[0, 65_535, 100]], np.int32), [0, 65_535, 100]),
        (np.array([[0, 131_070, 100]], np.uint32), [0, 65_535, 50]),
        (np.array([[7, 7, 7]], np.uint32), [7, 7, 7]),
    ],
)
def test_values_without_a_white_are_stretched_where_they_leave_the_range(values, expected):
    assert samples.stretch(values).tolist() == [expected]


def test_transparency_lies_on_white():
    pixel = np.array([[[10_000, 20_000, 30_000, 16_384]]], np.uint16)
    share = 16_384 / 65_535
    expected = np.rint(pixel[..., :3] * share).astype(int) + 65_535 - 16_384
    assert np.abs(samples.on_white(pixel) - expected).max() <= 1
    low = np.array([[[10, 20, 30, 64]]], np.uint8)
    assert samples.on_white(low).tolist() == [[[194, 196, 199]]]
    assert samples.on_white(pixel[..., :2]).shape == (1, 1)
    np.testing.assert_array_equal(samples.on_white(pixel[..., :3]), pixel[..., :3])


def test_colours_are_divided_by_their_alpha():
    stored = np.array([[[10_000, 20_000, 16_384, 32_768], [0, 0, 0, 0], [9, 65_535, 7, 65_535]]], np.uint16)
    straight = [[[20_000, 39_999, 32_768, 32_768], [0, 0, 0, 0], [9, 65_535, 7, 65_535]]]
    assert np.abs(samples.straight(stored).astype(int) - straight).max() <= 1
    beyond = np.array([[[40_000, 20_000]]], np.uint16)
    assert samples.straight(beyond).tolist() == [[[65_535, 20_000]]]


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I", "F"])
def test_the_pixels_of_an_image(mode):
    image = Image.fromarray(WORDS.astype(np.uint8)).convert(mode)
    np.testing.assert_array_equal(samples.of_image(image), np.asarray(image))
