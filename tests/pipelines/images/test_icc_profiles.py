"""The profiles that are made say what they are asked to say: LittleCMS and formulae of the standards agree."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from pipelines.images import icc_profiles
from tfrecords.colorimetry import D65, SRGB_CURVE, Curve

ADOBE_PRIMARIES = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
CODES = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)


def xyz_of(codes: np.ndarray, profile: bytes) -> np.ndarray:
    return imagecodecs.cms_transform(
        codes, profile, imagecodecs.cms_profile("xyz"), colorspace="rgb", outcolorspace="xyz", outdtype="f4"
    )


@pytest.mark.parametrize(
    ("curve", "light"),
    [
        (Curve(gamma=563 / 256), lambda codes: codes ** (563 / 256)),
        (
            SRGB_CURVE,
            lambda codes: np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4),
        ),
        (np.linspace(0, 1, 4096) ** 3, lambda codes: codes**3),
    ],
)
def test_littlecms_finds_the_primaries_the_curve_and_the_name(curve, light):
    profile = icc_profiles.rgb("a name", ADOBE_PRIMARIES, D65, curve)
    # Adobe RGB (1998), section 4.3.5.3: the matrix to XYZ under D50.
    matrix = [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() == "a name"
    np.testing.assert_allclose(xyz_of(CODES, profile), light(CODES) @ np.array(matrix).T, atol=2e-4)


def test_littlecms_finds_the_curve_of_greys():
    profile = icc_profiles.grey("grey", Curve(gamma=1.8))
    lab = imagecodecs.cms_transform(
        CODES[..., 0], profile, imagecodecs.cms_profile("lab4"), colorspace="gray", outcolorspace="lab", outdtype="f4"
    )
    light = CODES[..., 0] ** 1.8
    expected = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)
    np.testing.assert_allclose(lab[..., 0], expected, atol=0.02)
