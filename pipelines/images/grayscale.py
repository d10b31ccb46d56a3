"""The filter that drops photos without colour to learn from: grey, nearly grey, and toned.

The rule. R = G = B in every pixel is ``grayscale``. Any other photo is judged by 192 x 192 of its pixels, in the codes
of JPEG's own colour space (Y, Cb, Cr; ITU-T T.871), in which JPEG keeps the mean chroma of a block. One curve from luma
to chroma (Cb and Cr piecewise linear in Y, 23 pieces) is fitted by least squares, so that the mean of the curve over a
block (a grid of 16 x 16) is the mean chroma of the block. What the curve leaves unexplained is averaged over fields of
2 x 2 blocks: false colour differs from block to block and averages out, the colour of things does not. The residual is
the root mean square over the 64 fields. A photo is one tone if

    residual <= 0.21 (1 + mean chroma / 20) (1 + contrast of Y inside the blocks / 50) coarseness;

strong tints and busy pictures have more false colour. Coarseness is 1, or for JPEGs below quality 48 the step in which
the file stores the mean chroma of a block, over 18: 1.6 at quality 30. If the mean chroma in Lab is above 45, half the
residual is allowed. One tone with a mean chroma in Lab of at most 1 is ``near_gray``, any other is ``toned``. The hue
may change with Y, so split tones count as one tone.

The rule looks at pixels, not at what they show: a real photo whose colour follows its luminance is dropped as well (a
beige garment on beige cloth, a grey wolf in snow, blue rain at night). Fog, snow, sand and sunsets are kept if
something in them leaves the curve. On the other hand a print with stains, or one that faded unevenly, is kept, and so
is half of the grey photos in heavily compressed WebP files: their false colour is as large as faint real colour.

Measured by tests/bench/grayscale_bench.py on the half of the photos that were not used to find the rule and its
numbers (the tolerance of 0.21 rather than 0.22, and three labels, were chosen with both halves in view):

    made grey, R = G = B or through JPEG           1,532    100 %    dropped
    grey with noise, through JPEG 30 to 95           502   99.4 %    dropped
    toned, uncompressed or JPEG 30 to 95           3,390   99.7 %    dropped
    of these JPEG 30 to 50                           929   99.2 %    dropped
    real colour                                    9,190   0.25 %    lost
    the same without flat lays of clothes          7,890   0.06 %    lost
    real colour, chroma scaled by 0.3                678    4.9 %    lost
    real colour, 65 % fog                            678    1.2 %    lost
    historic scans (32 of them R = G = B)             64   76.6 %    dropped
    toned photos found by eye, mostly WebP            70   60.0 %    dropped

Precision and recall by reason: `grayscale` 99.8 % and 100 %, near_gray 94.7 % and 99.4 %, toned 99.3 % and 98.8 % (the
palest tints are called near_gray; where JPEG rounds all of the tint away, grayscale).
"""

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tfrecords import squeezing
from tfrecords.color import Bytes, Floats, srgb_to_lab

Mask = npt.NDArray[np.bool_]

TOLERANCE = 0.21
"""Residual chroma (codes) that a neutral, textureless picture may show and still count as one tone."""
CHROMA_SCALE = 20.0
"""Mean chroma (codes) that doubles the tolerance."""
TEXTURE_SCALE = 50.0
"""Contrast of Y inside the blocks (root mean square, codes) that doubles the tolerance."""
COARSE_STEP = 18.0
"""DC step of the chroma in a JPEG from which the tolerance grows with it; quality 48 by the standard's tables."""
NEUTRAL = 1.0
"""Mean chroma (Lab) up to which one tone is called ``near_gray``; it is invisible."""
VIVID = 45.0
"""Mean chroma (Lab) above which the tolerance is halved: few prints are as strongly toned as that all over."""

_SIDE = 192
BLOCKS = 16
"""Blocks of a side."""
# Every 12 codes, closer near white, where tinting filters clip and the chroma changes fast.
_KNOTS = np.r_[np.arange(0.0, 232.0, 12.0), 232.0, 240.0, 248.0, 255.0]
RIDGE = 0.01
"""Added to the diagonal of the normal equations: photos need not have every luma."""
_RIDGE = RIDGE * np.eye(len(_KNOTS))
# ITU-T T.871, without the offset of 128.
_TO_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])

# Y lies between a knot and the next one. No BLAS here: its threads, in several processes, cost five times what the work
# does.
_KNOT_BELOW = np.minimum(np.searchsorted(_KNOTS, np.arange(256), side="right") - 1, len(_KNOTS) - 2).astype(np.uint8)
_ABOVE_KNOT = (np.arange(256) - _KNOTS[_KNOT_BELOW]).astype(np.uint8)
_KNOT_STEPS = np.r_[np.diff(_KNOTS), 1.0]
_ROW_SHARE = np.float32(BLOCKS / _SIDE)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the filter says about a photo.

    Attributes:
        reason: ``grayscale``, ``near_gray``, ``toned``, or None if the photo has colour to learn from.
        chroma: mean chroma of the blocks, Lab units.
        residual: root mean square of the chroma that luma does not explain, in codes (a chroma range of 0 to 255).
        allowed: the residual up to which the photo counts as one tone.
    """

    reason: str | None
    chroma: float
    residual: float
    allowed: float


GRAY = Verdict(reason="grayscale", chroma=0.0, residual=0.0, allowed=TOLERANCE)
"""The verdict on R = G = B in every pixel."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the filter measures in a photo, by blocks.

    Attributes:
        lab: of the mean colour of each block, float32 ``[16, 16, 3]``.
        chroma: Cb and Cr of the same, float64 ``[256, 2]``.
        hats: of each block, the means of the hat functions of Y, float64 ``[256, knots]``.
        texture: contrast of Y inside the blocks.
        chroma_step: `judge` explains it.
        strength: of the chroma, in codes, float64 ``[256]``.
        colour: the same in Lab, float32 ``[256]``.
        left: what the curve of all blocks does not explain of the chroma, float64 ``[256, 2]``.
    """

    chroma: npt.NDArray[np.float64]
    hats: npt.NDArray[np.float64]
    lab: Floats
    texture: float
    chroma_step: int
    strength: npt.NDArray[np.float64]
    colour: Floats
    left: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Samples of a photo, summed up by `pipelines.images.gray_kernels.sums`, which describes the fields."""

    lines: npt.NDArray[np.uint16]
    hats: npt.NDArray[np.float64]
    moments: npt.NDArray[np.int64]


def judge(rgb: Bytes, chroma_step: int = 0) -> Verdict:
    """Judge whether a photo has colour to learn from.

    Args:
        rgb: uint8 ``[H, W, 3]`` sRGB, H and W at least 1, as decoded. In a downsized photo pixels are mixtures: they
            leave the curve where it bends, and a strong tint may be taken for colour.
        chroma_step: ``Photo.chroma_step`` of the file; 0 where it is not known.

    Returns:
        the verdict with its figures; a picture of a single colour is ``toned``.
    """
    measured = measure(rgb, chroma_step)
    return GRAY if measured is None else verdict(measured)


def measure(rgb: Bytes, chroma_step: int = 0) -> Measured | None:
    """Measure a photo, given as for `judge`; None if R = G = B in every pixel."""
    sums = sums_of(rgb)
    return None if sums is None else measure_by(sums, chroma_step)


def sums_of(rgb: Bytes) -> Sums | None:
    """Sum up samples of a photo; None if R = G = B in every pixel."""
    from pipelines.images import gray_kernels  # takes a quarter of a second to import

    # Single pixels and not averages: only of single pixels is chroma a function of luma.
    rows, columns = (_nearest(length) for length in rgb.shape[:2])
    lines = np.zeros((BLOCKS, 3 * _SIDE), np.uint16)
    hats = np.zeros((BLOCKS**2, len(_KNOTS)))
    moments = np.zeros(2, np.int64)
    curve = _KNOT_BELOW, _ABOVE_KNOT, _KNOT_STEPS
    if not gray_kernels.sums(rgb, rows, columns, *curve, lines, hats, moments) and _is_gray(rgb):
        return None
    return Sums(lines=lines, hats=hats, moments=moments)


def measure_by(sums: Sums, chroma_step: int = 0) -> Measured:
    """Measure a photo by its sums."""
    blocks = cv2.resize(
        sums.lines.reshape(BLOCKS, _SIDE, 3) * _ROW_SHARE, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA
    )
    ycbcr = cv2.transform(blocks.astype(np.float64), _TO_YCBCR).reshape(-1, 3)
    luma, square = sums.moments / _SIDE**2
    texture = float(np.sqrt(max(0.0, square - luma**2 - ycbcr[:, 0].var())))
    # Row by row the mean over one block, so that hats @ curve is the mean of the curve.
    hats = sums.hats / (_SIDE // BLOCKS) ** 2
    lab = srgb_to_lab(np.rint(blocks).astype(np.uint8))
    chroma = ycbcr[:, 1:]
    return Measured(
        lab=lab,
        chroma=chroma,
        hats=hats,
        texture=texture,
        chroma_step=chroma_step,
        strength=np.hypot(*chroma.T),
        colour=np.hypot(lab[..., 1], lab[..., 2]).ravel(),
        left=_unexplained(hats, chroma, hats, chroma),
    )


def verdict(measured: Measured, taken: Mask | None = None) -> Verdict:
    """Judge a photo by what was measured in it, or a part of it.

    Args:
        measured: the photo.
        taken: the blocks of the part, ``[16, 16]``; None for all of them.
    """
    residual = _residual_of_all(measured) if taken is None else _residual(measured, taken)
    chroma, most = mean_chroma(measured, taken), allowed(measured, taken)
    reason = None
    if residual <= most:
        reason = "near_gray" if chroma <= NEUTRAL else "toned"
    return Verdict(reason=reason, chroma=chroma, residual=residual, allowed=most)


def mean_chroma(measured: Measured, taken: Mask | None = None) -> float:
    """Return the mean chroma in Lab, of the same blocks as `verdict`."""
    return float((measured.colour if taken is None else measured.colour[taken.ravel()]).mean())


def allowed(measured: Measured, taken: Mask | None = None) -> float:
    """Return the residual that `verdict` allows."""
    strength = (measured.strength if taken is None else measured.strength[taken.ravel()]).mean()
    most = tolerance(float(strength), measured.texture, measured.chroma_step)
    return most / (2 if mean_chroma(measured, taken) > VIVID else 1)


def tolerance(strength: float, texture: float, chroma_step: int) -> float:
    """Return the residual that is allowed to colours that are not vivid; the arguments are those of `Measured`."""
    return (
        TOLERANCE * (1 + strength / CHROMA_SCALE) * (1 + texture / TEXTURE_SCALE) * max(1.0, chroma_step / COARSE_STEP)
    )


def _is_gray(rgb: Bytes) -> bool:
    from pipelines.images import gray_kernels  # takes a quarter of a second to import

    return bool(gray_kernels.is_gray(*squeezing.flat(rgb), *rgb.shape[:2]))


@functools.lru_cache(maxsize=1024)
def _nearest(length: int) -> npt.NDArray[np.uint32]:
    """Return the samples of a side, those of ``cv2.INTER_NEAREST``."""
    found: npt.NDArray[np.uint32] = np.floor(np.arange(_SIDE) * (1 / (_SIDE / length))).astype(np.uint32)
    return np.minimum(found, np.uint32(length - 1))


def unexplained(measured: Measured, taken: Mask) -> npt.NDArray[np.float64]:
    """Return the chroma of all blocks, ``[256, 2]``, that the curve of the blocks that are taken does not explain."""
    where = taken.ravel()
    return _unexplained(measured.hats, measured.chroma, measured.hats[where], measured.chroma[where])


def _unexplained(hats: Any, chroma: Any, fitted_hats: Any, fitted_chroma: Any) -> npt.NDArray[np.float64]:
    mean = fitted_chroma.mean(axis=0)
    normal = cv2.gemm(fitted_hats, fitted_hats, 1, _RIDGE, 1, flags=cv2.GEMM_1_T)
    right = cv2.gemm(fitted_hats, fitted_chroma - mean, 1, None, 0, flags=cv2.GEMM_1_T)
    _, curve = cv2.solve(normal, right, flags=cv2.DECOMP_CHOLESKY)
    left: npt.NDArray[np.float64] = cv2.gemm(hats, curve, -1, chroma - mean, 1)
    return left


def _residual_of_all(measured: Measured) -> float:
    """Return the chroma of the blocks that no curve of the pixels' luma explains."""
    half = BLOCKS // 2
    fields = measured.left.reshape(half, 2, half, 2, 2).mean(axis=(1, 3))
    return float(np.sqrt(np.square(fields).sum(axis=-1).mean()))


def _residual(measured: Measured, taken: Mask) -> float:
    """Return the same of a part, whose fields may have fewer than four blocks."""
    half = BLOCKS // 2
    left = unexplained(measured, taken).reshape(BLOCKS, BLOCKS, 2)
    number = taken.reshape(half, 2, half, 2).sum(axis=(1, 3))
    fields = (left * taken[..., None]).reshape(half, 2, half, 2, 2).sum(axis=(1, 3)) / np.maximum(number, 1)[..., None]
    return float(np.sqrt((np.square(fields).sum(axis=-1) * number).sum() / number.sum()))
