"""The size of a JPEG XL picture, from its header (ISO/IEC 18181-1, annex D), before it is decoded."""

from collections.abc import Callable

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SMALL, _BITS = 5, (9, 13, 18, 30)


def is_one(data: bytes) -> bool:
    """Return whether a file is a JPEG XL."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def size(data: bytes) -> tuple[int, int]:
    """Return width and height as they are stored.

    Raises:
        ValueError: the header is cut short.
    """
    take = _bits(_codestream(data)[2:16])
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
        return data[:64]
    position = 0
    while position + 8 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        start = position + (16 if length == 1 else 8)
        if length == 1:
            length = int.from_bytes(data[position + 8 : position + 16], "big")
        if kind in (b"jxlc", b"jxlp"):
            start += 4 if kind == b"jxlp" else 0
            return data[start : start + 64]
        if length < 8:
            break
        position += length
    raise ValueError("a JPEG XL without a picture")
