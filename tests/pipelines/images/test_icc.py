import struct
import time

import bomb_profiles
import imagecodecs
import numpy as np
import pytest
from photo_files import file_of, grey_profile, srgb_of_gamma, swapped_profile
from PIL import Image, ImageCms
from this_thread import here

from pipelines.images import icc, icc_profiles, pages
from tfrecords.colorimetry import D65, SRGB_CURVE, Curve

SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)


def made(gamma: float, primaries: tuple[tuple[float, float], ...] = SRGB_PRIMARIES) -> bytes:
    """A profile that LittleCMS makes; white is D65."""
    numbers = [number for pair in primaries for number in (*pair, 1.0)]
    return imagecodecs.cms_profile("rgb", whitepoint=[0.3127, 0.3290, 1.0], primaries=numbers, gamma=gamma)


def named_srgb(profile: bytes) -> bytes:
    """The same profile with "sRGB" in its description."""
    return profile.replace("RGB ".encode("utf-16-be"), "sRGB".encode("utf-16-be"))


def with_columns(*columns: tuple[float, float, float]) -> bytes:
    """SRGB's profile with other colorants."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True):
        entry = profile.index(tag)
        start = int.from_bytes(profile[entry + 4 : entry + 8], "big")
        profile[start + 8 : start + 20] = struct.pack(">3i", *(round(65536 * value) for value in column))
    return bytes(profile)


@pytest.mark.parametrize(
    ("profile", "verdict"),
    [
        (icc_profiles.rgb("any name", SRGB_PRIMARIES, D65, SRGB_CURVE), "srgb"),
        (named_srgb(made(1.0)), "converted"),
        (named_srgb(made(2.2)), "converted"),
        (swapped_profile(), "converted"),
        (made(2.4), "converted"),
        (b"no profile", "unusable"),
        (bytes(200), "unusable"),
        (swapped_profile()[:200], "unusable"),
        (grey_profile(), "unusable"),
        (with_columns((0, 0, 0), (0, 0, 0), (0, 0, 0)), "unusable"),
        (with_columns((0.32, 0.33, 0.27), (0.32, 0.33, 0.27), (0.32, 0.33, 0.27)), "unusable"),
        (with_columns((0.48, 0.5, 0.41), (0.24, 0.25, 0.2), (0.24, 0.25, 0.2)), "unusable"),
        (with_columns((-9, 4, 7), (3, -8, 9), (6, 5, -9)), "unusable"),
    ],
)
def test_a_profile_is_what_it_does_with_colours(profile, verdict):
    assert icc.judged(profile, 3) == verdict


def test_profiles_with_more_elements_than_real_ones_have_are_not_used():
    assert icc.judged(bomb_profiles.profile_of_elements(16, 8), 3) != "unusable"
    assert icc.judged(bomb_profiles.profile_of_elements(17, 8), 3) == "unusable"


def test_littlecms_takes_such_a_profile(tmp_path):
    """So that the test above is about what it reads."""
    path = tmp_path / "profile.icc"
    path.write_bytes(bomb_profiles.profile_of_elements(2, 8))
    profile = ImageCms.ImageCmsProfile(str(path))
    assert ImageCms.getProfileDescription(profile).strip() == "bomb"
    assert ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")


def test_the_profile_that_is_written_is_always_the_same(monkeypatch):
    first = icc.srgb_profile()
    monkeypatch.setattr(time, "time", here(lambda: 0, time.time))
    assert icc.srgb_profile() == first
    assert icc.judged(first, 3) == "srgb"


def converted(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """A strip as it is converted with 8 bits, or with 16."""
    if pixels.dtype == np.uint16:
        return icc.convert_words(pixels, profile)
    image = Image.fromarray(pixels)
    image.info["icc_profile"] = profile
    return np.asarray(icc.conversion(image, image.mode)(image))


def test_colours_are_converted_with_8_and_with_16_bits():
    assert np.abs(converted(PIXELS, swapped_profile()).astype(int) - PIXELS[..., ::-1]).max() <= 1
    words = converted(PIXELS.astype(np.uint16) * 257, swapped_profile())
    assert np.abs(words / 257 - PIXELS[..., ::-1]).max() < 0.2


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_a_profile_named_srgb_with_another_curve_is_applied(gamma):
    profile = named_srgb(made(gamma))
    expected = srgb_of_gamma(PIXELS / 255, gamma)
    np.testing.assert_allclose(converted(PIXELS, profile) / 255, expected, atol=1.01 / 255)
    words = converted(PIXELS.astype(np.uint16) * 257, profile)
    np.testing.assert_allclose(words / 65535, expected, atol=2e-4)


WIDE = {
    "Adobe RGB": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 2.2),
    "ProPhoto": (((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), 1.8),
    "linear": (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), 1.0),
}


@pytest.mark.parametrize("name", WIDE)
def test_16_bits_of_a_wide_gamut_are_converted_exactly(name):
    """LittleCMS's tables are wrong by up to 11 codes of 8 bits at the border of the gamut."""
    primaries, gamma = WIDE[name]
    profile = made(gamma, primaries)
    words = np.random.default_rng(0).integers(0, 65536, (40, 50, 3), np.uint16)
    assert icc._shaper(profile) is not None
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    to_xyz = columns * np.linalg.solve(columns, white)
    of_srgb = np.array([(x / y, 1, (1 - x - y) / y) for x, y in SRGB_PRIMARIES]).T
    of_srgb = of_srgb * np.linalg.solve(of_srgb, white)
    linear = np.clip((words / 65535) ** gamma @ np.linalg.solve(of_srgb, to_xyz).T, 0, 1)
    np.testing.assert_allclose(converted(words, profile) / 65535, srgb_of_gamma(linear, 1), atol=8e-4)


def test_16_bits_with_a_profile_of_tables_are_left_to_littlecms():
    profile = bomb_profiles.profile_of_elements(2, 8)
    words = np.random.default_rng(0).integers(0, 65536, (8, 9, 3), np.uint16)
    assert icc.convert_words(words, profile).shape == words.shape


DOT_GAIN = 1 - (np.linspace(0, 1, 256)[::-1] + 0.8 * np.linspace(0, 1, 256)[::-1] * np.linspace(0, 1, 256))  # 20 %
GREY_PROFILES = {
    "linear": (icc_profiles.grey("linear", Curve()), lambda codes: codes),
    "gamma 2.2": (icc_profiles.grey("2.2", Curve(gamma=2.2)), lambda codes: codes**2.2),
    "gamma 1.8, version 2": (grey_profile(), lambda codes: codes ** (461 / 256)),
    "dot gain": (icc_profiles.grey("20 %", DOT_GAIN), lambda codes: np.interp(codes, np.linspace(0, 1, 256), DOT_GAIN)),
    "linear RGB": (made(1.0), lambda codes: codes),
}


@pytest.mark.parametrize("name", GREY_PROFILES)
def test_greys_are_converted_and_stay_one_channel(name):
    profile, light = GREY_PROFILES[name]
    words = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    expected = srgb_of_gamma(light(words / 65535), 1)
    assert icc.judged(profile, 1) == "converted"
    np.testing.assert_allclose(converted(words, profile) / 65535, expected, atol=1e-3)
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_allclose(converted(codes, profile) / 255, srgb_of_gamma(light(codes / 255), 1), atol=0.51 / 255)


@pytest.mark.parametrize("profile", [b"no profile", grey_profile(), with_columns((0, 0, 0), (0, 0, 0), (0, 0, 0))])
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF", "WEBP", "PNG"])
def test_a_profile_that_cannot_be_used_counts_as_none_with_a_warning(profile, file_format):
    (plain,) = pages.read(file_of(PIXELS, file_format))
    (page,) = pages.read(file_of(PIXELS, file_format, icc_profile=profile))
    np.testing.assert_array_equal(page.pixels, plain.pixels)
    assert page.metadata.warnings == ("profile_dropped",)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_profile_of_1_5_megabytes_is_applied(file_format):
    profile = bytearray(swapped_profile())
    profile += np.random.default_rng(0).bytes(1_500_000 - len(profile))
    profile[:4] = len(profile).to_bytes(4, "big")
    pixels = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    (page,) = pages.read(file_of(pixels, file_format, icc_profile=bytes(profile)))
    assert np.abs(page.pixels.astype(int) - pixels[..., ::-1]).max() <= 3
    assert page.metadata.warnings == ()
