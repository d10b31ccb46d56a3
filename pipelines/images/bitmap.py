"""Windows and OS/2 bitmaps (BMP) of any layout: 1 to 32 bits, bit fields, run lengths, alpha, profiles.

Pillow reads most bitmaps, but garbles RLE4 and refuses RLE8 that ends early, many layouts of bit fields and headers of
unusual sizes. The layout is that of Microsoft's ``BITMAPV5HEADER`` and OS/2's ``BITMAPINFOHEADER2``.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from pipelines.images.strips import by_strips
from tfrecords.color import Bytes

SIGNATURE = b"BM"
_FILE_HEADER, _CORE, _MOST_HEADER = 14, 12, 256
_FROM_V3, _FROM_V5 = 56, 124
_OS2_SIZES = (16, 64)
_EMBEDDED = b"DEBM"  # the colour space LCS PROFILE_EMBEDDED, 'MBED' of a little-endian number
_MASKS_OF = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_END_OF_LINE, _END_OF_BITMAP, _DELTA = 0, 1, 2


class Kind(IntEnum):
    """How the pixels are stored."""

    RGB = 0
    RLE8 = 1
    RLE4 = 2
    BIT_FIELDS = 3
    JPEG = 4
    PNG = 5
    ALPHA_BIT_FIELDS = 6


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a bitmap says about itself.

    Attributes:
        width: in pixels.
        height: in pixels.
        bits: of a pixel.
        kind: code of `Kind`, or another.
        start: where the pixels are in the file.
        size: of the pixels in bytes, 0 if it is not told.
        is_top_down: whether the first row is the top one.
        masks: of red, green, blue and alpha.
        palette: uint8 ``[n, 3]``, RGB.
        profile: embedded ICC profile, b"" if there is none.
        dots: pixels a metre, across and down.
    """

    width: int
    height: int
    bits: int
    kind: int
    start: int
    size: int
    is_top_down: bool
    masks: tuple[int, int, int, int]
    palette: Bytes
    profile: bytes
    dots: tuple[int, int]

    @property
    def stride(self) -> int:
        """Bytes of a row that is not compressed."""
        return (self.width * self.bits + 31) // 32 * 4


def header(data: bytes) -> Header:
    """Parse the headers of a bitmap.

    Raises:
        ValueError: they are cut short, or make no sense.
    """
    if len(data) < _FILE_HEADER + _CORE:
        raise ValueError("the headers of the bitmap are cut short")
    start, length = struct.unpack_from("<II", data, 10)
    if not _CORE <= length <= _MOST_HEADER:
        raise ValueError(f"a bitmap has no header of {length} bytes")
    if length == _CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", data, _FILE_HEADER + 4)
        kind = size = used = 0
        dots = (0, 0)
    else:
        fields = data[_FILE_HEADER + 4 : _FILE_HEADER + length].ljust(36, b"\0")
        width, height, _, bits, kind, size, across, down, used = struct.unpack_from("<iiHHIIiiI", fields)
        dots = (across, down)
    masks, after = _masks(data, length, kind, bits)
    entry = 3 if length == _CORE else 4
    room = max(0, (start if start > after else len(data)) - after) // entry
    colours = min(used or 1 << bits, 256, room) if bits <= 8 else 0
    table = np.frombuffer(data, np.uint8, colours * entry, after).reshape(colours, entry)[:, 2::-1]
    if width < 1 or height == 0:
        raise ValueError(f"a bitmap of {width} x {height} pixels")
    return Header(
        width=width,
        height=abs(height),
        bits=bits,
        kind=kind if length not in _OS2_SIZES or kind < Kind.BIT_FIELDS else -kind,
        start=start,
        size=size,
        is_top_down=height < 0,
        masks=masks,
        palette=np.ascontiguousarray(table),
        profile=_profile(data, length),
        dots=dots,
    )


def _masks(data: bytes, length: int, kind: int, bits: int) -> tuple[tuple[int, int, int, int], int]:
    """Return the masks of red, green, blue and alpha, and where the palette starts."""
    after = _FILE_HEADER + length
    red, green, blue, alpha = _MASKS_OF.get(bits, (0, 0, 0, 0))
    if kind in (Kind.BIT_FIELDS, Kind.ALPHA_BIT_FIELDS) and length not in _OS2_SIZES:
        count = 4 if kind == Kind.ALPHA_BIT_FIELDS or length >= _FROM_V3 else 3
        red, green, blue, *rest = struct.unpack_from(f"<{count}I", data.ljust(after + 16, b"\0"), _FILE_HEADER + 40)
        alpha = rest[0] if rest else 0
        after = max(after, _FILE_HEADER + 40 + 4 * count)
    return (red, green, blue, alpha), after


def _profile(data: bytes, length: int) -> bytes:
    if length < _FROM_V5 or data[_FILE_HEADER + 56 : _FILE_HEADER + 60] != _EMBEDDED:
        return b""
    at, size = struct.unpack_from("<II", data, _FILE_HEADER + 112)
    return data[_FILE_HEADER + at : _FILE_HEADER + at + size]


def read(data: bytes) -> Bytes:
    """Decode a bitmap.

    Returns:
        uint8 ``[H, W]`` if all colours of the palette are grey, ``[H, W, 3]``, or ``[H, W, 4]`` with alpha that is not
        multiplied into the colours.

    Raises:
        ValueError: it is cut short, or stored in a way that is not read.
    """
    told = header(data)
    if told.kind in (Kind.RLE8, Kind.RLE4) and told.bits == (8 if told.kind == Kind.RLE8 else 4):
        return _coloured(_upright(_run_lengths(data, told), told), told)
    if told.kind not in (Kind.RGB, Kind.BIT_FIELDS, Kind.ALPHA_BIT_FIELDS) or told.bits not in (1, 2, 4, 8, 16, 24, 32):
        raise ValueError(f"a bitmap of {told.bits} bits in compression {abs(told.kind)}")
    if told.kind != Kind.RGB and told.bits not in (16, 32):
        raise ValueError(f"a bitmap of {told.bits} bits in bit fields")
    if missing(data, told):
        raise ValueError("the bitmap is cut short")
    stored = np.frombuffer(
        data[told.start : told.start + told.stride * told.height].ljust(told.stride * told.height, b"\0"), np.uint8
    )
    rows = _upright(stored.reshape(told.height, told.stride), told)
    if told.bits <= 8:
        return _coloured(_indices(rows, told), told)
    if told.bits == 24:
        return np.ascontiguousarray(rows[:, : 3 * told.width].reshape(told.height, told.width, 3)[..., ::-1])
    return _fields(rows, told)


def missing(data: bytes, told: Header) -> int:
    """Return how many bytes are missing from a bitmap that is not compressed; 0 for any other."""
    if told.kind not in (Kind.RGB, Kind.BIT_FIELDS, Kind.ALPHA_BIT_FIELDS):
        return 0
    needed = told.start + told.stride * (told.height - 1) + (told.width * told.bits + 7) // 8
    return max(0, needed - len(data))


def _upright(rows: Bytes, told: Header) -> Bytes:
    return rows if told.is_top_down else rows[::-1]


def _indices(rows: Bytes, told: Header) -> Bytes:
    """Return palette indices ``[H, W]`` from packed rows."""
    if told.bits == 8:
        return rows[:, : told.width]
    each = 8 // told.bits
    shifts = np.arange(each - 1, -1, -1, dtype=np.uint8) * told.bits

    def unpacked(some: slice) -> Bytes:
        values = (rows[some, :, None] >> shifts) & np.uint8((1 << told.bits) - 1)
        return values.reshape(len(values), -1)[:, : told.width]

    return by_strips(unpacked, *rows.shape)


def _coloured(indices: Bytes, told: Header) -> Bytes:
    """Look indices up in the palette; those beyond it are black."""
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(told.palette)] = told.palette
    is_grey = bool((told.palette == told.palette[:, :1]).all())
    colour_of = palette[:, 0] if is_grey else palette
    return by_strips(lambda rows: colour_of[indices[rows]], told.height, told.width)


def _fields(rows: Bytes, told: Header) -> Bytes:
    """Return RGB or RGBA from 16 or 32 bits a pixel."""
    kind = np.dtype(f"<u{told.bits // 8}")
    masks = [mask & ((1 << told.bits) - 1) for mask in told.masks]
    if not any(masks[:3]):
        raise ValueError("a bitmap whose bit fields are empty")

    def pixels(some: slice) -> Bytes:
        values = np.ascontiguousarray(rows[some, : told.width * told.bits // 8]).view(kind).astype(np.uint32)
        return np.stack([_field(values, mask) for mask in (masks if masks[3] else masks[:3])], axis=-1)

    found = by_strips(pixels, told.height, told.width)
    # Programs that know nothing of alpha leave it 0.
    return found if masks[3] and found[..., 3].any() else np.ascontiguousarray(found[..., :3])


def _field(values: npt.NDArray[np.uint32], mask: int) -> Bytes:
    """Return the field of a mask, scaled to 8 bits."""
    if not mask:
        return np.zeros(values.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    return (((values & np.uint32(mask)) >> np.uint32(shift)).astype(np.float64) * (255 / top) + 0.5).astype(np.uint8)


def _run_lengths(data: bytes, told: Header) -> Bytes:
    """Decode RLE8 or RLE4 to palette indices ``[H, W]``, in stored order; pixels that are skipped have index 0."""
    width, height = told.width, told.height
    found = bytearray(width * height)
    position, x, y = told.start, 0, 0
    while y < height:
        if position + 2 > len(data):
            if y == height - 1 and x >= width:
                break
            raise ValueError("the bitmap is cut short")
        count, value = data[position], data[position + 1]
        position += 2
        if count:
            run = _run(count, value, told.kind)
            x = _put(found, run, x, y, width)
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
        elif value == _END_OF_BITMAP:
            break
        elif value == _DELTA:
            if position + 2 > len(data):
                raise ValueError("the bitmap is cut short")
            x, y = x + data[position], y + data[position + 1]
            position += 2
        else:
            size = value if told.kind == Kind.RLE8 else (value + 1) // 2
            stored = data[position : position + size]
            if len(stored) < size:
                raise ValueError("the bitmap is cut short")
            x = _put(found, stored if told.kind == Kind.RLE8 else _nibbles(stored)[:value], x, y, width)
            position += size + size % 2
    return np.frombuffer(bytes(found), np.uint8).reshape(height, width)


def _run(count: int, value: int, kind: int) -> bytes:
    if kind == Kind.RLE8:
        return bytes([value]) * count
    return (bytes([value >> 4, value & 15]) * ((count + 1) // 2))[:count]


def _nibbles(stored: bytes) -> bytes:
    return bytes(half for both in stored for half in (both >> 4, both & 15))


def _put(found: bytearray, run: bytes, x: int, y: int, width: int) -> int:
    """Write a run into its row as far as it fits, and return where the next one starts."""
    room = max(0, width - x)
    start = y * width + x
    part = run[:room]
    found[start : start + len(part)] = part
    return x + len(run)
