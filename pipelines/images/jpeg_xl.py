"""A JPEG XL before it is decoded: its size, from the header (ISO/IEC 18181-1, annex D), and its boxes (18181-2)."""

from collections.abc import Callable

from pipelines.images import exif, jp2

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_EXIF_BOX, _XMP_BOX, _COMPRESSED_BOX, _CLAIM_BOX = b"Exif", b"xml ", b"brob", b"jumb"
_MOST_INFLATED = 1 << 24
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_MOST_HEADER = 4096
_SMALL, _BITS = 5, (9, 13, 18, 30)


def is_one(data: bytes) -> bool:
    """Return whether a file is a JPEG XL."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def size(data: bytes) -> tuple[int, int]:
    """Return width and height as they are stored.

    Raises:
        ValueError: the header is cut short.
    """
    return take_size(_bits(_codestream(data)[2:16]))


def after_size(data: bytes) -> Callable[[int], int]:
    """Return a function that takes bits from the header, as numbers, from behind the size on.

    Raises:
        ValueError: the header is cut short; the function raises it too.
    """
    take = _bits(_codestream(data)[2:])
    take_size(take)
    return take


def take_size(take: Callable[[int], int]) -> tuple[int, int]:
    """Take width and height from a header, as `size` returns them."""
    if take(1):
        high = 8 * (take(_SMALL) + 1)
        ratio = take(3)
        wide = 8 * (take(_SMALL) + 1) if not ratio else 0
    else:
        high = take(_BITS[take(2)]) + 1
        ratio = take(3)
        wide = take(_BITS[take(2)]) + 1 if not ratio else 0
    if ratio:
        across, down = _RATIOS[ratio - 1]
        wide = high * across // down
    return wide, high


def metadata(data: bytes) -> tuple[dict[str, bytes], list[str]]:
    """Return EXIF (from its TIFF header on) and the XMP packet as ``exif`` and ``xmp``, and the names of other boxes.

    Boxes that cannot be inflated, and content credentials, are among the others.
    """
    found: dict[str, bytes] = {}
    others = []
    for kind, content in jp2.boxes(data) if data.startswith(_CONTAINER) else ():
        if kind == _COMPRESSED_BOX and content[:4] in (_EXIF_BOX, _XMP_BOX, _CLAIM_BOX):
            kind, content = content[:4], _inflated(content[4:])
        if kind == _EXIF_BOX and len(content) > 4:
            # Some writers leave out the offset that the standard puts first.
            start = 0 if content.startswith(exif.START[:4]) else 4 + int.from_bytes(content[:4], "big")
            found.setdefault("exif", content[start:].removeprefix(exif.START))
        elif kind == _XMP_BOX and content:
            found.setdefault("xmp", content)
        elif kind in (_EXIF_BOX, _XMP_BOX, _CLAIM_BOX):
            others.append(kind.decode().strip())
    return found, others


def _inflated(packed: bytes) -> bytes:
    """Inflate what Brotli compressed; b"" if it is broken, or larger than any metadata."""
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(packed, out=bytearray(_MOST_INFLATED)))
    except imagecodecs.BrotliError:
        return b""


def _bits(data: bytes) -> Callable[[int], int]:
    """Return a function that takes bits from a number, the lowest first."""
    number, room = int.from_bytes(data, "little"), 8 * len(data)

    def take(count: int) -> int:
        nonlocal number, room
        room -= count
        if room < 0:
            raise ValueError("the header of the JPEG XL is cut short")
        value = number & ((1 << count) - 1)
        number >>= count
        return value

    return take


def _codestream(data: bytes) -> bytes:
    """Return the start of the codestream, which may be in a container of boxes."""
    if data.startswith(_CODESTREAM):
        return data[:_MOST_HEADER]
    position = 0
    while position + 8 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        start = position + (16 if length == 1 else 8)
        if length == 1:
            length = int.from_bytes(data[position + 8 : position + 16], "big")
        if kind in (b"jxlc", b"jxlp"):
            start += 4 if kind == b"jxlp" else 0
            return data[start : start + _MOST_HEADER]
        if length < 8:
            break
        position += length
    raise ValueError("a JPEG XL without a picture")
