"""Any scan: the bytes of a file to its pages, each as upright sRGB pixels of its full depth, with its metadata."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from pipelines import ifd, metadata, orientation, photo
from pipelines.deep import Pixels
from pipelines.metadata import Metadata
from pipelines.outcomes import Rejected

# All pages of a file together; 240 of A4 at 300 dpi. A few bytes a page can name the same strip again and again.
MAX_TOTAL_PIXELS = 1 << 31
_SUBFILE_TYPE = 254
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
    """

    pixels: Pixels
    index: int = 0
    count: int = 1
    format: str = ""
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def height(self) -> int:
        """In pixels."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.pixels.shape[1]

    @property
    def bits(self) -> int:
        """Of a sample of the pixels, 8 or 16."""
        return 8 * self.pixels.dtype.itemsize


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
        image = Image.open(io.BytesIO(data))
    with image:
        with photo.judged(data):
            frames = _frames(image, data)
        for index, (frame, directory) in enumerate(frames):
            try:
                with photo.judged(data):
                    page = _page(image, data, frame, directory, index, len(frames))
            except Rejected as verdict:
                if len(frames) == 1:
                    raise
                detail = f"page {index + 1} of {len(frames)}: {verdict.detail}"
                raise Rejected(verdict.reason, detail) from verdict.__cause__
            yield page


def _frames(image: Image.Image, data: bytes) -> list[tuple[int, int | None]]:
    """Number and directory of each page; checks their sizes."""
    photo.check_size(image, data)
    if image.format != "TIFF":
        return [(0, None)]
    offsets = ifd.offsets(data)
    found: list[tuple[int, int | None]] = []
    total = 0
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        directory = offsets[frame] if frame < len(offsets) else None
        kind = int(getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE, 0))
        if frame and kind & _REDUCED_OR_MASK:
            continue
        photo.check_size(image, data)
        total += image.width * image.height
        found.append((frame, directory))
    if total > MAX_TOTAL_PIXELS:
        raise Rejected("too_large", f"{len(found)} pages of {total:,} pixels together")
    return found


def _page(image: Image.Image, data: bytes, frame: int, directory: int | None, index: int, count: int) -> Page:
    if image.format == "TIFF":
        image.seek(frame)
    held = orientation.of(image)
    pixels = orientation.upright(photo.to_srgb(image, data, directory), photo.turn_of(image))
    size = (pixels.shape[1], pixels.shape[0])
    said = metadata.collect(image, data, size=size, transposed=orientation.transposes(held), directory=directory)
    return Page(pixels, index, count, str(image.format), said)
