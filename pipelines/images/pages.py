"""Read any scan as pages: each as upright sRGB pixels in full depth, with its metadata.

This is the path of a photo's bytes: `tiff_pages` finds the pages of a TIFF, `opening` opens each, `decode` makes pixels
from it, and `metadata` reads its metadata. A TIFF directory is parsed once, by the first of them, and passed on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipelines.errors import Rejected
from pipelines.images import decode, metadata, orientation, sizes, tiff_pages, tiff_table
from pipelines.images.metadata import Metadata
from pipelines.images.opening import judged, opened
from pipelines.images.tiff_directory import Directory
from pipelines.images.tiff_table import Table
from tfrecords.color import Pixels

# Of all pages together, or twice the file if that is more: they can name the same bytes.
_MAX_METADATA = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Page:
    """One picture of a file.

    Attributes:
        pixels: ``[H, W]`` if the file holds one grey channel, else ``[H, W, 3]``; upright, sRGB; uint16 if the file
            holds more than 8 bits a sample, else uint8.
        index: from 0 on.
        count: of pages in the file.
        format: of the file, by Pillow's name.
        metadata: of the page, true of these pixels.
        chroma_step: `pipelines.images.decode.Photo.chroma_step` of the file.
    """

    pixels: Pixels
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


def read(data: bytes) -> Iterator[Page]:
    """Read the pages of a photo one after the other.

    A TIFF has as many as it has directories, except thumbnails and masks; any other format has its first frame. The
    sizes of all pages are checked before the first is decoded, everything else when a page's turn has come.

    Args:
        data: the file.

    Raises:
        Rejected: ``unreadable`` if it is not an image, or cut short or broken; ``too_large``, see
            `pipelines.images.sizes`.
    """
    with judged(data):
        found: list[Table | None] = [*_tiff_pages(data)] if data[:4] in tiff_table.HEADERS else [None]
    room = max(_MAX_METADATA, 2 * len(data))
    for index, place in enumerate(found):
        try:
            page = _page(data, place, index, len(found))
            room -= page.metadata.bytes
            yield page if room >= 0 else replace(page, metadata=_dropped(page.metadata))
        except Rejected as verdict:
            if len(found) == 1:
                raise
            detail = f"page {index + 1} of {len(found)}: {verdict.detail}"
            raise Rejected(verdict.reason, detail) from verdict.__cause__


def _tiff_pages(data: bytes) -> list[Table]:
    """Return the directory of each page of a TIFF; their sizes are checked."""
    pages: list[Table] = []
    counted: list[tuple[int, bool]] = []
    most = sizes.most_pages(len(data))
    for table in tiff_pages.chain(data):
        size = tiff_pages.size_of(table)
        if counted and size.is_reduced_or_mask:
            continue
        sizes.check(size.width, size.height, len(data), sample_bytes=size.sample_bytes, is_bilevel=size.is_bilevel)
        counted.append((size.width * size.height, size.is_bilevel))
        if len(counted) <= most:
            pages.append(table)
    sizes.check_pages(counted, len(data))
    return pages or [tiff_pages.first(data)]


def _dropped(said: Metadata) -> Metadata:
    empty = Directory(order=said.exif.order)  # pages of a TIFF have one byte order
    return Metadata(exif=empty, dpi=said.dpi, warnings=(*said.warnings, "metadata_dropped"))


def _page(data: bytes, place: Table | None, index: int, count: int) -> Page:
    with opened(data, place) as photo:
        turn = orientation.of(photo.image)
        pixels = decode.upright_pixels(photo)
        size = (pixels.shape[1], pixels.shape[0])
        said = metadata.collect(photo, size=size, transposed=orientation.transposes(turn))
        said = replace(said, warnings=(*photo.warnings, *said.warnings))
        return Page(
            pixels=pixels,
            index=index,
            count=count,
            format=str(photo.image.format),
            metadata=said,
            chroma_step=decode.chroma_step(photo.image),
        )
