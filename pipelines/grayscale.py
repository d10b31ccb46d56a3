"""The filter that drops photos which teach no colour: grey, nearly grey, and toned.

The rule. R = G = B in every pixel is ``grayscale``. Of any other photo every second pixel of every second row is taken
to CIELAB, and one curve from luminance to chroma (a and b piecewise linear in L, 25 pieces) is fitted to it by
least squares, so that the mean of the curve over a block (a 16 x 16 grid of blocks) is the mean chroma of the block:
what averaging and JPEG do to chroma inside a block drops out. The root mean square over the blocks of what the curve
leaves unexplained is the residual. A photo is one tone where

    residual <= 0.45 (1 + mean chroma / 32) (1 + contrast of L inside the blocks / 24)   and   mean chroma <= 45;

strong tints and busy pictures carry more JPEG noise, and no print is stronger than chroma 45 all over. One tone with a
mean chroma of at most 2 is ``near_gray``, any other is ``toned``. The hue may change with L, so split tones count.

The line is drawn at pixels, not at what they meant: a real photo whose colour follows its luminance is dropped as well
(a beige garment on beige cloth, a parachute in an even blue sky, blue rain at night, a black and white object on
white). Fog, snow, sand and sunsets stay while something in them breaks the curve. On the other side a print with
stains, or one faded unevenly, is kept.

Measured by tests/bench/grayscale_bench.py on photos that the tolerance was not swept on. The rest of the rule was found
with these colour photos in view; the made pictures are from other photos than those it was tuned on (``--offset=7``):

    made grey, R = G = B or through JPEG           1,482    100 %    dropped
    grey with noise, through JPEG 30 to 95           543    100 %    dropped
    toned, uncompressed or JPEG 40 to 95           1,795   99.8 %    dropped
    toned, JPEG 30                                   230   93.0 %    dropped
    real colour                                    9,192   0.37 %    lost
    the same without flat lays of clothes          7,892   0.15 %    lost
    real colour, chroma scaled by 0.3                675   12.9 %    lost
    real colour, 65 % fog                            675    5.6 %    lost
    historic scans (54 of them R = G = B)            104   81.7 %    dropped

Precision and recall by reason: grayscale 100 % and 100 %, near_gray 86.7 % and 100 % (the palest tints are called so),
toned 98.5 % and 95.1 % (99.0 % are dropped for one reason or the other).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tfrecords.color import Bytes, Floats, srgb_to_lab

BLOCKS = 16
"""The picture is judged on a grid of at most this many blocks a side."""
TOLERANCE = 0.45
"""Residual chroma (Lab units) that a neutral, textureless picture may show and still count as one tone."""
CHROMA_SCALE = 32.0
"""Mean chroma (Lab units) that doubles the tolerance."""
TEXTURE_SCALE = 24.0
"""Contrast of L inside the blocks (root mean square) that doubles the tolerance."""
NEUTRAL = 2.0
"""Mean chroma up to which one tone is called ``near_gray``; 2.3 is the just noticeable difference in Lab."""
VIVID = 45.0
"""Mean chroma above which nothing is called toned: no print is as strong as that all over."""

_SAMPLES = 128
# Knots of the tone curve: every 5 L, closer near white, where tinting filters clip and the chroma changes fast.
_KNOTS = np.r_[np.arange(0.0, 90.0, 5.0), 90.0, 92.5, 95.0, 96.0, 97.0, 98.0, 99.0, 100.0]
_RIDGE = 0.01


@dataclass(frozen=True)
class Verdict:
    """What the filter says of a photo.

    Attributes:
        reason: ``grayscale``, ``near_gray``, ``toned``, or None where the photo has colour to teach.
        chroma: mean chroma of the blocks, Lab units.
        residual: root mean square of the chroma that luminance does not explain, Lab units.
        allowed: the residual up to which the photo counts as one tone.
    """

    reason: str | None
    chroma: float
    residual: float
    allowed: float


def judge(rgb: Bytes, lab: Floats | None = None) -> Verdict:
    """Says whether a photo teaches colour, and why not.

    Args:
        rgb: uint8 ``[H, W, 3]`` sRGB, H and W at least 1. The thresholds are tuned for 256 x 256, area-averaged.
        lab: ``srgb_to_lab(rgb)`` where the caller has it already; it saves time and changes nothing.

    Returns:
        The verdict with its figures. A picture of one single colour is ``toned`` up to chroma ``VIVID``, kept above.
    """
    rows, columns = rgb.shape[:2]
    step = max(1, min(rows, columns) // _SAMPLES)
    # Single pixels and not averages: only of single pixels is chroma a function of luminance.
    sample = rgb[::step, ::step]
    if _is_gray(sample) and _is_gray(rgb):
        return Verdict("grayscale", 0.0, 0.0, TOLERANCE)
    pixels = srgb_to_lab(np.ascontiguousarray(sample)) if lab is None else lab[::step, ::step]
    chroma, residual, texture = _figures(pixels)
    allowed = TOLERANCE * (1 + chroma / CHROMA_SCALE) * (1 + texture / TEXTURE_SCALE)
    reason = None
    if residual <= allowed and chroma <= VIVID:
        reason = "near_gray" if chroma <= NEUTRAL else "toned"
    return Verdict(reason, chroma, residual, allowed)


def _is_gray(rgb: Bytes) -> bool:
    return np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2])


def _figures(lab: Floats) -> tuple[float, float, float]:
    """Mean chroma, residual chroma off the tone curve, and contrast of L inside the blocks, of Lab ``[H, W, 3]``."""
    rows, columns = lab.shape[:2]
    block, counts = _blocks(rows, columns)
    luminance = lab[..., 0].ravel()
    position = _knot_position(luminance)
    knot = np.minimum(position.astype(np.int32), len(_KNOTS) - 2)
    share = position - knot

    # Row by row the mean of the hat functions of L over one block, so that weights @ row is the mean of the curve.
    cell = block * len(_KNOTS) + knot
    size = len(counts) * len(_KNOTS)
    sums = np.bincount(cell, 1 - share, size) + np.bincount(cell + 1, share, size)
    hats = sums.reshape(len(counts), len(_KNOTS)) / counts[:, None]
    ab = np.stack([np.bincount(block, lab[..., channel].ravel()) for channel in (1, 2)], axis=1) / counts[:, None]

    deviation = ab - ab.mean(axis=0)
    normal = hats.T @ hats + _RIDGE * np.eye(len(_KNOTS))
    residual = deviation - hats @ np.linalg.solve(normal, hats.T @ deviation)
    mean_luminance = np.bincount(block, luminance) / counts
    texture = np.mean(np.square(luminance - mean_luminance[block]))
    return (
        float(np.hypot(ab[:, 0], ab[:, 1]).mean()),
        float(np.sqrt(np.square(residual).sum(axis=1).mean())),
        float(np.sqrt(texture)),
    )


def _knot_position(luminance: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Where L lies among ``_KNOTS``, as index and fraction: np.interp(luminance, _KNOTS, index), ten times as fast."""
    position = luminance / 5 + np.maximum(luminance - 90, 0) / 5 + np.maximum(luminance - 95, 0) * 0.6
    return np.clip(position, 0, len(_KNOTS) - 1)


@lru_cache(maxsize=16)
def _blocks(rows: int, columns: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    """The block of every pixel of a picture, flattened, and the number of pixels in every block."""
    down, across = min(rows, BLOCKS), min(columns, BLOCKS)
    block = (np.arange(rows) * down // rows)[:, None] * across + (np.arange(columns) * across // columns)
    flat = block.ravel().astype(np.int32)
    return flat, np.bincount(flat)
