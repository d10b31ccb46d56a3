"""The strips or tiles of a TIFF page: whether what they hold fills the page.

Two of libtiff's codecs call a strip or tile whole that is not: a JPEG of fewer pixels, and Group 4 that ends early.
tifffile decodes a page that has fewer of them than it needs. What is missing is whatever the memory held before, so
that the same file would give other pixels each time.
"""

import itertools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipelines.images import jpeg_markers, memory, tiff_directory, tiff_tags
from pipelines.images.tiff_directory import Directory
from pipelines.images.tiff_table import Table
from pipelines.images.tiff_tags import Compression, FieldType, Photometric, Planar

if TYPE_CHECKING:
    from tifffile import TiffPage


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A strip or tile.

    Attributes:
        data: as it is stored.
        width: of the part of the page that it fills, in pixels.
        height: of this part.
    """

    data: bytes
    width: int
    height: int


def check(page: Table) -> None:
    """Refuse a page of which libtiff would leave a part undecoded without an error.

    Raises:
        ValueError: see above.
    """
    compression = page.number(tiff_tags.COMPRESSION, Compression.NONE)
    if compression == Compression.JPEG:
        _check_jpeg(page)
    elif compression == Compression.GROUP_4:
        _check_group_4(page)


def are_whole(page: Table) -> bool:
    """Return whether all strips or tiles of a page are in the file, in a simple compression, and fill the page.

    Some files that Pillow calls truncated are whole: their numbers of bytes are wrong, or missing.
    """
    samples = page.number(tiff_tags.SAMPLES_PER_PIXEL, 1)
    is_separate = page.number(tiff_tags.PLANAR_CONFIGURATION) == Planar.SEPARATE
    bits = page.number(tiff_tags.BITS_PER_SAMPLE, 1) * (1 if is_separate else samples)
    if page.number(tiff_tags.PHOTOMETRIC) == Photometric.YCBCR:
        return False
    columns = _shape(page)[0] if _is_tiled(page) else 0
    missing = page.number(tiff_tags.IMAGE_WIDTH) * page.number(tiff_tags.IMAGE_LENGTH) * (samples if is_separate else 1)
    for segment in of_page(page):
        needed = -(-max(columns, segment.width) * bits // 8) * segment.height
        if _stored(segment.data, needed, page.number(tiff_tags.COMPRESSION, Compression.NONE)) < needed:
            return False
        missing -= segment.width * segment.height
    return missing == 0


def _stored(data: bytes, needed: int, compression: int) -> int:
    """Return how many bytes a strip or tile holds, up to those that are needed; 0 if this cannot be told."""
    import imagecodecs

    with memory.suppressed(imagecodecs.LzwError, imagecodecs.PackbitsError, zlib.error):
        if compression == Compression.NONE:
            return len(data)
        if compression in (Compression.DEFLATE, Compression.OLD_DEFLATE):
            return len(zlib.decompressobj().decompress(data, needed))
        if compression == Compression.LZW:
            return len(imagecodecs.lzw_decode(data))
        if compression == Compression.PACKBITS:
            return len(imagecodecs.packbits_decode(data))
    return 0


def decoded(page: "TiffPage") -> npt.NDArray[Any]:
    """Decode a page with tifffile.

    Returns:
        the samples as they are stored, ``[H, W]`` or ``[H, W, S]``.

    Raises:
        ValueError: there are fewer strips or tiles than the page needs.
        Exception: any error from tifffile and its codecs on a broken file.
    """
    first = len(page.shape) - len(page.chunks)
    parts = (-(-side // part) for side, part in zip(page.shape[first:], page.chunks, strict=True))
    if len(page.dataoffsets) < math.prod(page.shape[:first]) * math.prod(parts):
        raise ValueError("strips or tiles are missing")
    found = np.asarray(page.asarray(maxworkers=1))
    return np.moveaxis(found, 0, -1) if page.planarconfig == Planar.SEPARATE and found.ndim == 3 else found


def of_page(page: Table) -> Iterator[Segment]:
    """Yield the strips or tiles of a page from left to right and top to bottom, plane after plane."""
    columns, rows = _shape(page)
    width, height = page.number(tiff_tags.IMAGE_WIDTH), page.number(tiff_tags.IMAGE_LENGTH)
    is_separate = page.number(tiff_tags.PLANAR_CONFIGURATION) == Planar.SEPARATE
    is_tiled = _is_tiled(page)
    starts = page.numbers(tiff_tags.TILE_OFFSETS if is_tiled else tiff_tags.STRIP_OFFSETS)
    sizes = page.numbers(tiff_tags.TILE_BYTE_COUNTS if is_tiled else tiff_tags.STRIP_BYTE_COUNTS)
    parts = (
        (plane, min(columns, width - left), min(rows, height - top))
        for plane in range(page.number(tiff_tags.SAMPLES_PER_PIXEL, 1) if is_separate else 1)
        for top in range(0, height, rows)
        for left in range(0, width, columns)
    )
    across, down = _chroma_steps(page)
    for (plane, wide, high), start, size in zip(parts, starts, sizes or [0] * len(starts), strict=False):
        # libtiff reads a single strip without a size up to the end of the file.
        data = page.data[start : start + size if size or len(starts) > 1 else None]
        if plane:
            wide, high = -(-wide // across), -(-high // down)
        yield Segment(data=data, width=wide, height=high)


def _is_tiled(page: Table) -> bool:
    return bool(page.number(tiff_tags.TILE_WIDTH) or page.number(tiff_tags.TILE_LENGTH))


def _shape(page: Table) -> tuple[int, int]:
    """Return columns and rows of a whole strip or tile, at least 1 each."""
    width, height = page.number(tiff_tags.IMAGE_WIDTH), page.number(tiff_tags.IMAGE_LENGTH)
    if _is_tiled(page):
        return max(1, page.number(tiff_tags.TILE_WIDTH)), max(1, page.number(tiff_tags.TILE_LENGTH))
    return max(1, width), max(1, min(height, page.number(tiff_tags.ROWS_PER_STRIP, height)))


def _chroma_steps(page: Table) -> tuple[int, int]:
    """Return how many pixels share a sample of the planes after the first, across and down."""
    if page.number(tiff_tags.PHOTOMETRIC) != Photometric.YCBCR:
        return 1, 1
    across, down = (*page.numbers(tiff_tags.YCBCR_SUB_SAMPLING), 2, 2)[:2]
    return max(1, across), max(1, down)


def _check_jpeg(page: Table) -> None:
    for segment in of_page(page):
        width, height = jpeg_markers.size(segment.data)
        if width < segment.width or height < segment.height:
            said = f"{width} x {height} pixels where there should be {segment.width} x {segment.height}"
            raise ValueError(f"a strip or tile in JPEG has {said}")


def _check_group_4(page: Table) -> None:
    """Decode the strips or tiles as strips, row by row: libtiff reports a row that it cannot decode, not a strip."""
    import imagecodecs

    segments = list(of_page(page))
    if not segments:
        raise ValueError("no strips or tiles")
    try:
        imagecodecs.tiff_decode(_in_strips(page, segments))
    except imagecodecs.TiffError as error:
        raise ValueError("a strip or tile in Group 4 is cut short") from error


def _in_strips(page: Table, segments: Sequence[Segment]) -> bytes:
    """Return a TIFF in Group 4 whose strips are the strips or tiles of a page."""
    columns, rows = _shape(page)
    stored = [segment.data for segment in segments]
    result = Directory(order=page.layout.order)
    result.put(tiff_tags.IMAGE_WIDTH, FieldType.LONG, columns)
    result.put(tiff_tags.IMAGE_LENGTH, FieldType.LONG, rows * (len(segments) - 1) + segments[-1].height)
    result.put(tiff_tags.BITS_PER_SAMPLE, FieldType.SHORT, 1)
    result.put(tiff_tags.COMPRESSION, FieldType.SHORT, Compression.GROUP_4)
    result.put(tiff_tags.PHOTOMETRIC, FieldType.SHORT, Photometric.MIN_IS_WHITE)
    result.put(tiff_tags.FILL_ORDER, FieldType.SHORT, page.number(tiff_tags.FILL_ORDER, 1))
    result.put(tiff_tags.SAMPLES_PER_PIXEL, FieldType.SHORT, 1)
    result.put(tiff_tags.ROWS_PER_STRIP, FieldType.LONG, rows)
    result.put(tiff_tags.STRIP_BYTE_COUNTS, FieldType.LONG, *map(len, stored))
    result.put(tiff_tags.STRIP_OFFSETS, FieldType.LONG, *[0] * len(stored))
    start = len(tiff_directory.header(result.order)) + result.size
    *starts, _ = itertools.accumulate(map(len, stored), initial=start)
    result.put(tiff_tags.STRIP_OFFSETS, FieldType.LONG, *starts)
    return b"".join([tiff_directory.block(result), *stored])
