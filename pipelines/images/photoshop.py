"""Photoshop's image resource blocks, in which TIFF, JPEG and PNG files hold IPTC records."""

import struct
from collections.abc import Iterator

IPTC = 0x0404
"""The number of the block that holds IIM records."""
_START = b"8BIM"


def iptc_of(resources: bytes) -> bytes:
    """Return the IIM records of image resource blocks, b"" if there are none."""
    return next((content for number, content in _blocks(resources) if number == IPTC), b"")


def block_of(iptc: bytes) -> bytes:
    """Return IIM records as an image resource block."""
    return _START + struct.pack(">H2xI", IPTC, len(iptc)) + iptc + bytes(len(iptc) % 2)


def is_block(content: bytes) -> bool:
    """Return whether something starts as image resource blocks do."""
    return content.startswith(_START)


def _blocks(resources: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each block."""
    position = 0
    while resources[position : position + 4] == _START and position + 12 <= len(resources):
        name_size = resources[position + 6] + 1
        start = position + 6 + name_size + name_size % 2
        size = int.from_bytes(resources[start : start + 4], "big")
        yield int.from_bytes(resources[position + 4 : position + 6], "big"), resources[start + 4 : start + 4 + size]
        position = start + 4 + size + size % 2
