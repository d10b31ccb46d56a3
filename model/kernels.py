"""Compiled loops over the pixels of a photo: chroma brought up, joined with luminance, and encoded.

One pass over a row does what took a dozen passes of OpenCV and NumPy over planes that left the processor's cache.
Numba compiles the loops without reordering or fusing operations on floats, so all processors give the same bytes.
``tests/bench/merge_bench.py`` measures them. This module takes a third of a second to import, so `model.upsampling`
imports it when a photo is merged.
"""

# ruff: noqa: FURB136 (Numba compiles min() and max() of floats to branches, and the loops would not be vectorized)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrecords.color import Bytes, Floats, Words
from tfrecords.compiled import compiled, helper

Ints = NDArray[np.int32]

_F = np.float32
_0, _HALF, _1 = _F(0), _F(0.5), _F(1)
# CIELAB as OpenCV computes it: f is a cube root above this value, and linear below.
_F_LINEAR, _F_SLOPE, _F_OFFSET = _F(7.787 * 0.008856 + 16 / 116), _F(1 / 7.787), _F(16 / 116)
_PER_L, _L_OFFSET, _PER_A, _PER_B = _F(1 / 116), _F(16), _F(1 / 500), _F(1 / 200)
_WORD = _F(65535)
# The least and most light that is inside the gamut while chroma is reduced.
_DARKEST, _BRIGHTEST = _F(1e-30), _F(1 - 2**-24)
_GAMUT_STEPS = 10
# Of `model.color_spaces.numbers`: a matrix, and then these two.
_LINEAR_END, _LINEAR_SLOPE = 9, 10
# Words are interpolated between steps of light, 256 for each octave: the upper 17 bits of a float number such a step.
_BITS, _PART = 15, _F(2.0**-15)


def step_of(light: float) -> int:
    """Return the step of a linear light."""
    return int(np.float32(light).view(np.int32)) >> _BITS


_LAST_STEP = step_of(1.0)


def light_of_steps(first: int) -> NDArray[np.float64]:
    """Return the linear light of each step from the first to that of 1, and of one beyond."""
    return (np.arange(first, _LAST_STEP + 2, dtype=np.int32) << _BITS).view(np.float32).astype(np.float64)


@helper
def _bring_up(planes: Floats, row: int, first: Ints, weight: Floats, wide: Floats) -> None:
    """Resize one row of the five planes ``[5, h, w]`` to ``[5, width]``, bilinearly."""
    last = planes.shape[2] - 1
    for plane in range(5):
        for column in range(last + 1):
            left, right = planes[plane, row, column], planes[plane, row, min(column + 1, last)]
            for x in range(first[column], first[column + 1]):
                wide[plane, x] = left * (_1 - weight[x]) + right * weight[x]


@helper
def _chroma(light: Floats, upper: Floats, lower: Floats, down: Any, most: float, a: Floats, b: Floats) -> None:
    """Compute a and b of a row from the rows of the planes above and below it."""
    up = _1 - down
    for x in range(len(light)):
        detail = light[x] - (upper[4, x] * up + lower[4, x] * down)
        detail = detail if detail < most else most
        detail = detail if detail > -most else -most
        a[x] = (upper[0, x] * up + lower[0, x] * down) + (upper[2, x] * up + lower[2, x] * down) * detail
        b[x] = (upper[1, x] * up + lower[1, x] * down) + (upper[3, x] * up + lower[3, x] * down) * detail


@helper
def _linear(light: float, a: float, b: float, m: Any) -> tuple[float, float, float]:
    """Return the linear light of a colour in CIELAB, not clipped; m is a matrix of nine, row by row."""
    fy = (light + _L_OFFSET) * _PER_L
    fx = fy + a * _PER_A
    fz = fy - b * _PER_B
    x = fx * fx * fx if fx > _F_LINEAR else (fx - _F_OFFSET) * _F_SLOPE
    y = fy * fy * fy if fy > _F_LINEAR else (fy - _F_OFFSET) * _F_SLOPE
    z = fz * fz * fz if fz > _F_LINEAR else (fz - _F_OFFSET) * _F_SLOPE
    return m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z


@helper
def _matrix(space: Floats) -> Any:
    """Return the matrix of a space as a tuple, which stays in the processor's registers."""
    return (space[0], space[1], space[2], space[3], space[4], space[5], space[6], space[7], space[8])


@helper
def _ends(red: Any, green: Any, blue: Any) -> tuple[Any, Any]:
    """Return the least and the most of three values."""
    low, high = (red, green) if red < green else (green, red)
    return low if low < blue else blue, high if high > blue else blue


@helper
def _clipped(value: Any) -> Any:
    value = value if value > _0 else _0
    return value if value < _1 else _1


@helper
def _colours(light: Floats, a: Floats, b: Floats, m: Any, rgb: Floats, beyond: Floats, slack: float) -> np.int32:
    """Convert a row to linear light ``[3, n]``, clipped; return how many colours are outside the gamut.

    ``beyond`` becomes how far outside each one is, in linear light.
    """
    red, green, blue = rgb[0], rgb[1], rgb[2]
    for x in range(len(light)):
        r, g, bl = _linear(light[x], a[x], b[x], m)
        low, high = _ends(r, g, bl)
        above = high - _1
        beyond[x] = above if above > -low else -low
        red[x], green[x], blue[x] = _clipped(r), _clipped(g), _clipped(bl)
    outside = np.int32(0)
    for x in range(len(light)):
        outside += np.int32(beyond[x] > slack)
    return outside


@helper
def _into_gamut(
    light: Floats, a: Floats, b: Floats, m: Any, rgb: Floats, beyond: Floats, slack: float, work: Floats, places: Ints
) -> None:
    """Scale a and b of the colours that are outside by the largest factor that fits, found by bisection."""
    lights, reds, yellows, inside = work[0], work[1], work[2], work[3]
    number = 0
    for x in range(len(light)):
        if beyond[x] > slack:
            places[number], inside[number] = x, _0
            lights[number], reds[number], yellows[number] = light[x], a[x], b[x]
            number += 1
    step = _HALF
    for _ in range(_GAMUT_STEPS):
        for n in range(number):
            factor = inside[n] + step
            r, g, bl = _linear(lights[n], reds[n] * factor, yellows[n] * factor, m)
            low, high = _ends(r, g, bl)
            grown = factor if low >= _DARKEST else inside[n]
            inside[n] = grown if high <= _BRIGHTEST else inside[n]
        step *= _HALF
    for n in range(number):
        r, g, bl = _linear(lights[n], reds[n] * inside[n], yellows[n] * inside[n], m)
        rgb[0, places[n]], rgb[1, places[n]], rgb[2, places[n]] = _clipped(r), _clipped(g), _clipped(bl)


@helper
def _to_bytes(rgb: Floats, table: Bytes, space: Floats, codes: Ints, out: Bytes) -> None:
    for channel in range(3):
        for x in range(rgb.shape[1]):
            codes[channel, x] = np.int32(rgb[channel, x] * _WORD + _HALF)
    red, green, blue = codes[0], codes[1], codes[2]
    for x in range(rgb.shape[1]):
        out[x, 0], out[x, 1], out[x, 2] = table[red[x]], table[green[x]], table[blue[x]]


@helper
def _to_words(rgb: Floats, table: Floats, space: Floats, codes: Ints, out: Words) -> None:
    end, slope, first = space[_LINEAR_END], space[_LINEAR_SLOPE], np.int32(_LAST_STEP + 2 - len(table))
    for channel in range(3):
        light, bits = rgb[channel], rgb[channel].view(np.int32)
        for x in range(rgb.shape[1]):
            step = (bits[x] >> _BITS) - first
            step = step if step > 0 else 0
            part = _F(bits[x] & ((1 << _BITS) - 1)) * _PART
            code = table[step] + (table[step + 1] - table[step]) * part
            code = code if light[x] > end else light[x] * slope
            out[x, channel] = np.uint16(np.int32(code + _HALF))


def _joining(encode: Callable[..., None]) -> Callable[..., None]:
    """Return the loop over the rows, whose colours `encode` turns into codes."""

    @helper
    def join(
        light: Floats,
        planes: Floats,
        top: int,
        height: int,
        most: float,
        slack: float,
        table: Any,
        space: Floats,
        out: Any,
    ) -> None:
        m = _matrix(space)
        width, high, wide = light.shape[1], planes.shape[1], planes.shape[2]
        # Columns first[c] to first[c + 1] of the photo lie between the columns c and c + 1 of the planes.
        first, weight = np.zeros(wide + 1, np.int32), np.empty(width, np.float32)
        for x in range(width):
            at = min(max(_F((x + 0.5) * (wide / width) - 0.5), _0), _F(wide - 1))
            first[int(at) + 1] += 1
            weight[x] = at - _F(int(at))
        for column in range(wide):
            first[column + 1] += first[column]
        # The two rows of the planes around the present one, at full width; each has the place of its parity.
        brought, rows = np.empty((2, 5, width), np.float32), np.full(2, -1, np.int64)
        floats, ints = np.empty((10, width), np.float32), np.empty((4, width), np.int32)
        a, b, beyond, rgb, work = floats[0], floats[1], floats[2], floats[3:6], floats[6:]
        for row in range(light.shape[0]):
            at = (_F(top + row) + _HALF) * _F(high) / _F(height) - _HALF
            at = min(max(at, _0), _F(high - 1))
            above = int(at)
            for needed in (above, above + 1):
                if rows[needed & 1] != needed:
                    _bring_up(planes, min(needed, high - 1), first, weight, brought[needed & 1])
                    rows[needed & 1] = needed
            _chroma(light[row], brought[above & 1], brought[(above + 1) & 1], at - _F(above), most, a, b)
            if _colours(light[row], a, b, m, rgb, beyond, slack):
                _into_gamut(light[row], a, b, m, rgb, beyond, slack, work, ints[3])
            encode(rgb, table, space, ints[:3], out[row])

    return join


_PLACE = "float32[:, ::1], float32[:, :, ::1], int64, int64, float32, float32"
_join_bytes, _join_words = _joining(_to_bytes), _joining(_to_words)


@compiled(f"void({_PLACE}, uint8[::1], float32[::1], uint8[:, :, ::1])")
def join_bytes(
    light: Floats,
    planes: Floats,
    top: int,
    height: int,
    most: float,
    slack: float,
    table: Bytes,
    space: Floats,
    out: Bytes,
) -> None:
    """Join rows of luminance with chroma, as 8-bit codes; colours outside the space give up chroma.

    Args:
        light: L* of the rows, float32 ``[n, width]``, in [0, 100].
        planes: a, b, their slopes, and L*, float32 ``[5, h, w]`` (`model.upsampling.Guided`).
        top: the first row's place in the photo.
        height: of the photo.
        most: limit of the difference of L* that chroma follows.
        slack: linear light by which a colour may be outside the gamut.
        table: `model.color_spaces.bytes_of_light`.
        space: `model.color_spaces.numbers`.
        out: the rows, uint8 ``[n, width, 3]``.
    """
    _join_bytes(light, planes, top, height, most, slack, table, space, out)


@compiled(f"void({_PLACE}, float32[::1], float32[::1], uint16[:, :, ::1])")
def join_words(
    light: Floats,
    planes: Floats,
    top: int,
    height: int,
    most: float,
    slack: float,
    table: Floats,
    space: Floats,
    out: Words,
) -> None:
    """Do what `join_bytes` does with 16 bits, uint16 ``[n, width, 3]``, and `model.color_spaces.codes_of_steps`."""
    _join_words(light, planes, top, height, most, slack, table, space, out)
