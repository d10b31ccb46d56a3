"""Variables of a SavedModel, read without TensorFlow: its files ``variables.index`` and ``variables.data-…``.

The index is a sorted table of LevelDB's format, which TensorFlow writes without compression: blocks of keys, each given
by what it shares with the one before, and of values, which are BundleEntryProto. These say where an array lies in the
data. Checksums are not compared: `model.saved_model.files_digest` tells whether a file is whole.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2", 22: "<u4", 23: "<u8"}
"""Of arrays, by their number in TensorFlow's DataType."""
_FIXED = {1: 8, 5: 4}
"""Bytes of numbers by the wire type of protocol buffers."""


def read(index: bytes, data: bytes) -> dict[str, NDArray[np.generic]]:
    """Return the arrays by their keys, such as ``_kept/0/.ATTRIBUTES/VARIABLE_VALUE``; strings are left out.

    Args:
        index: bytes of the index.
        data: bytes of the only file of data.

    Raises:
        ValueError: the bytes are not of this format, or not whole.
    """
    try:
        return dict(_arrays(index, data))
    except (IndexError, struct.error) as error:
        raise ValueError("its index is cut short") from error


def _arrays(index: bytes, data: bytes) -> Iterator[tuple[str, NDArray[np.generic]]]:
    footer = index[-_FOOTER:]
    if len(index) < _FOOTER or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("it has no index of variables")
    _, place = _varint(footer, 0)
    _, place = _varint(footer, place)
    for _, handle in _entries(index, footer[place:]):
        for key, value in _entries(index, handle):
            if key:  # The entry without a key describes the whole.
                array = _array(value, data)
                if array is not None:
                    yield key.decode(), array


def _entries(index: bytes, handle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of the block that a handle names."""
    start, place = _varint(handle, 0)
    size, _ = _varint(handle, place)
    block = index[start : start + size]
    if index[start + size] or len(block) < size:
        raise ValueError("its index is compressed or cut short")
    (restarts,) = struct.unpack("<I", block[-4:])
    key, place, end = b"", 0, size - 4 - 4 * restarts
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + length]
        place += length


def _array(entry: bytes, data: bytes) -> NDArray[np.generic] | None:
    """Return the array that a BundleEntryProto describes; None for types that are not numbers."""
    fields = dict(_fields(entry))
    dtype = _TYPES.get(int(fields.get(1, 0)))
    if dtype is None:
        return None
    sides = (bytes(side) for number, side in _fields(bytes(fields.get(2, b""))) if number == 2)
    shape = [int(dict(_fields(side)).get(1, 0)) for side in sides]
    offset, size = int(fields.get(4, 0)), int(fields.get(5, 0))
    if fields.get(3, 0) or size != math.prod(shape) * np.dtype(dtype).itemsize or offset + size > len(data):
        raise ValueError("its variables are cut short or in several files")
    return np.frombuffer(data, dtype, math.prod(shape), offset).reshape(shape)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the numbers and values of the fields of a protocol buffer; of fixed width, as bytes."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        length, place = _varint(message, place) if kind == 2 else (_FIXED[kind], place)
        yield tag >> 3, message[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number at a place, in groups of seven bits, and the place behind it."""
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
