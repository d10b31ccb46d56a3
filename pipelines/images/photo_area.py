"""Judge the photo's area alone: a grey photo stays one beside a colour target, under a stamp, or in a coloured mount.

`pipelines.images.grayscale` judges the whole frame. Where it finds colour, three things may be beside the photo:

* A border or mount (`model.borders`): the picture within it is judged.
* A colour target, as archives scan it with the photo: what leaves the curve reaches the edge of the frame and has at
  least four of six hues.
* A stamp or a label: what leaves the curve covers at most 6 % of the frame.

What leaves the curve is found by blocks, from a curve that is fitted without the third of the blocks that leave it
most. The rest has to be one tone, by the same rule as a whole photo, and a tone that prints have.

Measured by ``tests/bench/photo_area_bench.py``: of 1,400 generated scans of grey and sepia photos, 78 to 97 % beside a
target are taken for grey, depending on its size, 85 % under a stamp and 85 to 100 % in a coloured mount; before, nearly
none beside a target or under a stamp, and 27 to 88 % in a mount. Of 984 colour photos from ImageNet 5 (0.5 %) are lost
in addition: two that are toned or grey, and three of small coloured things on grey ones, such as the red button of a
recorder, which looks like a stamp.

Most photos in colour are so far from one tone, as a whole, in their centre and in most of their blocks, that compiled
loops settle it (`_is_clear`): 0.25 ms in place of 0.7 ms.
"""

from collections.abc import Callable, Iterator
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from model import borders
from model.borders import Picture
from pipelines.images import grayscale
from pipelines.images.grayscale import BLOCKS, Mask, Measured, Sums, Verdict
from tfrecords import squeezing
from tfrecords.color import Bytes, srgb_to_lab

Find = Callable[[Bytes], Picture | None]

CLEAR = Verdict(reason=None, chroma=np.inf, residual=np.inf, allowed=0.0)
"""The verdict on a photo that is so clearly in colour that nothing else is measured."""

_KEPT = int(0.65 * (BLOCKS**2 - 1))
"""Rank of the last block that is not trimmed."""
_OFF = 4.0
"""How many times the allowed residual a block is off the curve to count as something else."""
_STAMP, _TARGET = 0.06, 0.4
"""The largest parts of the frame."""
_LEAST_REST = 0.4
_PALE, _TINTED = 4.0, 18.0
"""Mean chroma (Lab) up to which any tone may be that of a print, beside a target or a stamp, and up to which a warm one
may. Skies and fields are stronger or colder."""
_SECTORS, _LEAST_SECTORS, _LEAST_SHARE = 6, 4, 0.04
_SOLID = 0.5
"""The least part of its box that a target fills."""
_COLOURED = 20.0
"""Chroma (Lab) of a patch of a colour target."""
_SIDE = 96
_ONE_COLOUR = 4.0
"""How far (a and b of Lab) the pixels of a mount are apart."""
_MOSTLY = 0.85
_FAR, _ROUNDING = 3.1, 1.05
"""How many times what is allowed makes colour clear. Callers look at residuals of up to three times that."""


def judge(rgb: Bytes, chroma_step: int = 0, find: Find = borders.find) -> Verdict:
    """Judge whether a photo has colour, by its own area.

    Args:
        rgb: see `grayscale.judge`.
        chroma_step: see there.
        find: finds the picture within its border.

    Returns:
        the verdict on the whole frame if that has a reason, or if the photo is in colour; else that on the photo's
        area. `CLEAR` stands for the verdict on most photos in colour.
    """
    sums = grayscale.sums_of(rgb)
    if sums is None:
        return grayscale.GRAY
    if _is_clear(sums, chroma_step):
        return CLEAR
    measured = grayscale.measure_by(sums, chroma_step)
    whole = grayscale.verdict(measured)
    if whole.reason:
        return whole
    if grayscale.verdict(measured, _CENTRE).reason:
        for box in _pictures(rgb, find):
            left, top, right, bottom = box
            within = grayscale.measure(rgb[top:bottom, left:right], chroma_step)
            found = grayscale.GRAY if within is None else grayscale.verdict(within)
            if within is None or found.reason:
                return found
            rest = _without_what_lies_beside(rgb[top:bottom, left:right], within)
            if rest is not None:
                return rest
    return _without_what_lies_beside(rgb, measured) or whole


def _is_clear(sums: Sums, chroma_step: int) -> bool:
    """Return whether no closer look can find anything but colour in a photo."""
    from pipelines.images import color_kernels  # takes a quarter of a second to import

    figures, distance = np.empty(6), np.empty(BLOCKS**2)
    trimmed = grayscale.RIDGE, _KEPT
    color_kernels.distances(sums.lines, sums.hats, sums.moments, _CENTRE.ravel(), *trimmed, figures, distance)
    texture, residual, strength, residual_of_centre, strength_of_centre, strength_of_rest = figures.tolist()

    def allowed(strength: float) -> float:
        return grayscale.tolerance(strength, texture, chroma_step)

    off = int(np.count_nonzero(distance > _ROUNDING * _OFF * allowed(strength_of_rest))) / BLOCKS**2
    return (
        residual > _FAR * allowed(strength)
        and residual_of_centre > _ROUNDING * allowed(strength_of_centre)
        and off > _ROUNDING * _TARGET
    )


def _pictures(rgb: Bytes, find: Find) -> Iterator[tuple[int, int, int, int]]:
    """Yield the boxes of what may be a picture in its mount: left, top, right and bottom, in pixels."""
    height, width = rgb.shape[:2]
    picture = find(rgb)
    if picture is not None:
        yield picture.box(height, width)
    # A coloured mount may be as light as the picture, where only its colour ends.
    small = _small(rgb)
    lab = cv2.blur(srgb_to_lab(small), (3, 3))[..., 1:]
    edge = np.concatenate([lab[1], lab[-2], lab[:, 1], lab[:, -2]])
    tone = np.median(edge, axis=0)
    is_mount = np.hypot(*np.moveaxis(lab - tone, -1, 0)) <= _ONE_COLOUR
    of_edge = np.hypot(*(edge - tone).T) <= _ONE_COLOUR
    if np.hypot(*tone) < 2 * _ONE_COLOUR or of_edge.mean() < _MOSTLY:
        return
    rows = np.flatnonzero(is_mount.mean(axis=1) < _MOSTLY)
    columns = np.flatnonzero(is_mount.mean(axis=0) < _MOSTLY)
    if len(rows) > _SIDE // 4 and len(columns) > _SIDE // 4:
        left, right, top, bottom = columns[0] + 2, columns[-1] - 1, rows[0] + 2, rows[-1] - 1
        yield left * width // _SIDE, top * height // _SIDE, right * width // _SIDE, bottom * height // _SIDE


def _small(rgb: Bytes) -> Bytes:
    """Return a photo at `_SIDE`, as ``cv2.resize`` with ``INTER_AREA`` makes it."""
    if min(rgb.shape[:2]) < _SIDE:  # areas cannot be averaged along a side that grows
        return cast("Bytes", cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    return cast("Bytes", squeezing.averaged(rgb, _SIDE, _SIDE))


def _without_what_lies_beside(rgb: Bytes, measured: Measured) -> Verdict | None:
    """Return the verdict on what is left without a target or a stamp; None if there is neither, or it has colour."""
    off = _off(measured)
    share = off.mean()
    if not 0 < share <= _TARGET:
        return None
    rest = ~cv2.dilate(off.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    if rest.mean() < _LEAST_REST:
        return None
    found = grayscale.verdict(measured, rest)
    if found.reason and _is_of_a_print(measured, rest) and (share <= _STAMP or _is_target(rgb, off)):
        return found
    return None


def _is_of_a_print(measured: Measured, taken: Mask) -> bool:
    """Return whether the blocks have a tone that prints have: hardly any, or sepia."""
    a, b = (float(plane[taken].mean()) for plane in (measured.lab[..., 1], measured.lab[..., 2]))
    chroma = np.hypot(a, b)
    return bool(chroma <= _PALE or (chroma <= _TINTED and b > abs(a)))


def _off(measured: Measured) -> Mask:
    """Return the blocks that are off the curve of the others, ``[16, 16]``."""
    distance = np.hypot(*measured.left.T)
    for _ in range(2):
        distance = np.hypot(*grayscale.unexplained(measured, _closest(distance)).T)
    off: Mask = distance > _OFF * grayscale.allowed(measured, _closest(distance))
    return off.reshape(BLOCKS, BLOCKS)


def _closest(distance: npt.NDArray[np.float64]) -> Mask:
    """Return the blocks that are left when those that are furthest from the curve are trimmed."""
    kept: Mask = distance <= np.partition(distance, _KEPT)[_KEPT]
    return kept


def _is_target(rgb: Bytes, off: Mask) -> bool:
    """Return whether the blocks reach the edge of the frame and have the hues of a colour target."""
    # Grey patches lie between those with colour.
    closed = cv2.morphologyEx(np.pad(off, 2).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))[2:-2, 2:-2]
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(closed)
    largest = 1 + int(np.argmax(boxes[1:, cv2.CC_STAT_AREA]))
    left, top, width, height, area = boxes[largest]
    reaches_edge = left == 0 or top == 0 or left + width == BLOCKS or top + height == BLOCKS
    if not reaches_edge or area < _SOLID * width * height:
        return False
    off = off & (parts == largest)
    small = _small(rgb)
    lab = srgb_to_lab(small)[np.repeat(np.repeat(off, _SIDE // BLOCKS, axis=0), _SIDE // BLOCKS, axis=1)]
    a, b = lab[:, 1], lab[:, 2]
    coloured = np.hypot(a, b) > _COLOURED
    hues = np.floor((np.arctan2(b, a)[coloured] / (2 * np.pi) + 0.5) * _SECTORS).astype(np.intp) % _SECTORS
    shares = np.bincount(hues, minlength=_SECTORS) / max(1, coloured.sum())
    return bool((shares >= _LEAST_SHARE).sum() >= _LEAST_SECTORS)


_CENTRE = np.zeros((BLOCKS, BLOCKS), np.bool_)
_CENTRE[BLOCKS // 4 : -BLOCKS // 4, BLOCKS // 4 : -BLOCKS // 4] = True
