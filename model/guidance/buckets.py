"""The compiled loop of `model.guidance.geodesic`: Dijkstra's algorithm with Dial's circular queue of buckets.

Whole numbers and a fixed order make the result the same on every processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.guidance.geodesic import Ints
from tfrecords.compiled import compiled, helper

_DIAGONAL = 1.4142135623730951
_END = np.int32(-1)
# The rows of an entry of the queue, and of what the queue knows about itself.
_PIXEL, _SEED, _NEXT = 0, 1, 2
_FREE, _WAITING = 0, 1


@helper
def _largest_change(levels: Ints) -> int:
    height, width = levels.shape
    largest = 0
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
                if y + dy < height and 0 <= x + dx < width:
                    largest = max(largest, abs(levels[y, x] - levels[y + dy, x + dx]))
    return largest


@helper
def _with_free(entries: Ints, about: Ints) -> Ints:
    """Return the entries, twice as many if none is free; the free ones are chained."""
    if about[_FREE] != _END:
        return entries
    count = entries.shape[1]
    grown = np.empty((3, 2 * count), np.int32)
    grown[:, :count] = entries
    for entry in range(count, 2 * count):
        grown[_NEXT, entry] = entry + 1
    grown[_NEXT, 2 * count - 1] = _END
    about[_FREE] = count
    return grown


@helper
def _put(entries: Ints, about: Ints, heads: Ints, bucket: int, pixel: int, seed: int) -> None:
    entry = about[_FREE]
    about[_FREE] = entries[_NEXT, entry]
    entries[_PIXEL, entry], entries[_SEED, entry], entries[_NEXT, entry] = pixel, seed, heads[bucket]
    heads[bucket] = entry
    about[_WAITING] += 1


@helper
def _taken(entries: Ints, about: Ints, heads: Ints, bucket: int) -> tuple[int, int]:
    entry = heads[bucket]
    heads[bucket] = entries[_NEXT, entry]
    entries[_NEXT, entry] = about[_FREE]
    about[_FREE] = entry
    about[_WAITING] -= 1
    return entries[_PIXEL, entry], entries[_SEED, entry]


@helper
def _is_known(kind: int, kinds: Ints, seeds: Any, known: int, y: int, x: int) -> bool:
    width = kinds.shape[1]
    for index in range(known):
        seed = seeds[index, y, x]
        if kinds[seed // width, seed % width] == kind:
            return True
    return False


@compiled("void(int32[:, ::1], int32[:, ::1], int64, int64, int32[:, :, ::1], int32[:, :, ::1])")
def settle(levels: Ints, kinds: Ints, unit: int, limit: int, distances: Any, seeds: Any) -> None:
    """Find the nearest seeds of each pixel, at most one of each kind.

    A step costs ``unit`` (a diagonal one 1.41 times that, rounded) and the difference of the levels.

    Args:
        levels: int32 ``[h, w]``.
        kinds: int32 ``[h, w]``, -1 where a pixel is not a seed.
        unit: the cost of a step.
        limit: distances beyond this are not looked for.
        distances: the result, int32 ``[K, h, w]``, filled with -1.
        seeds: the result, int32 ``[K, h, w]``, filled with -1.
    """
    height, width = levels.shape
    number = distances.shape[0]
    diagonal = int(np.rint(unit * _DIAGONAL))
    heads = np.full(_largest_change(levels) + diagonal + 1, _END, np.int32)
    about = np.zeros(2, np.int32)
    about[_FREE] = _END
    entries = np.zeros((3, 512), np.int32)
    entries = _with_free(entries, about)
    known = np.zeros((height, width), np.int32)
    for pixel in range(height * width):
        if kinds[pixel // width, pixel % width] >= 0:
            entries = _with_free(entries, about)
            _put(entries, about, heads, 0, pixel, pixel)
    distance, bucket = 0, 0
    while about[_WAITING]:
        while heads[bucket] == _END:
            distance += 1
            bucket = bucket + 1 if bucket + 1 < len(heads) else 0
        if distance > limit:
            break
        pixel, seed = _taken(entries, about, heads, bucket)
        y, x, kind = pixel // width, pixel % width, kinds[seed // width, seed % width]
        if known[y, x] == number or _is_known(kind, kinds, seeds, known[y, x], y, x):
            continue
        distances[known[y, x], y, x], seeds[known[y, x], y, x] = distance, seed
        known[y, x] += 1
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                near, at = y + dy, x + dx
                if (dy == 0 and dx == 0) or near < 0 or near >= height or at < 0 or at >= width:
                    continue
                if known[near, at] == number or _is_known(kind, kinds, seeds, known[near, at], near, at):
                    continue
                cost = (diagonal if dy != 0 and dx != 0 else unit) + abs(levels[y, x] - levels[near, at])
                entries = _with_free(entries, about)
                _put(entries, about, heads, (bucket + cost) % len(heads), near * width + at, seed)
