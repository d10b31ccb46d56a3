"""Any scan: the bytes of a file to its pages, each as upright sRGB pixels of its full depth, with its metadata."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipelines.errors import Rejected
from pipelines.images import decode, metadata, orientation, sizes, tiff_directory, tiff_pages
from pipelines.images.metadata import Metadata
from pipelines.images.opening import judged, opened
from tfrecords.color import Pixels

# Of all pages together, or twice the file where that is more: they can name the same bytes.
_MAX_METADATA = 1 << 24


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
        Rejected: ``unreadable`` when it is no image, cut short or broken; ``too_large``, see `pipelines.images.sizes`.
            Sizes are looked at before the first page is decoded, pages when their turn has come.
    """
    with judged(data):
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
    if data[:4] not in tiff_directory.HEADERS:
        return [0]
    found: dict[int, tuple[int, bool]] = {}
    for offset in tiff_pages.offsets(data):
        size = tiff_pages.size_at(data, offset)
        if found and size.is_reduced_or_mask:
            continue
        sizes.check(size.width, size.height, data, sample_bytes=size.sample_bytes, is_bilevel=size.is_bilevel)
        found[offset] = size.width * size.height, size.is_bilevel
    sizes.check_pages(list(found.values()), data)
    return list(found) or [0]


def _dropped(said: Metadata) -> Metadata:
    return Metadata(dpi=said.dpi, warnings=(*said.warnings, "metadata_dropped"))


def _page(data: bytes, index: int, count: int) -> Page:
    with judged(data), opened(data) as source:
        image, data = source.image, source.data
        held = orientation.of(image)
        pixels = orientation.upright(decode.to_srgb(image, data), decode.turn_of(image))
        size = (pixels.shape[1], pixels.shape[0])
        said = metadata.collect(image, data, size=size, transposed=orientation.transposes(held))
        said = replace(said, warnings=(*source.warnings, *said.warnings))
        return Page(pixels, index, count, str(image.format), said, decode.chroma_step(image))
