import cv2
import numpy as np
import pytest
import skimage.color

from pipelines.recolor import model_luminance, recolor
from tfrecords.color import lab_to_srgb, luminance


def chroma_of(shape: tuple[int, int], strength: float = 30) -> np.ndarray:
    return np.random.default_rng(3).uniform(-strength, strength, (*shape, 2)).astype(np.float32)


def in_one_piece(pixels: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    size = pixels.shape[1::-1]
    return lab_to_srgb(np.dstack([luminance(pixels), cv2.resize(chroma, size, interpolation=cv2.INTER_LINEAR)]))


SIZES = [(1, 1), (1, 700), (700, 1), (3, 2), (64, 64), (999, 1301), (20, 60_000)]


@pytest.mark.parametrize(
    ("size", "model_size"), [*((size, (32, 32)) for size in SIZES), (SIZES[-2], (16, 48)), (SIZES[1], (1, 1))]
)
def test_strips_do_not_show(grey_photos, size, model_size):
    pixels = cv2.resize(grey_photos["camera"], size[::-1], interpolation=cv2.INTER_LINEAR)
    found = recolor(pixels, chroma_of(model_size))
    assert found.dtype == np.uint8
    assert found.shape == (*size, 3)
    # OpenCV's weights are rounded otherwise: now and then a byte is the next one.
    different = np.abs(found.astype(int) - in_one_piece(pixels, chroma_of(model_size)))
    assert different.max() <= 1
    assert different.mean() < 0.01


@pytest.mark.parametrize("strength", [0, 30, 110])
def test_luminance_is_the_photo_s(grey_photos, strength):
    for pixels in grey_photos.values():
        found = recolor(pixels, chroma_of((32, 32), strength))
        error = np.abs(skimage.color.rgb2lab(found)[..., 0] - skimage.color.rgb2lab(np.dstack([pixels] * 3))[..., 0])
        assert error.mean() < 0.2
        assert error.max() < 0.35


def test_no_chroma_gives_the_photo_back(grey_photos):
    for pixels in grey_photos.values():
        np.testing.assert_array_equal(recolor(pixels, np.zeros((8, 8, 2), np.float32)), np.dstack([pixels] * 3))


def test_of_colour_only_the_luminance_is_used(photos):
    chroma = chroma_of((32, 32))
    for photo in photos.values():
        found = skimage.color.rgb2lab(recolor(photo, chroma))
        lab = skimage.color.rgb2lab(photo)
        assert np.abs(found[..., 0] - lab[..., 0]).max() < 0.35
        grey = lab_to_srgb((lab * [1, 0, 0]).astype(np.float32))
        again = skimage.color.rgb2lab(recolor(grey, chroma))
        assert np.abs(again[..., 1:] - found[..., 1:]).mean() < 0.3


def test_what_the_model_sees(photos, grey_photos):
    for pixels in (photos["coffee"], grey_photos["coins"]):
        seen = model_luminance(pixels, 32)
        assert (seen.shape, seen.dtype) == ((32, 32, 1), np.float32)
        assert 0 <= seen.min() < seen.max() <= 1
        small = cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA)
        rgb = small if small.ndim == 3 else np.dstack([small] * 3)
        np.testing.assert_allclose(100 * seen[..., 0], skimage.color.rgb2lab(rgb)[..., 0], atol=0.005)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (7, 7)])
def test_photos_smaller_or_longer_than_the_model(size):
    pixels = np.full(size, 128, np.uint8)
    np.testing.assert_allclose(model_luminance(pixels, 32), luminance(pixels[:1, :1])[0, 0] / 100, rtol=1e-6)
