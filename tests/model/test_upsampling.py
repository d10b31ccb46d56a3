import tracemalloc

import cv2
import numpy as np
import pytest
import skimage.color
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter, minimum_filter

from model.upsampling import Guided, guide, model_luminance, recolor, recolor_rows
from tfrecords.color import lab_to_srgb, lab_to_srgb_words, luminance, srgb_to_lab


def chroma_of(shape: tuple[int, int], strength: float = 30) -> np.ndarray:
    return np.random.default_rng(3).uniform(-strength, strength, (*shape, 2)).astype(np.float32)


SIZES = [(1, 1), (1, 700), (700, 1), (3, 2), (64, 64), (999, 1301), (20, 60_000)]


@pytest.mark.parametrize(
    ("size", "model_size"), [*((size, (32, 32)) for size in SIZES), (SIZES[-2], (16, 48)), (SIZES[1], (1, 1))]
)
def test_strips_do_not_show(grey_photos, size, model_size):
    pixels = cv2.resize(grey_photos["camera"], size[::-1], interpolation=cv2.INTER_LINEAR)
    chroma = chroma_of(model_size)
    found = recolor(pixels, chroma)
    assert found.dtype == np.uint8
    assert found.shape == (*size, 3)
    np.testing.assert_array_equal(found, recolor_rows(pixels, guide(pixels, chroma), 0))


sides = st.integers(1, 70)


@given(st.tuples(sides, sides), st.tuples(sides, sides), st.data())
def test_rows_are_the_same_whichever_are_asked_for_together(size, model_size, data):
    rng = np.random.default_rng(size)
    pixels = rng.integers(0, 256, size, np.uint8)
    guided = guide(pixels, chroma_of(model_size))
    cut = data.draw(st.integers(0, size[0] - 1))
    parts = [recolor_rows(part, guided, top) for part, top in ((pixels[:cut], 0), (pixels[cut:], cut)) if len(part)]
    np.testing.assert_array_equal(np.concatenate(parts), recolor(pixels, chroma_of(model_size)))


def shrunk(photo: np.ndarray, size: int, detail: int) -> np.ndarray:
    """Chroma of a photo as a network gives it: `size` pixels square with the detail of `detail`."""
    chroma = np.ascontiguousarray(srgb_to_lab(photo)[..., 1:])
    for side in (size, detail):
        chroma = cv2.resize(chroma, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(chroma, (size, size), interpolation=cv2.INTER_LINEAR)


def bilinear(pixels: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    full = cv2.resize(chroma, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return lab_to_srgb(np.dstack([luminance(pixels), full]))


def difference(found: np.ndarray, lab: np.ndarray) -> np.ndarray:
    """CIEDE2000 between colours on the luminance of `lab`, so that only a and b count."""
    other = skimage.color.rgb2lab(found)
    other[..., 0] = lab[..., 0]
    return skimage.color.deltaE_ciede2000(lab, other)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
@pytest.mark.parametrize("detail", [256, 64, 32])
def test_colour_keeps_to_the_edges_better_than_bilinear(photos, name, detail):
    photo, chroma = photos[name], shrunk(photos[name], 256, detail)
    lab = skimage.color.rgb2lab(photo)
    steep = np.hypot(*np.gradient(lab[..., 0]))
    edges = steep > np.quantile(steep, 0.9)
    ours, theirs = difference(recolor(photo, chroma), lab), difference(bilinear(photo, chroma), lab)
    assert ours[edges].mean() < 0.99 * theirs[edges].mean()
    assert ours.mean() < 0.99 * theirs.mean()


def test_grain_is_not_coloured(photos):
    photo = photos["coffee"]
    lab = srgb_to_lab(photo)
    grain = np.random.default_rng(0).normal(0, 5, lab.shape[:2]).astype(np.float32)
    pixels = lab_to_srgb(np.dstack([lab[..., 0] + grain, 0 * lab[..., 1:]]))[..., 0]
    chroma = shrunk(photo, 64, 16)
    lab[..., 0] = luminance(pixels)
    assert difference(recolor(pixels, chroma), lab).mean() < difference(bilinear(pixels, chroma), lab).mean()
    even = np.full((64, 64, 2), (8, 12), np.float32)
    np.testing.assert_array_equal(recolor(pixels, even), bilinear(pixels, even))


def test_edges_get_no_halo_of_the_opposite_colour():
    pixels = np.repeat(np.uint8([60] * 200 + [140] * 200)[None], 400, axis=0)
    chroma = np.zeros((64, 64, 2), np.float32)
    chroma[:, 32:] = (40, 20)
    soft = cv2.GaussianBlur(chroma, (0, 0), 3)
    found = skimage.color.rgb2lab(recolor(pixels, soft))[200, :, 1]
    assert found.min() > -1
    assert found.max() < 41
    blurred = skimage.color.rgb2lab(bilinear(pixels, soft))[200, :, 1]
    assert found[204] - found[195] > 1.5 * (blurred[204] - blurred[195])


@pytest.mark.parametrize("strength", [0, 30, 110])
def test_16_bits_keep_their_luminance(grey_photos, strength):
    rng = np.random.default_rng(0)
    for photo in grey_photos.values():
        pixels = (photo.astype(np.uint16) << 8) + rng.integers(0, 256, photo.shape, np.uint16)
        chroma = chroma_of((32, 32), strength)
        found = recolor(pixels, chroma, bits=16)
        assert (found.dtype, found.shape) == (np.uint16, (*pixels.shape, 3))
        expected = skimage.color.rgb2lab(np.dstack([pixels] * 3) / 65535)[..., 0]
        assert np.abs(skimage.color.rgb2lab(found / 65535)[..., 0] - expected).max() < 0.02
        if not strength:
            assert np.abs(found.astype(int) - pixels[..., None]).max() < 8
        in_bytes = recolor(pixels, chroma)
        assert in_bytes.dtype == np.uint8
        # At the border of the gamut the half step that bytes allow is 257 times that of words.
        assert np.quantile(np.abs(found / 257 - in_bytes), 0.999) < 1
        assert np.abs(found / 257 - in_bytes).mean() < 0.26


def test_as_many_bits_as_asked_for(photos):
    chroma = chroma_of((32, 32))
    photo = photos["chelsea"]
    wide = photo.astype(np.uint16) * 257
    np.testing.assert_allclose(recolor(photo, chroma, bits=16), recolor(wide, chroma, bits=16), atol=700)
    np.testing.assert_allclose(recolor(photo, chroma).astype(int), recolor(wide, chroma).astype(int), atol=2)
    np.testing.assert_allclose(model_luminance(photo, 32), model_luminance(wide, 32), atol=0.003)


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


def test_chroma_follows_luminance_no_further_than_ten_units():
    planes = np.zeros((5, 8, 8), np.float32)
    planes[2], planes[3], planes[4] = 1.0, -0.5, 50.0  # the slopes of a and b, and L*
    light = np.array([[20, 35, 40, 50, 58, 60, 75, 90]], np.float32)
    pixels = lab_to_srgb_words(np.dstack([light, 0 * light, 0 * light]))[..., 0]
    found = skimage.color.rgb2lab(recolor_rows(pixels, Guided(planes=planes, height=1, width=8), 0, 16) / 65535)
    np.testing.assert_allclose(found[..., 1], [[-10, -10, -10, 0, 8, 10, 10, 10]], atol=0.02)
    np.testing.assert_allclose(found[..., 2], -0.5 * found[..., 1], atol=0.02)


def test_filling_up_takes_no_colour_that_is_not_nearby(grey_photos):
    light = cv2.resize(grey_photos["coins"], (64, 64), interpolation=cv2.INTER_AREA)
    # Soft chroma that luminance foretells well, so that much of it is missing at the edges.
    soft = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 3) / 3 - 40
    chroma = np.stack([soft, -soft], axis=-1)
    filled = guide(light, chroma).planes[:2]
    for found, plane in zip(filled, (soft, -soft), strict=True):
        least, most = (nearby(plane, size=13, mode="nearest") for nearby in (minimum_filter, maximum_filter))
        assert (found >= least - 1e-4).all()
        assert (found <= most + 1e-4).all()
        assert np.isclose(found, most, atol=1e-4).any(), "some of it is held back"
        assert np.abs(found - plane).max() > 1


def test_a_colour_outside_srgb_gives_up_no_more_chroma_than_it_must():
    grey = np.repeat(np.arange(20, 90, dtype=np.uint16)[:, None] * 700, 40, axis=1)
    angle = np.linspace(0, 2 * np.pi, 64)
    chroma = np.repeat(110 * np.stack([np.cos(angle), np.sin(angle)], -1)[None], 64, 0).astype(np.float32)
    found = recolor(grey, chroma, bits=16) / 65535
    light = np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)
    # The end of a channel's range is near: as a part of the way there from grey.
    way = np.minimum(light.min(axis=-1), 1 - light.max(axis=-1)) / np.median(light, axis=-1)
    assert np.quantile(way, 0.9) < 0.007


def test_a_large_photo_is_merged_a_few_rows_at_a_time():
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 2000), np.uint8)
    chroma = chroma_of((32, 32))
    recolor(pixels[:50], chroma)
    tracemalloc.start()
    try:
        found = recolor(pixels, chroma)
        assert tracemalloc.get_traced_memory()[1] < found.nbytes + 4e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000)])
def test_a_picture_of_one_line_takes_little_memory(size):
    pixels = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    tracemalloc.start()
    try:
        recolor(pixels, chroma_of((256, 256)))
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
