"""Which pictures are too large: for anyone, or for the few bytes of their file.

Photographs take a byte for 85 pixels at the least (a JPEG of one grey), scans in black and white a byte for thousands.
A file under a megabyte that claims to be larger than that takes gigabytes or minutes to say nothing.
"""

from pipelines.errors import Rejected
from pipelines.images.limits import Limits

# Pillow's own hard limit, about 13,400 pixels square.
MAX_PIXELS = 178_956_970
# That of libpng. Rows are worked on whole, and encoders of rows of many millions take gigabytes.
MAX_SIDE = 1_000_000
# All pages of a file together; 240 of A4 at 300 dpi.
MAX_TOTAL_PIXELS = 1 << 31
_MAX_PAGES, _BYTES_A_PAGE = 1000, 400
_SMALL_PAGE, _SMALL_TOTAL, _PIXELS_A_BYTE = MAX_PIXELS // 2, 150_000_000, 100
_TIME_OF_BILEVEL = 0.4
_OF_RESULT, _COPIES = 8, 2


def check(width: int, height: int, data: bytes, *, sample_bytes: int = 1, is_bilevel: bool = False) -> None:
    """Refuses a page before it is decoded.

    Args:
        width: in pixels.
        height: likewise.
        data: the file.
        sample_bytes: of a pixel, as the decoder holds them.
        is_bilevel: whether all pixels are black or white.

    Raises:
        Rejected: ``too_large`` above MAX_PIXELS or MAX_SIDE; above half of MAX_PIXELS in a file that has less than a
            byte for 100 pixels; and when it would take more memory than `pipelines.images.limits` allows to such a
            file.
    """
    pixels = width * height
    if max(width, height) > MAX_SIDE:
        raise Rejected("too_large", f"{width} x {height} pixels; no side may have more than {MAX_SIDE:,}")
    small = max(_SMALL_PAGE, _PIXELS_A_BYTE * len(data))
    if pixels > MAX_PIXELS or _weight(is_bilevel) * pixels > small:
        raise Rejected("too_large", f"{width} x {height} pixels in {len(data):,} bytes")
    if pixels * (_OF_RESULT + _COPIES * sample_bytes) > Limits.of(len(data)).memory:
        raise Rejected("too_large", f"{width} x {height} pixels of {sample_bytes} bytes in {len(data):,} bytes")


def check_pages(pages: list[tuple[int, bool]], data: bytes) -> None:
    """Refuses the pages of a file.

    Args:
        pages: the pixels of each, and whether all of them are black or white.
        data: the file.

    Raises:
        Rejected: ``too_large`` above MAX_TOTAL_PIXELS; above 150 million in a file that has less than a byte for 100
            pixels; above 1,000 pages of less than 400 bytes each.
    """
    total = sum(pixels for pixels, _ in pages)
    weighted = sum(_weight(is_bilevel) * pixels for pixels, is_bilevel in pages)
    if total > MAX_TOTAL_PIXELS or weighted > max(_SMALL_TOTAL, _PIXELS_A_BYTE * len(data)):
        raise Rejected("too_large", f"{len(pages)} pages of {total:,} pixels together in {len(data):,} bytes")
    if len(pages) > max(_MAX_PAGES, len(data) // _BYTES_A_PAGE):
        raise Rejected("too_large", f"{len(pages):,} pages in {len(data):,} bytes")


def _weight(is_bilevel: bool) -> float:
    """Processor time of a pixel; black and white stay what they are."""
    return _TIME_OF_BILEVEL if is_bilevel else 1.0
