"""The directories of a TIFF file as a chain of pages: where they are, their numbers, and one of them as the first.

Files of a few kilobytes can chain thousands of directories over the same bytes, whose values lie over each other. Such
chains are refused, such values left out before Pillow, libtiff and tifffile see them: these hold all of them in memory.
"""

import struct

from pipelines import ifd


def offsets(data: bytes) -> list[int]:
    """Where the directories of a TIFF file or an EXIF block start, in order; a chain that bites its tail ends there.

    Raises:
        ValueError: not a TIFF structure, or one whose directories lie over each other.
    """
    offset = ifd.first(data)
    order, big = ifd.kind_of(data)
    found: dict[int, None] = {}
    total = 0
    while offset and offset not in found and offset + 2 < len(data):
        found[offset] = None
        count = ifd.unpack(data, offset, f"{order}{'Q' if big else 'H'}")
        link = offset + (8 + 20 * count if big else 2 + 12 * count)
        if link + (8 if big else 4) > len(data):
            break
        total += link - offset
        if total > len(data):
            raise ValueError("directories that lie over each other")
        offset = ifd.unpack(data, link, f"{order}{'Q' if big else 'I'}")
    return list(found)


def starting_at(data: bytes, offset: int) -> bytes:
    """The same TIFF file with the directory at this offset as its first.

    Readers that are asked for a later page follow the whole chain to it, and some trip over what lies on the way.
    """
    order, big = ifd.kind_of(data)
    start, link = (8, struct.pack(f"{order}Q", offset)) if big else (4, struct.pack(f"{order}I", offset))
    return data if data[start : start + len(link)] == link else data[:start] + link + data[start + len(link) :]


def is_overlapping(data: bytes) -> bool:
    """Whether the first directory of a TIFF file has values of more bytes than the file, or too many of them.

    Raises:
        ValueError: not a TIFF structure, or one without a directory.
    """
    order, big = ifd.kind_of(data)
    start = ifd.first(data)
    sizes = (size for *_, size, at in ifd.entries(data, start, order, big) if at + size <= len(data))
    return ifd.unpack(data, start, f"{order}{'Q' if big else 'H'}") > ifd.MAX_FIELDS or sum(sizes) > len(data)


def without_overlaps(data: bytes) -> bytes:
    """The same TIFF file, its first directory without the last of the values that lie over others.

    Readers beside this one keep all of them in memory.

    Raises:
        ValueError: not a TIFF structure, or one without a directory.
    """
    if not is_overlapping(data):
        return data
    order, big = ifd.kind_of(data)
    step, code = (20, "Q") if big else (12, "H")
    table = b""
    room = len(data)
    for position, _, _, size, at in ifd.entries(data, ifd.first(data), order, big):
        if at + size <= len(data):
            room -= size
        if room >= 0:
            table += data[position : position + step]
    count = struct.pack(f"{order}{code}", len(table) // step)
    end = len(data) + len(data) % 2
    return starting_at(data.ljust(end, b"\0") + count + table + bytes(8), end)


def numbers_at(data: bytes, offset: int, tags: frozenset[int]) -> dict[int, int]:
    """The first integers of some fields of the directory at an offset, without reading the others.

    Raises:
        ValueError: not a TIFF structure.
    """
    order, big = ifd.kind_of(data)
    found = {}
    for _, tag, kind, size, at in ifd.entries(data, offset, order, big):
        if tag in tags and kind in ifd.CODES and at + size <= len(data):
            found[tag] = ifd.unpack(data, at, f"{order}{ifd.CODES[kind]}")
    return found
