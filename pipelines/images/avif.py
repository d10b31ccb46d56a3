"""The depth of an AVIF, from the first box that says how its pixels are coded (AV1-ISOBMFF, section 2.3).

Pillow decodes all of them to 8 bits.
"""

_BOX, _MOST_BEFORE = b"av1C", 1 << 16
_HIGH, _TWELVE = 0x40, 0x20


def bits(data: bytes) -> int:
    """Return the bits of a sample: 8, 10 or 12; 0 if they cannot be found."""
    start = data.find(_BOX, 0, _MOST_BEFORE)
    if start < 0 or len(data) < start + 7:
        return 0
    told = data[start + 6]
    if not told & _HIGH:
        return 8
    return 12 if told & _TWELVE else 10
