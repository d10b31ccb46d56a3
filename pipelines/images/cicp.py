"""Colours by code points (ITU-T H.273), as PNG's chunk cICP names them: made into an ICC profile.

Light beyond the white of paper, 203 cd/m² in the curves of high dynamic range (ITU-R BT.2408), becomes white.
"""

from typing import NamedTuple

import numpy as np

from pipelines.images import icc_profiles
from tfrecords.colorimetry import D65, SRGB_CURVE, SRGB_PRIMARIES, Chromaticity, Curve, Doubles, Primaries

_C = (0.310, 0.316)
PRIMARIES: dict[int, tuple[Primaries, Chromaticity]] = {
    1: (SRGB_PRIMARIES, D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), _C),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65),
    6: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    7: (((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)), D65),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), _C),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), D65),
    11: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), (0.314, 0.351)),
    12: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), D65),
}
"""Primaries and white by `ColourPrimaries`."""
_CAMERA = Curve(gamma=1 / 0.45, scale=1 / 1.099, offset=0.099 / 1.099, slope=1 / 4.5, end=0.081)
_PQ, _HLG = 16, 18
HIGH_RANGE = (_PQ, _HLG)
"""Transfer characteristics of high dynamic range."""
_CURVES = {
    **dict.fromkeys((1, 6, 11, 14, 15), _CAMERA),
    4: Curve(gamma=2.2),
    5: Curve(gamma=2.8),
    7: Curve(gamma=1 / 0.45, scale=1 / 1.1115, offset=0.1115 / 1.1115, slope=1 / 4, end=0.0913),
    8: Curve(),
    13: SRGB_CURVE,
}
_PAPER = 203.0
_PEAK = 1000.0
_STEPS = 4096


class CodePoints(NamedTuple):
    """What a chunk cICP says.

    Attributes:
        primaries: `ColourPrimaries`.
        transfer: `TransferCharacteristics`.
        matrix: `MatrixCoefficients`; 0 for red, green and blue.
        full_range: 1 if black is 0 and white the highest code, 0 if they are 16 and 235 of 255.
    """

    primaries: int
    transfer: int
    matrix: int
    full_range: int


def profile(points: CodePoints, *, is_grey: bool, bits: int) -> bytes:
    """Return the ICC profile of samples with 8 or 16 bits; b"" if the code points are unknown."""
    tone = curve(points.transfer)
    if points.matrix or tone is None or not (is_grey or points.primaries in PRIMARIES):
        return b""
    if not points.full_range:
        codes = np.clip((np.linspace(0, 1, _STEPS) * ((1 << bits) - 1) / (1 << bits - 8) - 16) / 219, 0, 1)
        tone = np.clip(_light(points.transfer, codes), 0, 1)
    name = f"H.273 {points.primaries}/{points.transfer}"
    return icc_profiles.grey(name, tone) if is_grey else icc_profiles.rgb(name, *PRIMARIES[points.primaries], tone)


def curve(transfer: int) -> Curve | Doubles | None:
    """Return the curve of a transfer characteristic, or its values in [0, 1] at even steps; None if it is unknown."""
    if transfer in HIGH_RANGE:
        return np.clip(_light(transfer, np.linspace(0, 1, _STEPS)), 0, 1)
    return _CURVES.get(transfer)


def _light(transfer: int, codes: Doubles) -> Doubles:
    if transfer == _PQ:  # SMPTE ST 2084
        power = codes ** (32 / 2523)
        part = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return np.asarray(10_000 / _PAPER * part ** (16384 / 2610))
    if transfer == _HLG:  # ITU-R BT.2100, on a display of 1,000 cd/m²
        scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return np.asarray(_PEAK / _PAPER * scene**1.2)
    return _CURVES[transfer].light(codes)
