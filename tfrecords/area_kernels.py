"""A compiled loop that averages the areas of an 8-bit photo: OpenCV's result to the bit, in a fraction of its time.

OpenCV adds the pixels of an area one after the other, row by row, in single precision. Here the rows of an area are
added first, which takes many pixels at a time. The two sums differ in their last bits. Where that could change the
rounded result, it is computed again in OpenCV's order. With 16 bits that would be nearly everywhere, so OpenCV does the
work. ``tests/bench/squeezing_bench.py`` measures it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrecords.color import Bytes, Floats
from tfrecords.compiled import compiled, helper

_F, _I = np.float32, np.int32
_0, _HALF = _F(0), _F(0.5)
_AT_ONCE = 4
"""Rows."""


@helper
def _row(flat: Any, start: int, samples: int, channels: int, step: int, kept: Any) -> Any:
    """Return the samples of a row; with a step, those of every nth pixel, which are copied."""
    if step == 1:
        return flat[start : start + samples]
    number = samples // channels
    for channel in range(channels):
        begin = start + channel
        taken = flat[begin : begin + ((number - 1) * step) * channels + 1 : step * channels]
        places = kept[channel::channels]
        for x in range(number):
            places[x] = taken[x]
    return kept


@helper
def _in_order(flat: Any, start: int, place: Any, rows: Any, down: Any, columns: Any, across: Any) -> Any:
    """Return the average of an area as OpenCV computes it: ``place`` has the strides of a row and of a pixel."""
    total, number = _0, columns[1] - columns[0]
    first, inner, last = across[0], across[1], across[2]
    for y in range(rows[0], rows[1]):
        begin = start + y * place[0] + columns[0] * place[1]
        pixels = flat[begin : begin + (number - 1) * place[1] + 1 : place[1]]
        line = _F(pixels[0]) * first
        for x in range(1, len(pixels) - 1):
            line += _F(pixels[x]) * inner
        if number > 1:
            line += _F(pixels[number - 1]) * last
        part = down[1] if y < rows[1] - 1 else down[2]
        total = total + part * line if y > rows[0] else down[0] * line
    return total


@compiled(
    "void(uint8[::1], int64, int64, int32[:, ::1], float32[:, ::1], int32[:, ::1], float32[:, ::1], float32,"
    "uint8[:, :, ::1])"
)
def average(
    flat: Bytes, stride: int, step: int, rows: Any, down: Floats, columns: Any, across: Floats, doubt: float, out: Bytes
) -> None:
    """Average the areas of a picture.

    Args:
        flat: its samples, uint8, from the first to the last one.
        stride: samples from a row to the next one.
        step: every nth pixel of every nth row counts; rows and columns are counted in such steps.
        rows: the first of each area and the one after the last, int32 ``[h, 2]``.
        down: weights of the first, the inner and the last rows of each area, float32 ``[h, 3]``.
        columns: as the rows, ``[w, 2]``.
        across: as of the rows, ``[w, 3]``.
        doubt: how far from the middle between two codes a result may be rounded wrongly.
        out: the result, uint8 ``[h, w, C]``.
    """
    height, width, channels = out.shape
    samples = columns[-1, 1] * channels
    added = np.empty(samples, np.float32)
    kept = np.empty((_AT_ONCE, samples), np.uint8)
    place = step * stride, step * channels
    for row in range(height):
        y, last = rows[row, 0], rows[row, 1] - 1
        first = _row(flat, y * place[0], samples, channels, step, kept[0])
        for x in range(samples):
            added[x] = _F(first[x]) * down[row, 0]
        y += 1
        while y + _AT_ONCE <= last:
            one = _row(flat, y * place[0], samples, channels, step, kept[0])
            two = _row(flat, (y + 1) * place[0], samples, channels, step, kept[1])
            three = _row(flat, (y + 2) * place[0], samples, channels, step, kept[2])
            four = _row(flat, (y + 3) * place[0], samples, channels, step, kept[3])
            for x in range(samples):
                added[x] += _F(_I(one[x]) + _I(two[x]) + _I(three[x]) + _I(four[x])) * down[row, 1]
            y += _AT_ONCE
        while y <= last:
            one = _row(flat, y * place[0], samples, channels, step, kept[0])
            part = down[row, 1] if y < last else down[row, 2]
            for x in range(samples):
                added[x] += _F(one[x]) * part
            y += 1
        for column in range(width):
            start, end = columns[column, 0], columns[column, 1] - 1
            for channel in range(channels):
                total = added[start * channels + channel] * across[column, 0]
                if end > start:
                    total += added[end * channels + channel] * across[column, 2]
                # Two sums, because an addition waits for the one before it.
                even, odd = _0, _0
                for x in range(start + 1, end - 1, 2):
                    even += added[x * channels + channel]
                    odd += added[(x + 1) * channels + channel]
                if end - start > 1 and (end - start) % 2 == 0:
                    even += added[(end - 1) * channels + channel]
                total += (even + odd) * across[column, 1]
                if abs(total - np.floor(total) - _HALF) < doubt:
                    total = _in_order(flat, channel, place, rows[row], down[row], columns[column], across[column])
                out[row, column, channel] = _I(np.rint(total))
