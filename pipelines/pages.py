"""Any scan: the bytes of a file to its pages, each as upright sRGB pixels of its full depth, with its metadata."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipelines import ifd, metadata, orientation, photo, tiff_pages
from pipelines.metadata import Metadata
from pipelines.outcomes import Rejected
from tfrecords.color import Pixels

# All pages of a file together; 240 of A4 at 300 dpi. A few bytes a page can name the same strip again and again.
MAX_TOTAL_PIXELS = 1 << 31
# All pages of a file together, or twice the file where that is more: they can name the same bytes as well.
_MAX_METADATA = 1 << 24
_SUBFILE_TYPE, _WIDTH, _HEIGHT = 254, 256, 257
_OF_PAGE = frozenset({_SUBFILE_TYPE, _WIDTH, _HEIGHT})
_REDUCED_OR_MASK = 1 | 4


@dataclass(frozen=True)
class Page:
    """One picture of a file.

    Attributes:
        pixels: ``[H, W]`` where the file holds one grey channel, else ``[H, W, 3]``; upright, sRGB; uint16 where the
            file holds more than 8 bits a sample, else uint8.
        index: from 0 on.
        count: of pages in the file.
        format: of the file, in Pillow's words.
        metadata: of the page, true of these pixels.
        chroma_step: `pipelines.photo.Photo.chroma_step` of the file.
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
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.pixels.shape[1]


def read(data: bytes) -> Iterator[Page]:
    """Reads the pages of a photo one after the other.

    A TIFF has as many as it has directories, leaving out thumbnails and masks; any other format is its first frame.

    Args:
        data: the file.

    Raises:
        Rejected: ``unreadable`` when it is no image, cut short or broken; ``too_large`` above photo.MAX_PIXELS a page
            or MAX_TOTAL_PIXELS the file. Sizes are looked at before the first page is decoded, pages when their turn
            has come.
    """
    with photo.judged(data):
        offsets = _pages(data)
    room = max(_MAX_METADATA, 2 * len(data))
    for index, offset in enumerate(offsets):
        try:
            page = _page(tiff_pages.starting_at(data, offset) if offset else data, index, len(offsets))
            room -= page.metadata.bytes
            yield page if room >= 0 else replace(page, metadata=_dropped(page.metadata))
        except Rejected as verdict:
            if len(offsets) == 1:
                raise
            detail = f"page {index + 1} of {len(offsets)}: {verdict.detail}"
            raise Rejected(verdict.reason, detail) from verdict.__cause__


def _pages(data: bytes) -> list[int]:
    """Where the directory of each page of a TIFF is; [0] for anything else. Their sizes are checked."""
    if data[:4] not in ifd.HEADERS:
        return [0]
    found: list[int] = []
    total = 0
    for offset in tiff_pages.offsets(data):
        numbers = tiff_pages.numbers_at(data, offset, _OF_PAGE)
        if found and numbers.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK:
            continue
        width, height = numbers.get(_WIDTH, 0), numbers.get(_HEIGHT, 0)
        photo.check_size(width, height, data)
        total += width * height
        found.append(offset)
    if total > MAX_TOTAL_PIXELS:
        raise Rejected("too_large", f"{len(found)} pages of {total:,} pixels together")
    return found or [0]


def _dropped(said: Metadata) -> Metadata:
    return Metadata(dpi=said.dpi, warnings=(*said.warnings, "metadata_dropped"))


def _page(data: bytes, index: int, count: int) -> Page:
    with photo.judged(data), photo.opened(data) as opened:
        image, data = opened.image, opened.data
        held = orientation.of(image)
        pixels = orientation.upright(photo.to_srgb(image, data), photo.turn_of(image))
        size = (pixels.shape[1], pixels.shape[0])
        said = metadata.collect(image, data, size=size, transposed=orientation.transposes(held))
        said = replace(said, warnings=(*opened.warnings, *said.warnings))
        return Page(pixels, index, count, str(image.format), said, photo.chroma_step(image))
