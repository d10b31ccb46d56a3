"""The usual JPEG, decoded without Pillow, which takes a third of a millisecond to look for what such a file lacks.

A usual JPEG is baseline, grey or in three channels, with JFIF's segment and no metadata that change its pixels: an EXIF
orientation, or a profile that is not sRGB. Nine of ten photos in ImageNet are such files. `read` returns None for all
others, for those that are damaged in any way, and for those that would be refused, so that
`pipelines.images.opening` alone decides about them.
"""

import struct
from dataclasses import dataclass

import simplejpeg

from pipelines.errors import Rejected
from pipelines.images import icc, memory, sizes
from tfrecords.color import Bytes

_START = b"\xff\xd8\xff"
_HEAD = struct.Struct(">BBH")
_FRAME = struct.Struct(">BHHB")
_JFIF, _PROFILE, _TABLES, _START_OF_SCAN = 0xE0, 0xE2, 0xDB, 0xDA
_FRAMES = (0xC0, 0xC1)
_IGNORED = (0xC4, 0xDD, 0xFE)  # Huffman tables, the interval of restarts, comments
_IDENTIFIED, _PROFILE_START = b"JFIF\0", b"ICC_PROFILE\0"
_LEAST_JFIF, _OF_TABLE = 14, 64
_COLOURS = {1: "GRAY", 3: "RGB"}


@dataclass(frozen=True, kw_only=True)
class Usual:
    """A decoded photo.

    Attributes:
        pixels: uint8 ``[H, W]`` or ``[H, W, 3]``.
        chroma_step: see `pipelines.images.decode.Photo`.
    """

    pixels: Bytes
    chroma_step: int


@dataclass(frozen=True, kw_only=True)
class _Header:
    width: int
    height: int
    channels: int
    chroma_step: int
    profile: bytes


def read(data: bytes, shrink_to: int | None = None) -> Usual | None:
    """Decode a usual JPEG; None if it is another file, or if it may be decoded smaller.

    Args:
        data: the file, with its end marker.
        shrink_to: see `pipelines.images.decode.decode`.
    """
    header = _header(data)
    if header is None or (shrink_to and min(header.width, header.height) >= 2 * shrink_to):
        return None
    try:
        sizes.check(header.width, header.height, len(data), sample_bytes=header.channels)
        if header.profile and icc.judged(header.profile, header.channels) == "converted":
            return None
        pixels: Bytes = simplejpeg.decode_jpeg(data, _COLOURS[header.channels])
    except (Rejected, ValueError) as error:
        if memory.out_of_memory(error):
            raise
        return None
    return Usual(pixels=pixels[..., 0] if header.channels == 1 else pixels, chroma_step=header.chroma_step)


def _header(data: bytes) -> _Header | None:
    """Follow the segments up to the first scan; None if there is any that a usual JPEG does not have."""
    if not data.startswith(_START):
        return None
    position, size, layers, profile = 2, (0, 0), b"", b""
    first_of: dict[int, int] = {}
    while True:
        if position + _HEAD.size > len(data):
            return None
        start, marker, length = _HEAD.unpack_from(data, position)
        body = data[position + _HEAD.size : position + 2 + length]
        if start != 0xFF or len(body) != length - 2:
            return None
        position += 2 + length
        if marker == _TABLES:
            if not _read_tables(body, first_of):
                return None
        elif marker in _FRAMES:
            if layers or len(body) < _FRAME.size:
                return None
            bits, *size_, channels = _FRAME.unpack_from(body)
            size, layers = (size_[1], size_[0]), body[_FRAME.size :]
            if bits != 8 or channels not in _COLOURS or len(layers) != 3 * channels or not all(size):
                return None
        elif marker == _JFIF:
            if not body.startswith(_IDENTIFIED) or len(body) < _LEAST_JFIF:
                return None
        elif marker == _PROFILE:
            # Pillow takes a profile that comes before the frame, of one segment that says so.
            if profile or layers or not body.startswith(_PROFILE_START) or body[13:14] != b"\1":
                return None
            profile = body[14:]
        elif marker == _START_OF_SCAN:
            if not layers:
                return None
            step = first_of.get(layers[5], 0) if len(layers) > 3 else 0
            return _Header(width=size[0], height=size[1], channels=len(layers) // 3, chroma_step=step, profile=profile)
        elif marker not in _IGNORED:
            return None


def _read_tables(body: bytes, first_of: dict[int, int]) -> bool:
    """Note the first entry of each quantisation table of a segment; return False if the segment is broken."""
    position = 0
    while position < len(body):
        kind = body[position]
        of_entry = 2 if kind >> 4 else 1
        first = body[position + 1 : position + 1 + of_entry]
        position += 1 + of_entry * _OF_TABLE
        first_of[kind & 15] = int.from_bytes(first, "big")
    return position == len(body)
