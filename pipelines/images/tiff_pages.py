"""The directories of a TIFF file as a chain of pages: where they are, their numbers, and one of them as the first.

Files of a few kilobytes can chain thousands of directories over the same bytes, whose values lie over each other. Such
chains are refused, such values left out before Pillow, libtiff and tifffile see them: these hold all of them in memory.
"""

import struct
from dataclasses import dataclass

from pipelines.images import tiff_directory

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _SAMPLES = 254, 256, 257, 258, 277
_OF_SIZE = frozenset({_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _SAMPLES})
_REDUCED_OR_MASK = 1 | 4


@dataclass(frozen=True)
class PageSize:
    """What a directory says of the size of its page.

    Attributes:
        width: in pixels.
        height: likewise.
        sample_bytes: of a pixel, each sample in 1, 2, 4 or 8 of them.
        is_bilevel: whether all pixels are black or white.
        is_reduced_or_mask: whether it is a thumbnail, or a mask of another page.
    """

    width: int
    height: int
    sample_bytes: int
    is_bilevel: bool
    is_reduced_or_mask: bool


def offsets(data: bytes) -> list[int]:
    """Where the directories of a TIFF file or an EXIF block start, in order; a chain that bites its tail ends there.

    Raises:
        ValueError: not a TIFF structure, or one whose directories lie over each other.
    """
    offset = tiff_directory.first(data)
    order, big = tiff_directory.kind_of(data)
    found: dict[int, None] = {}
    total = 0
    while offset and offset not in found and offset + 2 < len(data):
        found[offset] = None
        count = tiff_directory.unpack(data, offset, f"{order}{'Q' if big else 'H'}")
        link = offset + (8 + 20 * count if big else 2 + 12 * count)
        if link + (8 if big else 4) > len(data):
            break
        total += link - offset
        if total > len(data):
            raise ValueError("directories that lie over each other")
        offset = tiff_directory.unpack(data, link, f"{order}{'Q' if big else 'I'}")
    return list(found)


def starting_at(data: bytes, offset: int) -> bytes:
    """The same TIFF file with the directory at this offset as its first.

    Readers that are asked for a later page follow the whole chain to it, and some trip over what lies on the way.
    """
    order, big = tiff_directory.kind_of(data)
    start, link = (8, struct.pack(f"{order}Q", offset)) if big else (4, struct.pack(f"{order}I", offset))
    return data if data[start : start + len(link)] == link else data[:start] + link + data[start + len(link) :]


def is_overlapping(data: bytes) -> bool:
    """Whether the first directory of a TIFF file has values of more bytes than the file, or too many of them.

    Raises:
        ValueError: not a TIFF structure, or one without a directory.
    """
    order, big = tiff_directory.kind_of(data)
    start = tiff_directory.first(data)
    sizes = (size for *_, size, at in tiff_directory.entries(data, start, order, big) if at + size <= len(data))
    return tiff_directory.unpack(data, start, f"{order}{'Q' if big else 'H'}") > tiff_directory.MAX_FIELDS or sum(
        sizes
    ) > len(data)


def without_overlaps(data: bytes) -> bytes:
    """The same TIFF file, its first directory without the last of the values that lie over others.

    Readers beside this one keep all of them in memory.

    Raises:
        ValueError: not a TIFF structure, or one without a directory.
    """
    if not is_overlapping(data):
        return data
    order, big = tiff_directory.kind_of(data)
    step, code = (20, "Q") if big else (12, "H")
    table = b""
    room = len(data)
    for position, _, _, size, at in tiff_directory.entries(data, tiff_directory.first(data), order, big):
        if at + size <= len(data):
            room -= size
        if room >= 0:
            table += data[position : position + step]
    count = struct.pack(f"{order}{code}", len(table) // step)
    end = len(data) + len(data) % 2
    return starting_at(data.ljust(end, b"\0") + count + table + bytes(8), end)


def size_at(data: bytes, offset: int) -> PageSize:
    """Returns what the directory at an offset says of its page's size, without reading anything else of it.

    Raises:
        ValueError: not a TIFF structure.
    """
    order, big = tiff_directory.kind_of(data)
    found = {}
    for _, tag, kind, size, at in tiff_directory.entries(data, offset, order, big):
        if tag in _OF_SIZE and kind in tiff_directory.CODES and at + size <= len(data):
            found[tag] = tiff_directory.unpack(data, at, f"{order}{tiff_directory.CODES[kind]}")
    bits, samples = found.get(_BITS, 1), found.get(_SAMPLES, 1)
    return PageSize(
        width=found.get(_WIDTH, 0),
        height=found.get(_HEIGHT, 0),
        sample_bytes=samples * next((size for size in (1, 2, 4) if 8 * size >= bits), 8),
        is_bilevel=bits == samples == 1,
        is_reduced_or_mask=bool(found.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK),
    )
