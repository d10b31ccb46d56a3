"""The pages of a TIFF file: the chain of its directories, the size of each page, and any page as the first of a file.

Files of a few kilobytes can chain thousands of directories over the same bytes, with values that overlap. Such chains
are refused, and such values are left out before Pillow, libtiff and tifffile see them, which keep all of them in
memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelines.images import tiff_table
from pipelines.images.tiff_table import Table
from pipelines.images.tiff_tags import (
    BITS_PER_SAMPLE,
    COMPRESSION,
    ICC_PROFILE,
    IMAGE_LENGTH,
    IMAGE_WIDTH,
    SAMPLES_PER_PIXEL,
    STRIP_BYTE_COUNTS,
    STRIP_OFFSETS,
    TILE_BYTE_COUNTS,
    TILE_OFFSETS,
    Compression,
)


@dataclass(frozen=True, kw_only=True)
class PageSize:
    """What a directory says about the size of its page.

    Attributes:
        width: in pixels.
        height: in pixels.
        sample_bytes: of a pixel, with each sample in 1, 2, 4 or 8 bytes.
        is_bilevel: whether all pixels are black or white.
    """

    width: int
    height: int
    sample_bytes: int
    is_bilevel: bool


def chain(data: bytes) -> Iterator[Table]:
    """Parse the directories of a TIFF file or an EXIF block in order; a chain that loops ends there.

    Raises:
        ValueError: this is not a TIFF structure, or its directories overlap.
    """
    offset = tiff_table.first_offset(data)
    seen = set()
    total = 0
    while offset and offset not in seen and offset + 2 < len(data):
        seen.add(offset)
        table = tiff_table.parse(data, offset)
        yield table
        link = table.layout.offset
        if table.end + link.size > len(data):
            return
        total += table.end - offset
        if total > len(data):
            raise ValueError("overlapping directories")
        offset = tiff_table.unpack(link, data, table.end)


def is_cut(data: bytes) -> bool:
    """Return whether the chain of directories ends beyond the file, so that pages are missing."""
    *_, last = (None, *chain(data))
    if last is None or last.end + last.layout.offset.size > len(data):
        return last is not None
    return tiff_table.unpack(last.layout.offset, data, last.end) + 2 >= len(data)


def first(data: bytes) -> Table:
    """Parse the first directory of a TIFF file.

    Raises:
        ValueError: this is not a TIFF structure, or it has no directory.
    """
    return tiff_table.parse(data, tiff_table.first_offset(data))


def as_first(page: Table) -> Table:
    """Return the same page in a file in which it is the first.

    Readers that are asked for a later page follow the whole chain to it, and some trip over what lies on the way.
    """
    start, link = page.layout.header_size, page.layout.offset.pack(page.offset)
    data, end = page.data, page.layout.header_size + len(link)
    return page if data[start:end] == link else replace(page, data=data[:start] + link + data[end:])


def without_overlaps(page: Table) -> Table:
    """Return the first page of a TIFF file in a file without the last of the values that overlap.

    Values overlap if they have more bytes than the file has. Other readers keep all of them in memory.
    """
    step, data = page.layout.entry.size, page.data
    total = sum(entry.size for entry in page.entries if entry.at + entry.size <= len(data))
    if page.count <= tiff_table.MAX_ENTRIES and total <= len(data):
        return page
    kept = []
    room = len(data)
    for entry in page.entries:
        if entry.at + entry.size <= len(data):
            room -= entry.size
        if room >= 0:
            kept.append(data[entry.position : entry.position + step])
    end = len(data) + len(data) % 2
    table = b"".join([page.layout.count.pack(len(kept)), *kept, bytes(page.layout.offset.size)])
    return as_first(tiff_table.parse(data.ljust(end, b"\0") + table, end))


def stored_bytes(page: Table) -> int:
    """Return how many bytes of the file the pixels of a page take."""
    total = 0
    for offsets, sizes in ((STRIP_OFFSETS, STRIP_BYTE_COUNTS), (TILE_OFFSETS, TILE_BYTE_COUNTS)):
        for start, size in zip(page.numbers(offsets), page.numbers(sizes), strict=False):
            total += max(0, min(size, len(page.data) - start))
    return total


def start_of(page: Table) -> int:
    """Return where the first strip or tile of a page is in the file."""
    return page.number(TILE_OFFSETS) or page.number(STRIP_OFFSETS)


def doubts(page: Table) -> tuple[str, ...]:
    """Return warnings about a page whose directory does not fit its file.

    They are ``profile_dropped`` if the profile lies beyond the end of the file, and ``size_suspected`` if pixels that
    are not compressed have at least twice the bytes that their size and depth need.
    """
    lost = {entry.tag for entry in page.entries if entry.at + entry.size > len(page.data)}
    size = size_of(page)
    needed = -(-size.width * page.number(SAMPLES_PER_PIXEL, 1) * page.number(BITS_PER_SAMPLE, 1) // 8) * size.height
    is_plain = page.number(COMPRESSION, Compression.NONE) == Compression.NONE
    warnings = []
    if ICC_PROFILE in lost:
        warnings.append("profile_dropped")
    if is_plain and 0 < 2 * needed <= stored_bytes(page):
        warnings.append("size_suspected")
    return tuple(warnings)


def size_of(page: Table) -> PageSize:
    """Return what a directory says about the size of its page."""
    bits, samples = page.number(BITS_PER_SAMPLE, 1), page.number(SAMPLES_PER_PIXEL, 1)
    return PageSize(
        width=page.number(IMAGE_WIDTH),
        height=page.number(IMAGE_LENGTH),
        sample_bytes=samples * next((size for size in (1, 2, 4) if 8 * size >= bits), 8),
        is_bilevel=bits == samples == 1,
    )
