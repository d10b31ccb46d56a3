"""Colours of files that have no profile: Adobe RGB by EXIF, and code points of AVIF."""

import io
import struct

import numpy as np
import pytest
from photo_files import file_of, saying, srgb_of_gamma, swapped_profile
from PIL import Image

from pipelines.images import pages

PIXELS = np.repeat(np.repeat(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), 8, axis=0), 8, axis=1)
ADOBE_RGB = {"Exif.Photo.ColorSpace": 65535, "Exif.Iop.InteroperabilityIndex": "R03"}
ADOBE_TO_SRGB = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])
BT2020_TO_SRGB = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])


def in_srgb(linear: np.ndarray) -> np.ndarray:
    return 255 * srgb_of_gamma(np.clip(linear, 0, 1), 1)


def stored(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_a_camera_s_adobe_rgb_is_applied(file_format):
    data = saying(file_of(PIXELS, file_format), exif=ADOBE_RGB)
    (page,) = pages.read(data)
    expected = in_srgb((stored(data) / 255) ** 2.2 @ ADOBE_TO_SRGB.T)
    assert np.abs(page.pixels - expected).max() <= 1.6


def test_a_profile_comes_before_exif():
    (page,) = pages.read(saying(file_of(PIXELS, "TIFF", icc_profile=swapped_profile()), exif=ADOBE_RGB))
    assert np.abs(page.pixels.astype(int) - PIXELS[..., ::-1]).max() <= 1


def test_exif_that_names_srgb_or_nothing_changes_no_colours():
    for index in ("R98", "THM"):
        data = saying(file_of(PIXELS, "TIFF"), exif={"Exif.Iop.InteroperabilityIndex": index})
        np.testing.assert_array_equal(next(pages.read(data)).pixels, PIXELS)


def avif_of(primaries: int, transfer: int) -> bytes:
    data = bytearray(file_of(PIXELS, "AVIF", quality=100, subsampling="4:4:4"))
    start = data.index(b"colrnclx") + 8
    data[start : start + 4] = struct.pack(">2H", primaries, transfer)
    return bytes(data)


@pytest.mark.parametrize(("primaries", "transfer"), [(1, 13), (1, 1), (2, 2), (1, 6), (1, 99)])
def test_an_avif_of_srgb_or_of_video_is_srgb(primaries, transfer):
    data = avif_of(primaries, transfer)
    (page,) = pages.read(data)
    np.testing.assert_array_equal(page.pixels, stored(data))
    assert page.metadata.warnings == ()


def test_the_code_points_of_an_avif_are_applied():
    data = avif_of(9, 8)
    expected = in_srgb(stored(data) / 255 @ BT2020_TO_SRGB.T)
    (page,) = pages.read(data)
    assert np.abs(page.pixels - expected).max() <= 1.6


def test_an_avif_of_high_dynamic_range_is_warned_of():
    (page,) = pages.read(avif_of(9, 16))
    assert page.metadata.warnings == ("highlights_clipped",)
