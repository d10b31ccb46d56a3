import itertools

import numpy as np
import pytest
import skimage.color
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tfrecords import color

EXTREMES = np.array(list(itertools.product([0, 1, 2, 10, 11, 127, 254, 255], repeat=3)), np.uint8)[None]
GREYS = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
RANDOM = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)

pictures = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9).map(lambda shape: (*shape, 3)))


def wild_lab() -> np.ndarray:
    """Lab of every L and of a, b up to ±110, most of it outside sRGB; float32 [101, 2000, 3]."""
    rng = np.random.default_rng(1)
    lab = np.empty((101, 2000, 3), np.float32)
    lab[..., 0] = np.arange(101)[:, None]
    lab[..., 1:] = rng.uniform(-110, 110, (101, 2000, 2))
    return lab


@pytest.mark.parametrize("pixels", [RANDOM, EXTREMES, GREYS], ids=["random", "extreme", "grey"])
def test_srgb_to_lab_is_scikit_image_s(pixels):
    lab = color.srgb_to_lab(pixels)
    assert lab.dtype == np.float32
    error = np.abs(lab - skimage.color.rgb2lab(pixels))
    assert error[..., 0].max() < 0.005
    assert error[..., 1:].max() < 0.04
    assert lab[..., 0].min() >= 0
    assert lab[..., 0].max() <= 100.001
    assert np.abs(lab[..., 1:]).max() <= 110


def test_greys_have_no_chroma():
    assert np.abs(color.srgb_to_lab(GREYS)[..., 1:]).max() < 0.005


@pytest.mark.parametrize("pixels", [RANDOM, EXTREMES, GREYS], ids=["random", "extreme", "grey"])
def test_bytes_return_as_the_same_bytes(pixels):
    np.testing.assert_array_equal(color.lab_to_srgb(color.srgb_to_lab(pixels)), pixels)


@given(pictures)
def test_any_picture_returns_as_the_same_bytes(pixels):
    np.testing.assert_array_equal(color.lab_to_srgb(color.srgb_to_lab(pixels)), pixels)


def test_photos_return_as_the_same_bytes(photos):
    for photo in photos.values():
        np.testing.assert_array_equal(color.lab_to_srgb(color.srgb_to_lab(photo)), photo)


def test_views_that_are_not_contiguous(photos):
    turned = photos["chelsea"][::-2, ::-1].swapaxes(0, 1)
    lab = color.srgb_to_lab(turned)
    assert np.abs(lab - skimage.color.rgb2lab(turned)).max() < 0.04
    np.testing.assert_array_equal(color.lab_to_srgb(lab[::-1]), turned[::-1])


def test_out_of_gamut_colours_keep_luminance_and_hue_and_never_gain_chroma():
    lab = wild_lab()
    rgb = color.lab_to_srgb(lab)
    assert rgb.dtype == np.uint8
    found = skimage.color.rgb2lab(rgb)
    assert np.abs(found[..., 0] - lab[..., 0]).max() < 0.35
    wanted = np.hypot(lab[..., 1], lab[..., 2])
    chroma = np.hypot(found[..., 1], found[..., 2])
    # The bytes are steps of about one Lab unit, in the dark of two: that far from the ray, or beyond the wish, at most.
    assert (chroma - wanted).max() < 1
    across = np.abs(lab[..., 1] * found[..., 2] - lab[..., 2] * found[..., 1]) / wanted
    assert across.max() < 1.1
    along = lab[..., 1] * found[..., 1] + lab[..., 2] * found[..., 2]
    assert (along / wanted).min() > -1


def test_out_of_gamut_colours_give_up_no_more_chroma_than_they_must():
    lab = wild_lab()[5:96]
    found = color.srgb_to_lab(color.lab_to_srgb(lab))
    given_up = np.hypot(found[..., 1], found[..., 2]) < 0.98 * np.hypot(lab[..., 1], lab[..., 2]) - 1.5
    # Two units of chroma more than what was kept, and scikit-image cannot show it without clipping.
    more = found[given_up] * 1.0
    chroma = np.hypot(more[:, 1], more[:, 2])
    direction = lab[given_up][:, 1:] / np.hypot(lab[given_up][:, 1], lab[given_up][:, 2])[:, None]
    more[:, 0] = lab[given_up][:, 0]
    more[:, 1:] = direction * (chroma[:, None] + 2.5)
    xyz = skimage.color.lab2xyz(more.astype(np.float64)[None])[0]
    linear = xyz @ np.linalg.inv(skimage.color.colorconv.xyz_from_rgb).T
    outside = ((linear < 0) | (linear > 1)).any(axis=-1)
    assert given_up.mean() > 0.3
    assert outside.mean() > 0.999


def test_colours_inside_the_gamut_are_scikit_image_s():
    rng = np.random.default_rng(2)
    lab = skimage.color.rgb2lab(rng.uniform(0.02, 0.98, (300, 300, 3))).astype(np.float32)
    expected = 255 * skimage.color.lab2rgb(lab)
    assert np.abs(color.lab_to_srgb(lab) - expected).max() < 0.6


def test_luminance_outside_0_to_100_is_clipped():
    lab = np.array([[[-5, 0, 0], [-5, 30, 30], [105, 0, 0], [120, -40, 60]]], np.float32)
    np.testing.assert_array_equal(color.lab_to_srgb(lab)[0], [[0] * 3, [0] * 3, [255] * 3, [255] * 3])


@pytest.mark.parametrize("convert", [color.lab_to_srgb, color.lab_to_srgb_words])
@pytest.mark.parametrize("strength", [110, 3])
def test_black_and_white_come_out_alike_alone_and_among_other_colours(convert, strength):
    lab = np.random.default_rng(0).uniform(-strength, strength, (200, 200, 3)).astype(np.float32)
    lab[..., 0] = np.random.default_rng(1).choice([0, 100], (200, 200))
    among = np.concatenate([lab, np.full((1, 200, 3), (50, 100, -100), np.float32)])
    np.testing.assert_array_equal(convert(lab), convert(among)[:-1])


@given(arrays(np.float32, (3, 4, 3), elements=st.floats(-300, 300, width=32)))
def test_any_lab_keeps_its_luminance(lab):
    found = skimage.color.rgb2lab(color.lab_to_srgb(lab))
    assert np.abs(found[..., 0] - np.clip(lab[..., 0], 0, 100)).max() < 0.35


def test_luminance_of_grey_and_colour(grey_photos):
    for pixels in (*grey_photos.values(), GREYS[..., 0]):
        found = color.luminance(pixels)
        assert found.dtype == np.float32
        assert found.shape == pixels.shape
        triple = np.dstack([pixels] * 3)
        np.testing.assert_allclose(found, skimage.color.rgb2lab(triple)[..., 0], atol=1e-3)
        np.testing.assert_allclose(color.luminance(triple), found, atol=0.005)
    np.testing.assert_allclose(color.luminance(RANDOM), skimage.color.rgb2lab(RANDOM)[..., 0], atol=0.005)


def test_luminance_of_16_bits():
    words = np.random.default_rng(0).integers(0, 65536, (300, 300, 3), dtype=np.uint16)
    np.testing.assert_allclose(color.luminance(words), skimage.color.rgb2lab(words / 65535)[..., 0], atol=0.005)
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = skimage.color.rgb2lab(np.dstack([every] * 3) / 65535)[..., 0]
    np.testing.assert_allclose(color.luminance(every), expected, atol=1e-3)


def test_16_bits_from_lab():
    lab = wild_lab()
    words = color.lab_to_srgb_words(lab)
    assert words.dtype == np.uint16
    assert np.abs(skimage.color.rgb2lab(words / 65535)[..., 0] - lab[..., 0]).max() < 0.02
    # At the border of the gamut the half step that bytes allow is 257 times that of words.
    assert np.abs(words / 257 - color.lab_to_srgb(lab)).max() < 4
    assert np.abs(words / 257 - color.lab_to_srgb(lab)).mean() < 0.26
    inside = skimage.color.rgb2lab(np.random.default_rng(2).uniform(0.02, 0.98, (300, 300, 3))).astype(np.float32)
    assert np.abs(color.lab_to_srgb_words(inside) - 65535 * skimage.color.lab2rgb(inside)).max() < 40


def test_codes_are_those_of_lab():
    every = np.arange(0, 1 << 24, 4099, dtype="<u4").view(np.uint8).reshape(1, -1, 4)[..., :3]
    for rgb in (np.ascontiguousarray(every), RANDOM, GREYS):
        lab = color.srgb_to_lab(rgb)
        luminance, chroma = color.srgb_to_codes(rgb)
        np.testing.assert_array_equal(luminance, color.quantize_luminance(lab[..., 0]))
        np.testing.assert_array_equal(chroma, color.quantize_chroma(lab[..., 1:]))
        reference = skimage.color.rgb2lab(rgb)
        assert np.abs(luminance / 2.55 - reference[..., 0]).max() < 0.21
        assert np.abs(chroma.astype(int) - 128 - reference[..., 1:]).max() < 0.55


@given(st.floats(0, 100, width=32))
def test_luminance_survives_its_bytes(value):
    codes = color.quantize_luminance(np.array([[value]], np.float32))
    assert codes.dtype == np.uint8
    restored = color.dequantize_luminance(codes)
    assert restored.dtype == np.float32
    assert abs(restored[0, 0] - value) <= 0.2
    np.testing.assert_array_equal(color.quantize_luminance(restored), codes)


@given(pictures)
def test_chroma_survives_its_bytes(pixels):
    chroma = np.ascontiguousarray(color.srgb_to_lab(pixels)[..., 1:])
    codes = color.quantize_chroma(chroma)
    assert codes.dtype == np.uint8
    assert codes.shape == chroma.shape
    restored = color.dequantize_chroma(codes)
    assert np.abs(restored - chroma).max() <= 0.5
    np.testing.assert_array_equal(color.quantize_chroma(restored), codes)


def test_the_ends_of_the_bytes():
    assert color.quantize_luminance(np.array([[0, 100, 100.01, -1e-4]], np.float32)).tolist() == [[0, 255, 255, 0]]
    assert color.quantize_chroma(np.array([[-500, -128, 0, 127, 500]], np.float32)).tolist() == [[0, 0, 128, 255, 255]]
    assert color.dequantize_luminance(np.array([0, 255], np.uint8)).tolist() == [0, 100]
    assert color.dequantize_chroma(np.array([0, 128, 255], np.uint8)).tolist() == [-128, 0, 127]


WORDS = np.random.default_rng(2).integers(0, 65536, (200, 200, 3), dtype=np.uint16)
GREY_WORDS = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def test_16_bits_to_lab_are_scikit_image_s():
    error = np.abs(color.srgb_to_lab(WORDS) - skimage.color.rgb2lab(WORDS / 65535))
    assert error[..., 0].max() < 0.005
    assert error[..., 1:].max() < 0.04


def test_luminance_of_16_bits_is_scikit_image_s():
    expected = skimage.color.rgb2lab(np.repeat(GREY_WORDS[..., None], 3, axis=2) / 65535)[..., 0]
    assert np.abs(color.luminance(GREY_WORDS) - expected).max() < 1e-4
    assert color.luminance(GREY_WORDS).dtype == np.float32
    assert np.abs(color.luminance(WORDS) - skimage.color.rgb2lab(WORDS / 65535)[..., 0]).max() < 0.005


def test_bytes_and_words_agree():
    words = RANDOM.astype(np.uint16) * 257
    assert np.abs(color.srgb_to_lab(words) - color.srgb_to_lab(RANDOM)).max() < 1e-3
    np.testing.assert_array_equal(color.lab_to_srgb_words(color.srgb_to_lab(RANDOM)).dtype, np.uint16)


def test_16_bits_return_as_nearly_the_same():
    for words in (WORDS, np.repeat(GREY_WORDS[..., None], 3, axis=2)):
        found = color.lab_to_srgb_words(color.srgb_to_lab(words))
        assert np.abs(found.astype(int) - words).max() <= 20


def test_16_bits_outside_the_gamut_keep_their_luminance():
    lab = wild_lab()
    found = skimage.color.rgb2lab(color.lab_to_srgb_words(lab) / 65535)[..., 0]
    error = np.abs(found - lab[..., 0])
    assert error.max() < 0.14
    assert error.mean() < 0.01
