"""Compiled loop of `pipelines.images.png_writer`: the filters of PNG.

Numba widens integers to 64 bits, except where the result is known to fit into a byte; hence the forms below, which take
a fifth of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrecords.color import Bytes
from tfrecords.compiled import compiled, helper

_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)


@helper
def _filtered(kind: int, row: Bytes, left: Bytes, above: Bytes, corner: Bytes, result: Bytes) -> Any:
    """Filter a row; return the sum of the result, whose bytes are taken as signed, without their signs.

    Args:
        kind: of the filter, 0 to 4 (PNG, section 9.2).
        row: its bytes.
        left: for each byte, the same one of the pixel before.
        above: the same one of the pixel above.
        corner: the same one of the pixel before that above.
        result: the filtered row.
    """
    if kind == _NONE:
        for x in range(len(result)):
            result[x] = row[x]
    elif kind == _SUB:
        for x in range(len(result)):
            result[x] = row[x] - left[x]
    elif kind == _UP:
        for x in range(len(result)):
            result[x] = row[x] - above[x]
    elif kind == _AVERAGE:
        for x in range(len(result)):
            result[x] = row[x] - ((left[x] + above[x]) >> 1)
    else:
        for x in range(len(result)):
            # Distances from left + above - corner to each of the three.
            to_left = np.uint8(max(above[x], corner[x]) - min(above[x], corner[x]))
            to_above = np.uint8(max(left[x], corner[x]) - min(left[x], corner[x]))
            nearer, distance = left[x] if to_left <= to_above else above[x], min(to_left, to_above)
            is_between = (left[x] >= corner[x]) != (above[x] >= corner[x])
            is_corner = is_between and np.uint8(max(to_left, to_above) - distance) < distance
            result[x] = row[x] - (corner[x] if is_corner else nearer)
    total = np.uint32(0)
    for x in range(len(result)):
        total += np.uint32(min(result[x], np.uint8(-result[x])))
    return total


@compiled("void(uint8[:, ::1], int64, uint8[:, ::1])")
def filter_rows(rows: Bytes, step: int, filtered: Bytes) -> None:
    """Filter a picture, each row by the filter that leaves the least sum of absolute differences (PNG, section 12.7).

    Args:
        rows: uint8 ``[H, N]``, the bytes of each row.
        step: bytes of a pixel.
        filtered: the result, uint8 ``[H, 1 + N]``: the filter of each row, and what it leaves.
    """
    height, width = rows.shape
    # A pixel of zeros lies before each row, and a row of zeros above the first.
    now, before = np.zeros(step + width, np.uint8), np.zeros(step + width, np.uint8)
    tried = np.empty((5, width), np.uint8)
    for y in range(height):
        now[step:] = rows[y]
        best, least = 0, np.uint64(-1)
        for kind in range(5):
            total = _filtered(kind, now[step:], now[:width], before[step:], before[:width], tried[kind])
            if total < least:
                best, least = kind, total
        filtered[y, 0] = best
        filtered[y, 1:] = tried[best]
        now, before = before, now
