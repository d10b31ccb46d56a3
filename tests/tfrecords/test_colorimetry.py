import numpy as np
import pytest

from tfrecords import colorimetry
from tfrecords.colorimetry import D50, D65, SRGB_CURVE, Curve


def test_the_matrix_of_srgb_under_d50():
    """As in the profile sRGB IEC61966-2.1."""
    expected = [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
    np.testing.assert_allclose(colorimetry.SRGB.to_d50(), expected, atol=3e-4)
    np.testing.assert_allclose(colorimetry.SRGB.to_d50().sum(axis=1), colorimetry.D50_XYZ)


def test_codes_are_the_inverse_of_light():
    for curve in (SRGB_CURVE, Curve(gamma=2.2)):
        np.testing.assert_allclose(curve.codes(curve.light(np.linspace(0, 1, 500))), np.linspace(0, 1, 500), atol=1e-7)


@pytest.mark.parametrize(
    ("primaries", "white"),
    [
        (((0.64, 0.33), (0.64, 0.33), (0.15, 0.06)), D65),
        (((0.1, 0.1), (0.2, 0.2), (0.3, 0.3)), D65),
        (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), (0.7, 0.29)),
        (((0.64, 0.0), (0.30, 0.60), (0.15, 0.06)), D50),
        (((0.64, 4e4), (0.30, 0.60), (0.15, 0.06)), D50),
    ],
)
def test_primaries_that_span_no_space_are_refused(primaries, white):
    with pytest.raises(ValueError, match=r"line|white|chromaticity"):
        colorimetry.to_d50(primaries, white)
