"""Decide which pictures are too large: in general, or for the size of their file.

Photographs take at least a byte for 85 pixels (a JPEG of one grey); black and white scans take a byte for thousands. A
file under a megabyte that claims to be larger than that takes gigabytes or minutes and shows nothing.
"""

from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import jpeg_markers
from pipelines.images.limits import Limits

MAX_PIXELS = 178_956_970
"""Pillow's own hard limit, about 13,400 pixels square."""
MAX_SIDE = 1_000_000
"""That of libpng. Rows are worked on whole, and encoders take gigabytes for rows of many millions."""
MAX_TOTAL_PIXELS = 1 << 31
"""Of all pages of a file together: 240 of A4 at 300 dpi."""
WEBP_BYTES = 4
"""Bytes of a pixel in libwebp."""
_OPENJPEG_BYTES = 4  # of a sample
_MAX_PAGES, _BYTES_A_PAGE = 1000, 400
_SMALL_PAGE, _SMALL_TOTAL, _PIXELS_A_BYTE = MAX_PIXELS // 2, 150_000_000, 100
_TIME_OF_BILEVEL = 0.4
_OF_RESULT, _COPIES = 8, 2
# A progressive JPEG of 179 megapixels may have 44 scans, one of a megapixel 8,000; encoders make 10.
_MAX_SCANNED_PIXELS = 8_000_000_000
_BYTES_OF_MODE = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2}


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
    """
    pixels = width * height
    if max(width, height) > MAX_SIDE:
        raise Rejected("too_large", f"{width} x {height} pixels; no side may have more than {MAX_SIDE:,}")
    small = max(_SMALL_PAGE, _PIXELS_A_BYTE * file_size)
    if pixels > MAX_PIXELS or _weight(is_bilevel) * pixels > small:
        raise Rejected("too_large", f"{width} x {height} pixels in {file_size:,} bytes")
    if pixels * (_OF_RESULT + _COPIES * sample_bytes) > Limits.of(file_size).memory:
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
            raise Rejected("too_large", f"{scans:,} scans of {width} x {height} pixels")


def _sample_bytes(image: Image.Image, data: bytes) -> int:
    """Return the bytes that the decoder holds of each pixel."""
    if image.format == "JPEG2000":
        return _OPENJPEG_BYTES * len(image.getbands())
    if image.format == "WEBP":
        return WEBP_BYTES
    if image.format == "PNG" and data[24:25] == b"\x10":
        return 2 * len(image.getbands())
    return _BYTES_OF_MODE.get(image.mode, len(image.getbands()))


def check_pages(pages: list[tuple[int, bool]], file_size: int) -> None:
    """Refuse the pages of a file.

    Args:
        pages: for each, its pixels, and whether all of them are black or white.
        file_size: bytes of the file.

    Raises:
        Rejected: ``too_large`` above MAX_TOTAL_PIXELS; above 150 million in a file that has less than a byte for 100
            pixels; above `most_pages`.
    """
    total = sum(pixels for pixels, _ in pages)
    weighted = sum(_weight(is_bilevel) * pixels for pixels, is_bilevel in pages)
    if total > MAX_TOTAL_PIXELS or weighted > max(_SMALL_TOTAL, _PIXELS_A_BYTE * file_size):
        raise Rejected("too_large", f"{len(pages)} pages of {total:,} pixels together in {file_size:,} bytes")
    if len(pages) > most_pages(file_size):
        raise Rejected("too_large", f"{len(pages):,} pages in {file_size:,} bytes")


def most_pages(file_size: int) -> int:
    """Return how many pages a file may have: 1,000, or one for 400 bytes."""
    return max(_MAX_PAGES, file_size // _BYTES_A_PAGE)


def _weight(is_bilevel: bool) -> float:
    """Return the processor time of a pixel; black and white pixels are not converted."""
    return _TIME_OF_BILEVEL if is_bilevel else 1.0
