"""Decide which pictures are too large: in general, or for the size of their file.

Photographs take at least a byte for 85 pixels (a JPEG of one grey); black and white scans take a byte for thousands. A
file under a megabyte that claims to be larger than that takes gigabytes or minutes and shows nothing.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import jpeg_markers
from pipelines.images.limits import MOST_PIXELS, Limits
from tfrecords.words import counted

MAX_PIXELS = MOST_PIXELS
"""Of a page, unless `allowing` says otherwise."""
MAX_SIDE = 1_000_000
"""That of libpng. Rows are worked on whole, and encoders take gigabytes for rows of many millions."""
WEBP_BYTES = 4
"""Bytes of a pixel in libwebp."""
OPENJPEG_BYTES = 4
"""Bytes of a sample in OpenJPEG."""
_MAX_PAGES, _BYTES_A_PAGE = 1000, 400
_PIXELS_A_BYTE, _MOST_SHARED = 100, 150_000_000
_TIME_OF_BILEVEL = 0.4
_OF_RESULT, _COPIES = 8, 2
# A progressive JPEG of 179 megapixels may have 44 scans, one of a megapixel 8,000; encoders make 10.
_MAX_SCANNED_PIXELS = 8_000_000_000
_BYTES_OF_MODE = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2}
_allowed: ContextVar[int] = ContextVar("_allowed", default=MAX_PIXELS)


@contextlib.contextmanager
def allowing(most_pixels: int) -> Iterator[None]:
    """Let pages have this many pixels while the block runs."""
    token = _allowed.set(most_pixels)
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, -(-most_pixels // 2)  # Pillow refuses twice as many
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
        _allowed.reset(token)


def check(width: int, height: int, file_size: int, *, sample_bytes: int = 1, is_bilevel: bool = False) -> None:
    """Refuse a page before it is decoded.

    Args:
        width: in pixels.
        height: in pixels.
        file_size: bytes of the file.
        sample_bytes: bytes of a pixel, as the decoder holds it.
        is_bilevel: whether all pixels are black or white.

    Raises:
        Rejected: ``too_large`` above MAX_PIXELS or MAX_SIDE; above half of MAX_PIXELS in a file that has less than a
            byte for 100 pixels; or if it would take more memory than `pipelines.images.limits` allows to such a file.
            `allowing` replaces MAX_PIXELS.
    """
    pixels, most = width * height, _allowed.get()
    if max(width, height) > MAX_SIDE:
        raise Rejected("too_large", f"{width} x {height} pixels; no side may have more than {MAX_SIDE:,}")
    if pixels > most:
        detail = f"{width} x {height} pixels are more than {most / 1e6:.0f} million; --max_megapixels allows more"
        raise Rejected("too_large", detail)
    if _weight(is_bilevel) * pixels > max(most // 2, _PIXELS_A_BYTE * file_size):
        raise Rejected("too_large", f"{width} x {height} pixels in {file_size:,} bytes: too many for so small a file")
    if pixels * (_OF_RESULT + _COPIES * sample_bytes) > Limits.of(file_size, most_pixels=most).memory:
        raise Rejected("too_large", f"{width} x {height} pixels of {sample_bytes} bytes in {file_size:,} bytes")


def check_image(image: Image.Image, data: bytes) -> None:
    """Refuse an open image before it is loaded, and again after that if loading may change its size.

    Args:
        image: of Pillow.
        data: its file.

    Raises:
        Rejected: ``too_large``, as `check` does; or if a JPEG goes over its pixels too many times.
    """
    width, height = image.size
    check(width, height, len(data), sample_bytes=_sample_bytes(image, data), is_bilevel=image.mode == "1")
    if image.format in ("JPEG", "MPO"):
        scans = jpeg_markers.scans(data)
        if scans * width * height > _MAX_SCANNED_PIXELS:
            raise Rejected("too_large", f"{counted(scans, 'scan')} of {width} x {height} pixels")


def _sample_bytes(image: Image.Image, data: bytes) -> int:
    """Return the bytes that the decoder holds of each pixel."""
    if image.format == "JPEG2000":
        return OPENJPEG_BYTES * len(image.getbands())
    if image.format == "WEBP":
        return WEBP_BYTES
    if image.format == "PNG" and data[24:25] == b"\x10":
        return 2 * len(image.getbands())
    return _BYTES_OF_MODE.get(image.mode, len(image.getbands()))


def check_pages(count: int, stored: int, shared: int, file_size: int) -> None:
    """Refuse a file for the number of its pages, or because they share their bytes, as those of bombs do.

    Args:
        count: of the pages.
        stored: bytes of the pixels of all pages, as they are stored.
        shared: pixels of the pages whose bytes are those of an earlier page.
        file_size: bytes of the file.

    Raises:
        Rejected: ``too_large`` above `most_pages`; if the pages have more bytes than the file; or above 150 million
            pixels that share bytes.
    """
    if count > most_pages(file_size):
        raise Rejected("too_large", f"{count:,} pages in {file_size:,} bytes")
    if (count > 1 and stored > file_size) or shared > _MOST_SHARED:
        said = f"{count:,} pages of {stored:,} bytes together in {file_size:,} bytes"
        raise Rejected("too_large", f"{said}: they overlap")


def most_pages(file_size: int) -> int:
    """Return how many pages a file may have: 1,000, or one for 400 bytes."""
    return max(_MAX_PAGES, file_size // _BYTES_A_PAGE)


def _weight(is_bilevel: bool) -> float:
    """Return the processor time of a pixel; black and white pixels are not converted."""
    return _TIME_OF_BILEVEL if is_bilevel else 1.0
