"""Compiled loops over the pixels of an example: looking up its codes, and counting them.

``tests/bench/prepare_bench.py`` measures what uses them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Bytes
from tfrecords.compiled import compiled

Table = NDArray[np.uint32]
Counts = NDArray[np.int64]


@compiled("int64(uint8[:, :, ::1], uint32[:, ::1], uint32[::1], uint8[::1], uint8[:, ::1])")
def look_up(rgb: Bytes, places: Table, table: Table, wanted: Bytes, planes: Bytes) -> int:
    """Look up the codes of colours; return how many pixels have colours that the table lacks.

    Args:
        rgb: uint8 ``[h, w, 3]``.
        places: of the codes of red, green and blue in the table, uint32 ``[3, 256]``; they are added.
        table: luminance, a and b in the three lower bytes, and 255 above them; 0 where it is missing.
        wanted: of each 4,096 places, set to 1 if they are missing.
        planes: the result, uint8 ``[3, h * w]``.
    """
    codes = rgb.reshape(-1)
    light, a, b = planes[0], planes[1], planes[2]
    missing = 0
    for index in range(planes.shape[1]):
        at = places[0, codes[3 * index]] | places[1, codes[3 * index + 1]] | places[2, codes[3 * index + 2]]
        code = table[at]
        if code == 0:
            wanted[at >> np.uint32(12)] = 1
            missing += 1
        light[index] = np.uint8(code)
        a[index] = np.uint8(code >> np.uint32(8))
        b[index] = np.uint8(code >> np.uint32(16))
    return missing


@compiled("void(uint8[:, ::1], uint8[:, :, ::1], uint8[::1], uint8[::1], int64[:, ::1], int64[::1], int64[:, ::1])")
def count(
    light: Bytes,
    planes: Bytes,
    bin_of_light: Bytes,
    bin_of_chroma: Bytes,
    scratch: Counts,
    luminance: Counts,
    chroma: Counts,
) -> None:
    """Add every second pixel of every second row to histograms.

    Args:
        light: uint8 ``[S, S]``.
        planes: uint8 ``[2, S, S]``: a and b.
        bin_of_light: of each code.
        bin_of_chroma: of each code.
        scratch: zeros, int64 ``[2, 256]``; codes of luminance are counted in two places, because neighbours are equal.
        luminance: the histogram.
        chroma: the histogram of a and b.
    """
    for y in range(0, light.shape[0], 2):
        for x in range(0, light.shape[1], 2):
            scratch[(x >> 1) & 1, light[y, x]] += 1
            chroma[bin_of_chroma[planes[0, y, x]], bin_of_chroma[planes[1, y, x]]] += 1
    for code in range(256):
        luminance[bin_of_light[code]] += scratch[0, code] + scratch[1, code]
