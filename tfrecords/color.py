"""Convert sRGB to CIELAB and back on the host, and to the bytes in which luminance and chroma are stored.

The conversions are those of CIE 15 (CIELAB, 2 degree observer, white D65) and IEC 61966-2-1 (sRGB). OpenCV does the
arithmetic. Its direct ``COLOR_RGB2Lab`` is off by up to 0.45, so the bytes are linearised by a 256-entry table and go
through ``COLOR_LRGB2Lab``, which is as fast and agrees with scikit-image to 0.005 in L and 0.04 in a and b.

Lab here is float32 ``[H, W, 3]`` with L in [0, 100] and a, b within ±110 for colours that sRGB can show.
"""

import functools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]
Pixels = Bytes | Words
Floats = npt.NDArray[np.float32]


@functools.cache
def linear_light(bits: int) -> Floats:
    """Return the linear light in [0, 1] of every 8-bit or 16-bit sRGB code (IEC 61966-2-1)."""
    codes = np.arange(1 << bits) / ((1 << bits) - 1)
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = linear_light(8)

# CIELAB's inverse and the XYZ → linear sRGB matrix (IEC 61966-2-1), rows scaled by the D65 white, for the gamut test.
_TO_F = np.array([[1 / 116, 1 / 500, 0, 16 / 116], [1 / 116, 0, 0, 16 / 116], [1 / 116, 0, -1 / 200, 16 / 116]])
_WHITE = np.array([0.950456, 1.0, 1.088754], np.float32)
XYZ_TO_LINEAR = (
    np.array(
        [[3.240479, -1.53715, -0.498535], [-0.969256, 1.875991, 0.041556], [0.055648, -0.204043, 1.057311]], np.float32
    )
    * _WHITE
)
# Luminance of linear sRGB, IEC 61966-2-1.
LINEAR_TO_Y = (0.212671, 0.71516, 0.072169)
# Half a code value is not out of the gamut. In the darkest colours, sRGB is linear with slope 12.92.
GAMUT_SLACK = 0.5 / 12.92
_GAMUT_STEPS = 10
_ABOVE_0, _BELOW_1 = (1e-30,) * 3, (1 - 2**-24,) * 3


def srgb_to_lab(rgb: Pixels) -> Floats:
    """Convert 8-bit or 16-bit sRGB to CIELAB.

    Args:
        rgb: uint8 or uint16 ``[H, W, 3]``.

    Returns:
        float32 ``[H, W, 3]``: L in [0, 100], a and b within ±110. Greys (R = G = B) come out with |a|, |b| < 0.005.
    """
    lab: Floats = cv2.cvtColor(_linearized(rgb), cv2.COLOR_LRGB2Lab)
    return lab


@functools.cache
def _luminance_of_grey(bits: int) -> Floats:
    """Return L* of every 8-bit or 16-bit grey."""
    return _luminance_of(linear_light(bits).astype(np.float64)).astype(np.float32)


def _luminance_of(y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return L* of Y in [0, 1]: 116 f(Y) - 16, with f as in CIE 15."""
    result = np.cbrt(y)
    result *= 116
    result -= 16
    return np.where(y > (6 / 29) ** 3, result, y * (29 / 3) ** 3)


def _linearized(pixels: Pixels) -> Floats:
    linear: Floats = cv2.LUT(pixels, _LINEAR) if pixels.dtype == np.uint8 else np.take(linear_light(16), pixels)
    return linear


def luminance(pixels: Pixels) -> Floats:
    """Return L* of a picture.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` (sRGB greys) or ``[H, W, 3]`` (sRGB).

    Returns:
        float32 ``[H, W]`` in [0, 100].
    """
    if pixels.ndim == 3:
        return _luminance_of(cv2.transform(_linearized(pixels), np.array([LINEAR_TO_Y])))
    if pixels.dtype == np.uint16:
        return np.take(_luminance_of_grey(16), pixels)
    found: Floats = cv2.LUT(pixels, _luminance_of_grey(8))
    return found


def lab_to_srgb(lab: Floats) -> Bytes:
    """Convert CIELAB to 8-bit sRGB; colours outside the gamut lose chroma, never luminance.

    A colour outside the gamut is moved towards the grey of its own L (a and b scaled by the same factor, so its hue
    stays) until it fits. Colours that came from sRGB bytes come back as the same bytes.

    Args:
        lab: float32 ``[H, W, 3]``, L in [0, 100].

    Returns:
        uint8 ``[H, W, 3]``. L* of the result is within 0.35 of the input's, which is the rounding to bytes. L outside
        [0, 100] is clipped.
    """
    rgb: Bytes = _lab_to_codes(lab, cv2.COLOR_Lab2LRGB, _light_to_bytes, 255)
    return rgb


def lab_to_srgb_words(lab: Floats) -> Words:
    """Convert CIELAB to 16-bit sRGB, uint16 ``[H, W, 3]``, as `lab_to_srgb`; L* is within 0.01 of the input's."""
    rgb: Words = _lab_to_codes(lab, cv2.COLOR_Lab2RGB, _to_words, 65535)
    return rgb


def _to_words(values: Floats) -> Words:
    words: Words = cv2.multiply(values, (65535.0,) * 4, dtype=cv2.CV_16U)
    return words


def _light_to_bytes(light: Floats) -> Bytes:
    """Convert linear light in [0, 1] to 8-bit sRGB through 16 bits, which give 20 steps to the darkest code."""
    light *= 65535
    light += 0.5
    codes: Bytes = cv2.LUT(light.astype(np.uint16), bytes_of_light())
    return codes


@functools.cache
def bytes_of_light() -> Bytes:
    """Return the 8-bit sRGB code of each of 65,536 steps of linear light (IEC 61966-2-1)."""
    light = np.arange(65536) / 65535
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    found: Bytes = np.rint(255 * codes).astype(np.uint8)
    return found


def _lab_to_codes(lab: Floats, conversion: int, encoded: Callable[[Floats], Any], top: int) -> Any:
    """Convert Lab to sRGB codes, ``[H, W, 3]``, moved into the gamut to within half a code.

    Args:
        lab: float32 ``[H, W, 3]``.
        conversion: OpenCV's from Lab to sRGB or linear light, in [0, 1].
        encoded: turns the result of the conversion into codes; may overwrite it.
        top: the highest code.
    """
    codes = encoded(cv2.cvtColor(lab, conversion))
    # OpenCV clips, so only pixels that touch an end of the range can have been outside.
    touching = np.flatnonzero(cv2.inRange(codes, (1,) * 3, (top - 1,) * 3) == 0)
    if len(touching):
        candidates = np.take(lab.reshape(-1, 3), touching, axis=0)
        light, a, b = candidates.T
        ends = (light <= 0) | (light >= 100)
        if ends.all():  # a plan or a page of text: black and white lose all chroma above half a code
            flat = (np.abs(a) > 1) | (np.abs(b) > 3)
            codes.reshape(-1, 3)[touching[flat]] = np.where(light[flat, None] <= 0, 0, top)
            touching, candidates = touching[~flat], candidates[~flat]
    if len(touching):
        outside = ~_in_gamut(candidates, GAMUT_SLACK / top)
        if outside.any():
            brought = _shrink_into_gamut(candidates[outside])[None]
            codes.reshape(-1, 3)[touching[outside]] = encoded(cv2.cvtColor(brought, conversion))[0]
    return codes


def _in_gamut(lab: Floats, slack: float) -> npt.NDArray[np.bool_]:
    """Return whether each Lab of ``[N, 3]`` is in the sRGB gamut, within ``slack`` of linear light."""
    f = cv2.transform(lab[None], _TO_F)
    xyz = np.where(f > 6 / 29, f * f * f, (f - 4 / 29) * np.float32(3 * (6 / 29) ** 2))
    linear = cv2.transform(xyz, XYZ_TO_LINEAR)
    inside: Bytes = cv2.inRange(linear, (-slack,) * 3, (1 + slack,) * 3)[0]
    return inside > 0


def _shrink_into_gamut(lab: Floats) -> Floats:
    """Scale a and b of each Lab of ``[N, 3]`` by the largest factor that fits into sRGB, found by bisection."""
    inside = np.zeros(len(lab), np.float32)
    step = np.float32(0.5)
    trial = lab.copy()
    for _ in range(_GAMUT_STEPS):
        for axis in (1, 2):
            np.multiply(lab[:, axis], inside + step, out=trial[:, axis])
        fits = cv2.inRange(cv2.cvtColor(trial[None], cv2.COLOR_Lab2LRGB), _ABOVE_0, _BELOW_1)[0]
        inside += fits * (step / 255)
        step /= 2
    for axis in (1, 2):
        np.multiply(lab[:, axis], inside, out=trial[:, axis])
    return trial


def quantize_luminance(luminance: Floats) -> Bytes:
    """Convert L* in [0, 100] to uint8, 2.55 codes a unit; the error is at most 0.2."""
    codes: Bytes = cv2.convertScaleAbs(luminance, alpha=2.55)
    return codes


def srgb_to_codes(rgb: Bytes) -> tuple[Bytes, Bytes]:
    """Convert 8-bit sRGB to the bytes of luminance and chroma that are stored.

    The result is that of `srgb_to_lab`, `quantize_luminance` and `quantize_chroma`, in a quarter of the time: there are
    only 16.8 million colours, so each is looked up. The table (64 MB of address space) holds the colours around those
    that were seen so far.

    Args:
        rgb: uint8 ``[H, W, 3]``, C-contiguous.

    Returns:
        luminance, uint8 ``[H, W]``, and chroma, uint8 ``[H, W, 2]``, whose planes a and b are each contiguous.
    """
    from tfrecords import kernels  # takes a quarter of a second to import

    height, width = rgb.shape[:2]
    planes = np.empty((3, height, width), np.uint8)
    found = planes.reshape(3, -1)
    wanted = np.zeros(_BLOCKS, np.uint8)
    if kernels.look_up(rgb, _PLACES, _codes_of_srgb(), wanted, found):
        _fill(np.flatnonzero(wanted))
        kernels.look_up(rgb, _PLACES, _codes_of_srgb(), wanted, found)
    return planes[0], planes[1:].transpose(1, 2, 0)


def _interleaved(channel: int) -> npt.NDArray[np.uint32]:
    """Return where the bits of a code of red, green or blue are in the place of a colour in the table."""
    codes = np.arange(256, dtype=np.uint32)
    bits = [(codes >> bit & 1) << (3 * bit + channel) for bit in range(8)]
    places: npt.NDArray[np.uint32] = np.bitwise_or.reduce(bits)
    return places


# Bits of the channels alternate (a Morton curve): similar colours are near one another in memory, and processors fetch
# less. A block of the table has 16 x 16 x 16 colours.
_PLACES = np.stack([_interleaved(channel) for channel in range(3)])
_BLOCKS, _COLOURS = 4096, 4096


@functools.cache
def _codes_of_srgb() -> npt.NDArray[np.uint32]:
    """Return the table of `kernels.look_up`, in which all blocks are missing at first."""
    return np.zeros(_BLOCKS * _COLOURS, np.uint32)


@functools.cache
def _colours_of_block() -> Bytes:
    """Return the colours of the first block, in its order; uint8 ``[4096, 3]``."""
    colours = np.stack(np.meshgrid(*[np.arange(16, dtype=np.uint8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    order = np.argsort(_PLACES[np.arange(3), colours].sum(axis=1))
    return colours[order]


def _fill(blocks: npt.NDArray[np.intp]) -> None:
    """Compute the codes of all colours in blocks."""
    # The place of a block has the upper bits of its colours, as the place of a colour in a block has the lower ones.
    rgb = _colours_of_block() + 16 * _colours_of_block()[blocks][:, None]
    luminance, a, b = cv2.split(srgb_to_lab(rgb.reshape(-1, 256, 3)))
    planes = quantize_luminance(luminance), quantize_chroma(a), quantize_chroma(b)
    codes = cv2.merge([*planes, np.full_like(planes[0], 255)])
    _codes_of_srgb().reshape(_BLOCKS, -1)[blocks] = codes.view("<u4").reshape(len(blocks), -1)


def dequantize_luminance(codes: Bytes) -> Floats:
    """Convert uint8 codes to L* in [0, 100], float32."""
    return codes.astype(np.float32) / np.float32(2.55)


def quantize_chroma(chroma: Floats) -> Bytes:
    """Convert a and b to uint8, offset by 128; the error is at most 0.5 in [-128, 127], which covers sRGB."""
    codes: Bytes = cv2.add(chroma, (128.0,) * 4, dtype=cv2.CV_8U)
    return codes


def dequantize_chroma(codes: Bytes) -> Floats:
    """Convert uint8 codes to a and b in [-128, 127], float32."""
    return codes.astype(np.float32) - np.float32(128)


def colourfulness(image: Bytes) -> float:
    """Return how colourful an sRGB picture uint8 ``[H, W, 3]`` is: 0 is grey, 15 slightly, 33 moderately, 59 quite.

    Hasler, Süsstrunk: *Measuring colourfulness in natural images*, 2003, section 7: with the signed opponent channels
    rg = R - G and yb = (R + G) / 2 - B, the length of their deviations plus 0.3 times the length of their means.
    """
    # rg and twice yb, as integers.
    opponents = cv2.transform(image.astype(np.int16), np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]))
    mean, deviation = (figures.ravel() / (1, 2) for figures in cv2.meanStdDev(opponents))
    return float(np.linalg.norm(deviation) + 0.3 * np.linalg.norm(mean))
