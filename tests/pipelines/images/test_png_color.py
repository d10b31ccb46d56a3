"""What a PNG without an ICC profile says about its colours, checked against formulae of the standards."""

import struct
import zlib

import bombs
import imagecodecs
import numpy as np
import pytest
from photo_files import file_of, grey_profile, srgb_of_gamma, swapped_profile

from pipelines.images import pages

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
GREYS = np.arange(256, dtype=np.uint8).reshape(16, 16)
SRGB_WITH_WHITE = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE_WITH_WHITE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
BT2020_TO_SRGB = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
ADOBE_TO_SRGB = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])


def gama(value: float) -> bytes:
    return bombs.chunk(b"gAMA", struct.pack(">I", round(100_000 * value)))


def chrm(*numbers: float) -> bytes:
    return bombs.chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * number) for number in numbers)))


def cicp(*points: int) -> bytes:
    return bombs.chunk(b"cICP", bytes(points))


def iccp(profile: bytes) -> bytes:
    return bombs.chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def png(pixels: np.ndarray, *chunks: bytes) -> bytes:
    data = file_of(pixels, "PNG") if pixels.dtype == np.uint8 else imagecodecs.png_encode(pixels)
    return data[:33] + b"".join(chunks) + data[33:]


def read(data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    """The pixels in [0, 1], and the warnings."""
    (page,) = pages.read(data)
    return page.pixels / np.iinfo(page.pixels.dtype).max, page.metadata.warnings


def encoded(linear: np.ndarray) -> np.ndarray:
    return srgb_of_gamma(np.clip(linear, 0, 1), 1)


BOTH_DEPTHS = pytest.mark.parametrize("depth", [8, 16])


def of_depth(pixels: np.ndarray, depth: int) -> np.ndarray:
    return pixels if depth == 8 else pixels.astype(np.uint16) * 257


@BOTH_DEPTHS
@pytest.mark.parametrize("pixels", [GREYS, PIXELS], ids=["grey", "colour"])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.6])
def test_the_gamma_of_a_png_is_applied(pixels, depth, gamma):
    found, warnings = read(png(of_depth(pixels, depth), gama(1 / gamma)))
    assert found.shape == pixels.shape
    np.testing.assert_allclose(found, srgb_of_gamma(pixels / 255, gamma), atol=1.01 / 255 if depth == 8 else 1e-3)
    assert warnings == ()


@BOTH_DEPTHS
def test_the_primaries_of_a_png_are_applied(depth):
    found, _ = read(png(of_depth(PIXELS, depth), gama(1 / 2.2), chrm(*ADOBE_WITH_WHITE)))
    expected = encoded((PIXELS / 255) ** 2.2 @ ADOBE_TO_SRGB.T)
    np.testing.assert_allclose(found, expected, atol=1.6 / 255 if depth == 8 else 2e-3)


@BOTH_DEPTHS
def test_code_points_are_applied(depth):
    found, warnings = read(png(of_depth(PIXELS, depth), cicp(9, 8, 0, 1)))
    np.testing.assert_allclose(found, encoded(PIXELS / 255 @ BT2020_TO_SRGB.T), atol=1.6 / 255 if depth == 8 else 2e-3)
    assert warnings == ()


@BOTH_DEPTHS
def test_code_points_of_a_narrow_range_are_applied(depth):
    codes = np.full((4, 4), 16, np.uint16)
    codes[1:] = 235
    pixels = codes.astype(np.uint8) if depth == 8 else codes << 8
    found, _ = read(png(pixels, cicp(1, 13, 0, 0)))
    np.testing.assert_allclose(found, (codes - 16) / 219, atol=0.002)


def test_paper_white_of_a_high_range_is_white_and_more_is_warned_of():
    """By ITU-R BT.2408, 203 cd/m² is 58 % of PQ and 75 % of HLG; BT.2100 puts 1,000 cd/m² at 75 % of PQ."""
    codes = np.repeat(np.array([0, 0.42, 0.58, 0.75, 1])[:, None], 2, axis=1)
    pixels = np.rint(codes * 65535).astype(np.uint16)
    found, warnings = read(png(pixels, cicp(9, 16, 0, 1)))
    assert warnings == ("highlights_clipped",)
    np.testing.assert_allclose(found[[0, 2, 3, 4], 0], [0, 1, 1, 1], atol=0.01)
    np.testing.assert_allclose(found[1, 0], encoded(np.array(40.4 / 203)), atol=0.02)
    found, _ = read(png(pixels, cicp(9, 18, 0, 1)))
    np.testing.assert_allclose(found[[0, 3, 4], 0], [0, 1, 1], atol=0.01)


SRGB = bombs.chunk(b"sRGB", b"\0")
ORDER = {
    "cICP before iCCP": ([cicp(1, 13, 0, 1), iccp(swapped_profile())], PIXELS),
    "iCCP before sRGB": ([SRGB, iccp(swapped_profile())], PIXELS[..., ::-1]),
    "iCCP before gAMA": ([gama(1), iccp(swapped_profile())], PIXELS[..., ::-1]),
    "sRGB before gAMA and cHRM": ([gama(1), chrm(*ADOBE_WITH_WHITE), SRGB], PIXELS),
    "gAMA and cHRM of sRGB": ([gama(0.45455), chrm(*SRGB_WITH_WHITE)], PIXELS),
    "unknown code points": ([cicp(1, 99, 0, 1), iccp(swapped_profile())], PIXELS[..., ::-1]),
    "code points of luma": ([cicp(1, 8, 1, 1)], PIXELS),
}


@pytest.mark.parametrize("name", ORDER)
def test_the_chunks_count_in_the_order_of_the_standard(name):
    chunks, expected = ORDER[name]
    found, warnings = read(png(PIXELS, *chunks))
    np.testing.assert_allclose(found, expected / 255, atol=1.01 / 255)
    assert warnings == ()


def test_a_profile_that_cannot_be_used_gives_way_to_the_gamma():
    found, warnings = read(png(PIXELS, iccp(grey_profile()), gama(1)))
    np.testing.assert_allclose(found, srgb_of_gamma(PIXELS / 255, 1), atol=1.01 / 255)
    assert warnings == ("profile_dropped",)


@pytest.mark.parametrize("chunk", [gama(0), gama(42_000), chrm(*[0.3] * 8), chrm(*[0] * 8)])
def test_values_out_of_range_are_warned_of(chunk):
    found, warnings = read(png(PIXELS, chunk))
    np.testing.assert_array_equal(found, PIXELS / 255)
    assert warnings == ("profile_dropped",)
