"""Read any scan as pages: each as upright sRGB pixels in full depth, with its metadata.

This is the path of a photo's bytes: `tiff_pages` finds the pages of a TIFF, `opening` opens each, `decode` makes pixels
from it, and `metadata` reads its metadata. A TIFF directory is parsed once, by the first of them, and passed on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from pipelines.errors import Rejected
from pipelines.images import (
    around,
    avif,
    cut_short,
    decode,
    frames,
    memory,
    metadata,
    orientation,
    samples,
    sizes,
    tiff_pages,
    tiff_pictures,
    tiff_table,
    tiff_tags,
)
from pipelines.images.metadata import Metadata
from pipelines.images.opening import OpenPhoto, judged, opened
from pipelines.images.reading import AS_IT_IS, Reading
from pipelines.images.tiff_directory import Directory
from pipelines.images.tiff_table import Table
from tfrecords.color import Pixels

DEPTH_REDUCED = "depth_reduced"
"""Warning that a photo has more bits a channel than its pixels here or in its file."""
# Of all pages together, or twice the file if that is more: they can name the same bytes.
_MAX_METADATA = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Page:
    """One picture of a file.

    Attributes:
        pixels: ``[H, W]`` if the file holds one grey channel, else ``[H, W, 3]``; upright, sRGB; uint16 if the file
            holds more than 8 bits a sample, else uint8.
        cut_out: the same with straight alpha, ``[H, W, 2]`` or ``[H, W, 4]``, if the photo is transparent anywhere;
            `pixels` are these on white.
        index: from 0 on.
        count: of pages in the file.
        format: of the file, by Pillow's name.
        metadata: of the page, true of these pixels.
        chroma_step: `pipelines.images.decode.Photo.chroma_step` of the file.
    """

    pixels: Pixels
    cut_out: Pixels | None = None
    index: int = 0
    count: int = 1
    format: str = ""
    metadata: Metadata = field(default_factory=Metadata)
    chroma_step: int = 0

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])


def read(data: bytes, reading: Reading = AS_IT_IS, warned: list[str] | None = None) -> Iterator[Page]:
    """Read the pages of a photo one after the other.

    A TIFF has as many as it has photos: thumbnails, previews and masks are left out. Any other format has its first
    frame. The sizes of all pages are checked before the first is decoded, everything else when a page's turn has come.

    Args:
        data: the file.
        reading: how to read it.
        warned: warnings about the file as a whole are added to it: ``frames_dropped``, ``page_unreadable``, …

    Raises:
        Rejected: ``unreadable`` if it is not an image, or cut short or broken; ``too_large``, see
            `pipelines.images.sizes`; ``camera_raw``, see `pipelines.images.tiff_pictures`. A later page that is broken
            is left out, with a warning, and so are pages beyond the end of a file.
    """
    warned = [] if warned is None else warned
    with judged(data), sizes.allowing(reading.most_pixels):
        data, found = around.unwrapped(data, reading)
        warned += found
        is_tiff = data[:4] in tiff_table.HEADERS
        places: list[Table | int] = [*_tiff_pages(data)] if is_tiff else [*range(_frames(data, reading))]
        if is_tiff and tiff_pages.is_cut(data):
            warned.append("page_unreadable")
    count = len(places)
    if reading.pages == "first" and count > 1:
        places = places[:1]
        warned.append("frames_dropped")
    room = max(_MAX_METADATA, 2 * len(data))
    for index, place in enumerate(places):
        try:
            page = _page(data, place, index, len(places), reading, warned)
        except Rejected as verdict:
            if count == 1 or memory.out_of_memory(verdict):
                raise
            if index and verdict.reason == "unreadable":
                warned.append("page_unreadable")
                continue
            detail = f"page {index + 1} of {count}: {verdict.detail}"
            raise Rejected(verdict.reason, detail) from verdict.__cause__
        if cut_short.WARNING in page.metadata.warnings and "no_end_marker" in warned:
            warned.remove("no_end_marker")
        room -= page.metadata.bytes
        yield page if room >= 0 else replace(page, metadata=_dropped(page.metadata))


def _tiff_pages(data: bytes) -> list[Table]:
    """Return the directory of each photo of a TIFF; their sizes are checked."""
    found = tiff_pictures.of_file(data)
    stored = shared = 0
    starts: set[int] = set()
    for table in found:
        size = tiff_pages.size_of(table)
        sizes.check(size.width, size.height, len(data), sample_bytes=size.sample_bytes, is_bilevel=size.is_bilevel)
        if stored <= len(data):
            stored += tiff_pages.stored_bytes(table)
        start = tiff_pages.start_of(table)
        shared += size.width * size.height if start in starts else 0
        starts.add(start)
    sizes.check_pages(len(found), stored, shared, len(data))
    return found


def _dropped(said: Metadata) -> Metadata:
    empty = Directory(order=said.exif.order)  # pages of a TIFF have one byte order
    return Metadata(exif=empty, dpi=said.dpi, warnings=(*said.warnings, "metadata_dropped"))


def _frames(data: bytes, reading: Reading) -> int:
    """Return how many frames to read of a file of any format but TIFF."""
    if reading.pages != "all":
        return 1
    with opened(data, None, reading) as photo:
        count = frames.of(photo.image)
        sizes.check_pages(count, 0, 0, len(data))
        return count


def _page(data: bytes, place: Table | int, index: int, count: int, reading: Reading, warned: list[str]) -> Page:
    with opened(data, place, reading) as photo:
        if count == 1 and frames.of(photo.image) > 1:
            warned.append("frames_dropped")
        turn = photo.turn or orientation.of(photo.image)
        decoded = decode.upright_pixels(photo)
        is_transparent = samples.is_transparent(decoded)
        pixels = samples.on_white(decoded) if is_transparent else np.ascontiguousarray(samples.without_alpha(decoded))
        size = (pixels.shape[1], pixels.shape[0])
        said = metadata.collect(photo, size=size, transposed=orientation.transposes(turn))
        reduced = (DEPTH_REDUCED,) if _bits(photo) > 8 * pixels.itemsize else ()
        said = replace(said, warnings=(*photo.warnings, *photo.heard, *reduced, *said.warnings))
        return Page(
            pixels=pixels,
            cut_out=decoded if is_transparent else None,
            index=index,
            count=count,
            format=str(photo.image.format),
            metadata=said,
            chroma_step=decode.chroma_step(photo.image),
        )


def _bits(photo: OpenPhoto) -> int:
    """Return the bits of a channel of a TIFF or AVIF as it is in its file; 0 for any other photo."""
    if photo.image.format == "AVIF":
        return avif.bits(photo.data)
    return 0 if photo.page is None else photo.page.number(tiff_tags.BITS_PER_SAMPLE, 1)
