"""Give a photo the colours of another one: E. Reinhard et al., "Color Transfer between Images" (2001).

Mean and deviation of the two chroma axes of their colour space lαβ, in which axes of natural pictures are decorrelated,
become those of the reference. α and β are differences of logarithms, so a colour can be made brighter or darker without
changing them: luminance stays that of the photo, and the statistics are met exactly, before sRGB limits colours.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.guidance import correspondence, matching
from tfrecords.color import Bytes, Floats, srgb_to_lab

Doubles = NDArray[np.float64]
Look = Callable[[Floats], tuple[Floats, ...]]
"""What a network sees in a luminance, L* float32 ``[S, S]``: layers float32 ``[n, n, C]``; none if it cannot say."""
VERSION = 2
"""Increase this when a reference gives other colours than before. Records name it."""
_TO_LMS = np.array([[0.3897, 0.6890, -0.0787], [-0.2298, 1.1834, 0.0464], [0.0, 0.0, 1.0]])
_WHITE = np.array([0.950456, 1.0, 1.088754])
# α and β from the logarithms of L, M and S.
_TO_AXES = np.array([[1, 1, -2], [1, -1, 0]]) / np.sqrt([[6.0], [2.0]])
_DARKEST = 1e-3
_FLAT = 1e-4
_BLACK = 2.0  # L* below which colours say nothing


@dataclass(frozen=True)
class Statistics:
    """Mean and deviation of α and β, each float64 ``[2]``."""

    mean: tuple[float, float]
    deviation: tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """A photo that lends its colours, squeezed to a square of `matching.SIDE` pixels.

    Attributes:
        light: L*, float32 ``[S, S]``.
        chroma: a and b, float32 ``[S, S, 2]``.
        statistics: of these.
    """

    light: Floats
    chroma: Floats
    statistics: Statistics


def of(pixels: Bytes) -> Reference:
    """Return the reference of a photo, uint8 ``[H, W, 3]``, sRGB."""
    lab = srgb_to_lab(cv2.resize(pixels, (matching.SIDE, matching.SIDE), interpolation=cv2.INTER_AREA))
    light, chroma = np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])
    return Reference(light=light, chroma=chroma, statistics=statistics(light, chroma))


def apply(light: Floats, chroma: Floats, references: Sequence[Reference], look: Look = lambda light: ()) -> Floats:
    """Return a prediction with the colours of the reference that is nearest to the photo.

    Of several references, the one of the same scene that matches best is taken; else the one that shows things most
    like the photo's; else the one whose tones are most like. A photo of the same scene lends its colours place by
    place. Elsewhere the colours come from like things if there are any, and otherwise by statistics.

    Args:
        light: L* of the photo, float32 ``[S, S]``.
        chroma: the prediction, float32 ``[S, S, 2]``.
        references: at least one.
        look: what the network sees, by which like things are found.
    """
    is_comparable = light.shape == references[0].light.shape
    matches = [matching.match(light, one.light) if is_comparable else None for one in references]
    seen = look(light)
    like = [
        correspondence.correspond(light, seen, one.light, one.chroma, _known(one, look)) for one in references if seen
    ]
    pairs = [found.pairs if found else 0 for found in matches]
    if any(pairs):
        best = int(np.argmax(pairs))
    elif like and max(one.likeness for one in like) >= correspondence.ALIKE:
        best = int(np.argmax([one.likeness for one in like]))
    else:
        best = int(np.argmin([np.abs(_tones(light) - _tones(one.light)).sum() for one in references]))
    one, found = references[best], matches[best]
    if like and like[best].likeness >= correspondence.ALIKE:
        rest = like[best].chroma
    else:
        rest = transfer(light, chroma, one.statistics)
    if found is None:
        return rest
    loan = matching.lend(light, one.light, one.chroma, found)
    return rest + loan.weight[..., None] * (loan.chroma - rest)


@functools.lru_cache(maxsize=40)
def _known(reference: Reference, look: Look) -> tuple[Floats, ...]:
    return look(reference.light)


def _tones(light: Floats) -> Doubles:
    """Return which share of the pixels is darker than each of 20 tones."""
    found: Doubles = (light[..., None] < np.linspace(5, 100, 20)).mean(axis=(0, 1))
    return found


def statistics(light: Floats, chroma: Floats) -> Statistics:
    """Return the statistics of a picture.

    Args:
        light: L*, float32 ``[h, w]``.
        chroma: a and b, float32 ``[h, w, 2]``.
    """
    axes = _axes(light, chroma)[light > _BLACK]
    if not len(axes):
        return Statistics((0.0, 0.0), (0.0, 0.0))
    mean, deviation = axes.mean(axis=0), axes.std(axis=0)
    return Statistics((float(mean[0]), float(mean[1])), (float(deviation[0]), float(deviation[1])))


def transfer(light: Floats, chroma: Floats, reference: Statistics) -> Floats:
    """Return chroma with the statistics of a reference, at the luminance of the picture.

    Args:
        light: L*, float32 ``[h, w]``.
        chroma: a and b, float32 ``[h, w, 2]``.
        reference: its statistics.

    Returns:
        a and b, float32 ``[h, w, 2]``; unchanged in black.
    """
    own = statistics(light, chroma)
    # A photo without colours, or of one, has nothing to spread.
    spread = np.where(np.array(own.deviation) > _FLAT, reference.deviation, 0) / np.maximum(own.deviation, _FLAT)
    axes = (_axes(light, chroma) - own.mean) * spread + reference.mean
    return np.where((light > _BLACK)[..., None], _chroma(light, axes), chroma).astype(np.float32)


def _axes(light: Floats, chroma: Floats) -> Doubles:
    """Return α and β, float64 ``[h, w, 2]``."""
    fy = (light.astype(np.float64) + 16) / 116
    f = np.stack([fy + chroma[..., 0] / 500, fy, fy - chroma[..., 1] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    return _products(np.log10(np.maximum(_products(xyz, _TO_LMS), _DARKEST * 1e-2)), _TO_AXES)


def _chroma(light: Floats, axes: Doubles) -> Doubles:
    """Return a and b of α and β at a luminance, float64 ``[h, w, 2]``."""
    # l is free: it scales L, M and S alike. With l = 0, logarithms follow from the two axes alone.
    lms = 10 ** _products(axes, _TO_AXES.T)
    xyz = _products(lms, np.linalg.inv(_TO_LMS))
    fy = (light.astype(np.float64) + 16) / 116
    y = np.where(fy > 6 / 29, fy**3, 3 * (6 / 29) ** 2 * (fy - 4 / 29))
    xyz = np.maximum(xyz * (y / np.maximum(xyz[..., 1], 1e-12))[..., None], 0) / _WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([500 * (f[..., 0] - fy), 200 * (fy - f[..., 2])], axis=-1)


def _products(vectors: Doubles, matrix: Doubles) -> Doubles:
    """Return the matrix times each vector, without BLAS, whose sums depend on the number of threads."""
    found: Doubles = (vectors[..., None, :] * matrix).sum(axis=-1)
    return found
