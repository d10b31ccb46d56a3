"""The colour spaces in which photos are written, and what the compiled loops need to know of each.

L* of a colour is that of sRGB: relative to a white of D65. Profiles carry colours through D50 (Bradford), and so does
the matrix here: what a viewer that manages colours shows has the same L* in each space.
"""

import functools

import numpy as np

from tfrecords import color, colorimetry
from tfrecords.color import Bytes, Floats
from tfrecords.colorimetry import D50, D65, Curve, Space

SPACES: dict[str, Space] = {
    "srgb": colorimetry.SRGB,
    "adobe_rgb": Space(
        title="Adobe RGB (1998) compatible",
        primaries=((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
        white=D65,
        curve=Curve(gamma=563 / 256),
    ),
    "display_p3": Space(
        title="Display P3",
        primaries=((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
        white=D65,
        curve=colorimetry.SRGB_CURVE,
    ),
    # The curve is that of L*, CIE 15.
    "ecirgb_v2": Space(
        title="eciRGB v2",
        primaries=((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
        white=D50,
        curve=Curve(gamma=3, scale=1 / 1.16, offset=0.16 / 1.16, slope=2700 / 24389, end=0.08),
    ),
}
"""By the names of ``--color_space``."""


@functools.cache
def numbers(name: str) -> Floats:
    """Return what `model.kernels` takes of a space.

    Returns:
        float32 ``[11]``: the matrix from XYZ relative to white to linear light, row by row; the light up to which codes
        of 16 bits are a multiple of it; and that factor.
    """
    matrix, curve = color.XYZ_TO_LINEAR, SPACES[name].curve
    if name != "srgb":
        from_srgb = np.linalg.solve(SPACES[name].to_d50(), colorimetry.SRGB.to_d50())
        matrix = (from_srgb @ matrix).astype(np.float32)
    end, slope = curve.slope * curve.end, 65535 / curve.slope if curve.slope else 0.0
    if name == "srgb":  # the constants of the standard, which are rounded
        end, slope = 0.0031308, 12.92 * 65535
    return np.array([*matrix.ravel(), end, slope], np.float32)


@functools.cache
def bytes_of_light(name: str) -> Bytes:
    """Return the 8-bit code of each of 65,536 steps of linear light."""
    if name == "srgb":
        return color.bytes_of_light()
    found: Bytes = np.rint(255 * np.clip(SPACES[name].curve.codes(np.arange(65536) / 65535), 0, 1)).astype(np.uint8)
    return found


@functools.cache
def codes_of_steps(name: str) -> Floats:
    """Return the 16-bit code of each of the steps of linear light in `model.kernels`, and of one beyond."""
    from model import kernels  # takes a quarter of a second to import

    # Powers are steep near black: codes below the first step of 2⁻⁴⁰ are 0.
    first = kernels.step_of(2.0**-9 if SPACES[name].curve.slope else 2.0**-40)
    return (65535 * SPACES[name].curve.codes(kernels.light_of_steps(first))).astype(np.float32)
