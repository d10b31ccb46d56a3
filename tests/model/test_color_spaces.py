"""Photos in other colour spaces than sRGB, as LittleCMS sees them with profiles that it makes itself."""

import functools

import cv2
import imagecodecs
import numpy as np
import pytest

from model.upsampling import recolor
from tfrecords.color import luminance

# Adobe RGB (1998) 4.3; SMPTE EG 432-1 with D65; eciRGB v2 (ISO 22028-4): primaries, white, gamma or L*.
SPACES = {
    "srgb": ([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)], (0.3127, 0.3290), "srgb"),
    "adobe_rgb": ([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], (0.3127, 0.3290), 2.19921875),
    "display_p3": ([(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)], (0.3127, 0.3290), "srgb"),
    "ecirgb_v2": ([(0.67, 0.33), (0.21, 0.71), (0.14, 0.08)], (0.3457, 0.3585), "L*"),
}
WIDER = ("adobe_rgb", "display_p3", "ecirgb_v2")
D65_TO_D50 = np.array(  # Bradford
    [[1.0478112, 0.0228866, -0.0501270], [0.0295424, 0.9904844, -0.0170491], [-0.0092345, 0.0150436, 0.7521316]]
)


def curve_of(kind: str) -> np.ndarray:
    codes = np.linspace(0, 1, 4096)
    if kind == "srgb":
        return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    return np.where(codes <= 0.08, codes * 2700 / 24389, ((codes + 0.16) / 1.16) ** 3)


@functools.cache
def profile_of(space: str) -> bytes:
    primaries, white, curve = SPACES[space]
    tone = (
        {"gamma": curve} if isinstance(curve, float) else {"transferfunction": [curve_of(curve).astype(np.float32)] * 3}
    )
    numbers = [number for pair in primaries for number in (*pair, 1.0)]
    return imagecodecs.cms_profile("rgb", whitepoint=[*white, 1.0], primaries=numbers, **tone)


def seen(pixels: np.ndarray, space: str) -> np.ndarray:
    """CIELAB under D65 of what a viewer shows."""
    codes = (pixels / np.iinfo(pixels.dtype).max).astype(np.float32)
    to_xyz = imagecodecs.cms_profile("xyz")
    xyz = imagecodecs.cms_transform(
        codes, profile_of(space), to_xyz, colorspace="rgb", outcolorspace="xyz", outdtype="f4"
    )
    xyz = xyz @ np.linalg.inv(D65_TO_D50).T / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def chroma_of(strength: float) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, 1, (64, 64, 2)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return soft * np.float32(strength / soft.std())


@pytest.fixture(scope="module")
def scan(photos) -> np.ndarray:
    """Greys from black to white beside a photograph, uint16."""
    grey = cv2.cvtColor(photos["coffee"], cv2.COLOR_RGB2GRAY)[:300, :200].astype(np.uint16) * 257
    return np.hstack([grey, np.linspace(0, 65535, 300 * 100).astype(np.uint16).reshape(300, 100)])


@pytest.mark.parametrize("strength", [0, 12, 40])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("space", SPACES)
def test_a_viewer_sees_the_luminance_of_the_photo_in_every_space(scan, space, bits, strength):
    pixels = (scan // 257).astype(np.uint8) if bits == 8 else scan
    found = recolor(pixels, chroma_of(strength), bits, space=space)
    difference = np.abs(seen(found, space)[..., 0] - luminance(pixels))
    assert difference.max() < (0.36 if bits == 8 else 0.02)
    if strength == 0:
        assert np.ptp(found, axis=-1).max() <= 1


@pytest.mark.parametrize("space", WIDER)
def test_the_colours_of_srgb_are_the_same_in_a_wider_space(scan, space):
    chroma = chroma_of(6)
    plain, wide = (seen(recolor(scan, chroma, 16, space=name), name) for name in ("srgb", space))
    inside = (scan > 8_000) & (scan < 58_000)
    assert np.abs(plain - wide)[inside].max() < 0.1


@pytest.mark.parametrize("space", WIDER)
def test_a_wider_space_keeps_more_chroma(scan, space):
    chroma = chroma_of(60)
    plain, wide = (np.hypot(*seen(recolor(scan, chroma, 16, space=name), name).T[1:]) for name in ("srgb", space))
    assert wide.mean() > 1.04 * plain.mean()
    asked = np.hypot(*cv2.resize(chroma, scan.shape[::-1]).T)
    assert np.percentile(wide - asked, 95) < 8  # and invents none
