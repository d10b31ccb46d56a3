"""Between a photo and the model: luminance goes in at the model's size, chroma comes out along the photo's edges.

Chroma is brought up by the fast guided filter (K. He, J. Sun, "Fast Guided Filter", arXiv:1505.00996, 2015): where
chroma follows luminance, the slope is fitted on the small picture, and the small slope, brought up bilinearly, is
multiplied with the large luminance. Two things differ from the paper. The slope is laid on what the photo's luminance
has beyond the small picture's, so that the small chroma itself comes through unsmoothed. And networks paint more softly
than their own grid: the band between a quarter of the grid and the grid is first filled up in the same way, by as much
of it as is missing.

On 64 photos of 2,000 px and more whose colours were averaged down to 256, 64 and 32 px, CIEDE2000 at the steepest tenth
of L* is 5.1, 3.6 and 1.8 % below bilinear's, and 4.7, 5.9 and 3.0 % everywhere, for a quarter more time. The constants
below were chosen on other photos; ``tests/bench/upsampling_bench.py`` measures it again.
"""

from dataclasses import dataclass
from typing import Literal, overload

import cv2
import numpy as np

from tfrecords.color import GAMUT_SLACK, Bytes, Floats, Pixels, linear_light, luminance
from tfrecords.squeezing import squeezed

# L* of this number of pixels stays in the processor's cache.
STRIP_PIXELS = 1 << 17
# Windows of the fits are Gaussian, in pixels of their grid; the variance of L* below which they are flattened (He and
# Sun's ε) keeps grain out of the colours.
FINE_SIGMA, FINE_VARIANCE = 0.7, 50.0
COARSE_SIGMA, COARSE_VARIANCE = 1.0, 25.0
COARSE = 4
# Filling up takes only colours within this number of pixels of the grid: no complementary halos.
REACH = 6
# Beyond this difference of L* from the small picture's, chroma follows no further: highlights and pits are often grey.
MOST_DETAIL = 10.0


@dataclass(frozen=True, kw_only=True)
class Guided:
    """Small planes from which chroma at any place of the photo follows: (a, b) + (slope of a, b) · detail of L*.

    Attributes:
        planes: float32 ``[5, h, w]``: a, b, d a / d L*, d b / d L*, L*.
        height: of the photo.
        width: of the photo.
    """

    planes: Floats
    height: int
    width: int


def model_luminance(pixels: Pixels, size: int) -> Floats:
    """Return the model's input for a photo: its L* / 100 squeezed to a square, as in training.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        size: side S of the model's input.

    Returns:
        float32 ``[S, S, 1]`` in [0, 1].
    """
    return _small_luminance(pixels, size, size)[..., None] / np.float32(100)


@overload
def recolor(
    pixels: Pixels, chroma: Floats, bits: Literal[8] = 8, seen: Floats | None = None, space: str = ...
) -> Bytes: ...
@overload
def recolor(pixels: Pixels, chroma: Floats, bits: int, seen: Floats | None = None, space: str = ...) -> Pixels: ...
def recolor(pixels: Pixels, chroma: Floats, bits: int = 8, seen: Floats | None = None, space: str = "srgb") -> Pixels:
    """Join the luminance of a photo with chroma of any size, upsampled along the edges of the luminance.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB; of colour, only the luminance is used.
        chroma: float32 ``[h, w, 2]``, a and b.
        bits: 8 or 16, of the result.
        seen: `model_luminance` of the photo, where it is at hand; that of the chroma's size is not made again.
        space: one of `model.color_spaces.SPACES`.

    Returns:
        uint8 or uint16 ``[H, W, 3]``, codes of the space. Colours outside it have given up chroma; L* is the photo's to
        within rounding.
    """
    return recolor_guided(pixels, guide(pixels, chroma, seen), bits, space)


def recolor_guided(pixels: Pixels, guided: Guided, bits: int = 8, space: str = "srgb") -> Pixels:
    """Do what `recolor` does with chroma that has been fitted to the photo by `guide`."""
    height, width = pixels.shape[:2]
    shape = height, width, 3
    result: Pixels = np.empty(shape, np.uint8) if bits == 8 else np.empty(shape, np.uint16)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        result[top : top + rows] = recolor_rows(pixels[top : top + rows], guided, top, bits, space)
    return result


def recolor_rows(rows: Pixels, guided: Guided, top: int, bits: int = 8, space: str = "srgb") -> Pixels:
    """Return the rows of a recolored photo from ``top``; they do not depend on which rows are requested together."""
    return joined(_luminance(rows), guided, top, bits, space)


def joined(light: Floats, guided: Guided, top: int, bits: int = 8, space: str = "srgb") -> Pixels:
    """Return what `recolor_rows` does for rows whose L* is known, float32 ``[n, W]``."""
    from model import color_spaces, kernels  # takes a quarter of a second to import

    shape = *light.shape, 3
    numbers = color_spaces.numbers(space)
    place = light, guided.planes, top, guided.height, np.float32(MOST_DETAIL)
    if bits == 8:
        codes = np.empty(shape, np.uint8)
        kernels.join_bytes(*place, np.float32(GAMUT_SLACK / 255), color_spaces.bytes_of_light(space), numbers, codes)
        return codes
    words = np.empty(shape, np.uint16)
    kernels.join_words(*place, np.float32(GAMUT_SLACK / 65535), color_spaces.codes_of_steps(space), numbers, words)
    return words


def _luminance(pixels: Pixels) -> Floats:
    """Return what `tfrecords.color.luminance` does, within 2e-5, in a third of the time where there is colour."""
    if pixels.ndim == 2:
        return luminance(pixels)
    from model import luminance_kernels

    light = np.empty(pixels.shape[:2], np.float32)
    if pixels.dtype == np.uint8:
        luminance_kernels.luminance_of_bytes(np.ascontiguousarray(pixels), linear_light(8), light)
    else:
        luminance_kernels.luminance_of_words(np.ascontiguousarray(pixels), linear_light(16), light)
    return light


def guide(pixels: Pixels, chroma: Floats, seen: Floats | None = None) -> Guided:
    """Fit chroma to the luminance of a photo.

    Args:
        pixels: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        chroma: float32 ``[h, w, 2]``, a and b.
        seen: `model_luminance` of the photo, or None.
    """
    height, width = chroma.shape[:2]
    if seen is not None and seen.shape[:2] == (height, width):
        light = seen[..., 0] * np.float32(100)
    else:
        light = _small_luminance(pixels, width, height)
    chroma = _sharpened(chroma, light)
    slope = _slope(chroma, light, FINE_SIGMA, FINE_VARIANCE)
    planes = np.stack([chroma[..., 0], chroma[..., 1], slope[..., 0], slope[..., 1], light])
    height, width = pixels.shape[:2]
    return Guided(planes=planes, height=height, width=width)


def _small_luminance(pixels: Pixels, width: int, height: int) -> Floats:
    return luminance(squeezed(pixels, width, height))


def _sharpened(chroma: Floats, light: Floats) -> Floats:
    """Restore the detail that chroma lacks between a quarter of its grid and the grid.

    The band that luminance foretells is added by the share of it that the chroma's own band does not show: none where
    the chroma is as sharp as its grid.

    Args:
        chroma: float32 ``[h, w, 2]``.
        light: L*, float32 ``[h, w]``.
    """
    height, width = light.shape
    coarse = max(1, width // COARSE), max(1, height // COARSE)
    coarse_chroma = cv2.resize(chroma, coarse, interpolation=cv2.INTER_AREA).reshape(coarse[1], coarse[0], 2)
    coarse_light = cv2.resize(light, coarse, interpolation=cv2.INTER_AREA)
    slope = _slope(coarse_chroma, coarse_light, COARSE_SIGMA, COARSE_VARIANCE)
    foretold = _resized(slope, width, height) * (light - _resized(coarse_light, width, height))[..., None]
    energy = _product(foretold, foretold)
    if energy == 0:
        return chroma
    shown = _product(chroma - _resized(coarse_chroma, width, height), foretold) / energy
    filled = chroma + np.float32(np.clip(1 - shown, 0, 1)) * foretold
    around = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    least, most = (nearby(chroma, around).reshape(chroma.shape) for nearby in (cv2.erode, cv2.dilate))
    return np.clip(filled, least, most)


def _product(one: Floats, other: Floats) -> float:
    """Return the sum of products, without BLAS, whose threads would compete and whose sum depends on their number."""
    return float(np.sum(one * other, dtype=np.float64))


def _slope(chroma: Floats, light: Floats, sigma: float, flat: float) -> Floats:
    """Return the guided filter's slope: covariance of chroma and L* over the variance of L*, in Gaussian windows.

    Args:
        chroma: float32 ``[h, w, 2]``.
        light: L*, float32 ``[h, w]``.
        sigma: of the windows, in pixels.
        flat: variance of L* in whose windows the slope is halved.

    Returns:
        float32 ``[h, w, 2]``.
    """

    def mean(plane: Floats) -> Floats:
        blurred: Floats = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return blurred.reshape(plane.shape)

    mean_light = mean(light)
    variance = mean(light * light) - mean_light * mean_light
    covariance = mean(light[..., None] * chroma) - mean_light[..., None] * mean(chroma)
    return mean(np.divide(covariance, (variance + np.float32(flat))[..., None], dtype=np.float32))


def _resized(plane: Floats, width: int, height: int) -> Floats:
    """Resize float32 ``[h, w]`` or ``[h, w, 2]`` bilinearly, with aligned pixel centres."""
    resized: Floats = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized.reshape(height, width, *plane.shape[2:])
