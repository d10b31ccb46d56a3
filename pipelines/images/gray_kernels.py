"""Compiled loops of `pipelines.images.grayscale`: samples of a photo, summed by blocks and by luma."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrecords.color import Bytes
from tfrecords.compiled import compiled, helper

# A sample and how far it is above its knot are added in one step, as the upper and the lower half of an integer.
_SAMPLE = np.int64(1 << 32)


@helper
def _take(source: Any, columns: Any, taken: Bytes, luma: Bytes) -> Any:
    """Copy the samples of a row and compute their luma; return 0 if all of them are grey."""
    for x in range(len(columns)):
        at = columns[x]
        taken[3 * x] = source[at, 0]
        taken[3 * x + 1] = source[at, 1]
        taken[3 * x + 2] = source[at, 2]
    colours = np.uint8(0)
    for x in range(len(columns)):
        red, green, blue = taken[3 * x], taken[3 * x + 1], taken[3 * x + 2]
        colours |= (red ^ green) | (green ^ blue)
        # ITU-R BT.601 in 15 bits, as OpenCV computes it.
        luma[x] = (
            np.uint32(9798) * red + np.uint32(19235) * green + np.uint32(3735) * blue + np.uint32(16384)
        ) >> np.uint32(15)
    return colours


@compiled(
    "int64(uint8[:, :, :], uint32[::1], uint32[::1], uint8[::1], uint8[::1], float64[::1], "
    "uint16[:, ::1], float64[:, ::1], int64[::1])"
)
def sums(
    rgb: Bytes, rows: Any, columns: Any, below: Bytes, above: Bytes, steps: Any, lines: Any, hats: Any, moments: Any
) -> int:
    """Sum up samples of a photo; return 0 if all of them are grey, R = G = B.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        rows: of the samples, uint32 ``[S]``.
        columns: of the samples, uint32 ``[S]``.
        below: for each luma, uint8 ``[256]``, the knot below it.
        above: for each luma, uint8 ``[256]``, how far it is above that knot.
        steps: from each knot to the next one, float64 ``[knots]``.
        lines: the result, uint16 ``[B, 3 S]``, zeros: each colour, summed over the rows of a line of blocks.
        hats: the result, float64 ``[B * B, knots]``, zeros: of each block, the sum of the hat functions of luma.
        moments: the result, int64 ``[2]``, zeros: the sums of luma and of its square.
    """
    side = len(lines)
    size = len(rows) // side
    colours = np.uint8(0)
    taken = np.empty(3 * len(columns), np.uint8)
    luma = np.empty(len(columns), np.uint8)
    added = np.empty(256, np.int64)
    counts = np.zeros(hats.shape, np.int64)
    for code in range(256):
        added[code] = _SAMPLE + above[code]
    for row in range(len(rows)):
        colours |= _take(rgb[rows[row]], columns, taken, luma)
        line = lines[row // size]
        for index in range(len(taken)):
            line[index] += taken[index]
        first = row // size * side
        # From block to block, because adding to the same place twice in a row waits for the first addition.
        for inside in range(size):
            for x in range(side):
                at = luma[x * size + inside]
                counts[first + x, below[at]] += added[at]
        total, squares = np.uint32(0), np.uint32(0)
        for x in range(len(luma)):
            total += luma[x]
            squares += np.uint32(luma[x]) * luma[x]
        moments[0] += total
        moments[1] += squares
    for block in range(len(hats)):
        moved = 0.0
        for knot in range(hats.shape[1]):
            number = counts[block, knot] >> 32
            here = (counts[block, knot] & (_SAMPLE - 1)) / steps[knot]
            hats[block, knot] = number - here + moved
            moved = here
    return int(colours)


@compiled("boolean(uint8[::1], int64, int64, int64)")
def is_gray(samples: Bytes, stride: int, height: int, width: int) -> bool:
    """Return whether R = G = B in every pixel.

    Args:
        samples: from the first to the last of the picture.
        stride: samples from row to row.
        height: rows.
        width: pixels of a row.
    """
    # Each sample is compared with the next one, except those of blue: theirs belong to another pixel.
    compared = np.full(3 * width - 1, 255, np.uint8)
    compared[2::3] = 0
    for y in range(height):
        row = samples[y * stride : y * stride + 3 * width]
        here, after = row[:-1], row[1:]
        differences = np.uint8(0)
        for x in range(len(compared)):
            differences |= (here[x] ^ after[x]) & compared[x]
        if differences:
            return False
    return True
