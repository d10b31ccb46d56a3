import bomb_profiles
import numpy as np
import pytest
from photo_files import grey_profile, srgb_of_gamma, swapped_profile
from PIL import Image, ImageCms

from pipelines.images import icc


@pytest.mark.parametrize(
    "profile", [b"", b"no profile", bytes(200), swapped_profile(), swapped_profile()[:200], grey_profile()]
)
def test_other_profiles_are_for_littlecms_to_judge(profile):
    assert icc.is_usable(profile)


def test_profiles_with_more_elements_than_real_ones_have_are_not_used():
    assert icc.is_usable(bomb_profiles.profile_of_elements(5, 8))
    assert icc.is_usable(bomb_profiles.profile_of_elements(16, 8))
    assert not icc.is_usable(bomb_profiles.profile_of_elements(17, 8))


def test_littlecms_takes_such_a_profile(tmp_path):
    """So that the test above is about what it reads."""
    path = tmp_path / "profile.icc"
    path.write_bytes(bomb_profiles.profile_of_elements(2, 8))
    profile = ImageCms.ImageCmsProfile(str(path))
    assert ImageCms.getProfileDescription(profile).strip() == "bomb"
    assert ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")


def test_the_profile_that_is_written_is_always_the_same(monkeypatch):
    first = icc.srgb_profile()
    monkeypatch.setattr("time.time", lambda: 0)
    assert icc.srgb_profile() == first
    assert icc.transform_of(with_profile(np.zeros((8, 8, 3), np.uint8), first), "RGB") is None


def with_profile(pixels: np.ndarray, profile: bytes) -> Image.Image:
    image = Image.fromarray(pixels)
    image.info["icc_profile"] = profile
    return image


def test_colours_are_converted_with_8_and_with_16_bits():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    image = with_profile(pixels, swapped_profile())
    converted = np.asarray(icc.convert(image, icc.transform_of(image, "RGB")))
    assert np.abs(converted.astype(int) - pixels[..., ::-1]).max() <= 1
    words = icc.convert_words(pixels.astype(np.uint16) * 257, swapped_profile())
    assert np.abs(words / 257 - pixels[..., ::-1]).max() < 0.2


def test_grey_stays_one_channel():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = with_profile(pixels, grey_profile())
    converted = icc.convert(image, icc.transform_of(image, "L"))
    expected = srgb_of_gamma(pixels / 255, 1.8)
    assert converted.mode == "L"
    assert np.abs(np.asarray(converted) / 255 - expected).max() < 0.01
    words = icc.convert_words(pixels.astype(np.uint16) * 257, grey_profile())
    assert np.abs(words / 65_535 - expected).max() < 0.01


@pytest.mark.parametrize("profile", [b"no profile", grey_profile()])
def test_a_profile_that_does_not_fit_counts_as_none(profile):
    pixels = np.full((4, 5, 3), 77, np.uint8)
    image = with_profile(pixels, profile)
    np.testing.assert_array_equal(np.asarray(icc.convert(image, icc.transform_of(image, "RGB"))), pixels)
    words = pixels.astype(np.uint16) * 257
    np.testing.assert_array_equal(icc.convert_words(words, profile), words)
