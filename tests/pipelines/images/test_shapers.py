import numpy as np
from photo_files import srgb_of_gamma

from pipelines.images import shapers
from tfrecords import colorimetry

CODES = np.arange(65536) / 65535


def ramps_of(matrix: np.ndarray, gamma: float) -> np.ndarray:
    return (matrix.T[:, None] * (CODES**gamma)[None, :, None]).astype(np.float32)


def test_the_curves_and_the_matrix_of_ramps_are_found():
    srgb = colorimetry.SRGB.to_d50()
    shaper = shapers.of_ramps(ramps_of(srgb[:, ::-1], 1.8), srgb.T)
    words = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), np.uint16)
    expected = srgb_of_gamma(words[..., ::-1] / 65535, 1.8)
    assert np.abs(shaper.convert(words) / 65535 - expected).max() < 3e-5


def test_a_channel_without_light_has_no_curve():
    assert shapers.of_ramps(np.zeros((3, 65536, 3), np.float32), colorimetry.SRGB.to_d50().T) is None
