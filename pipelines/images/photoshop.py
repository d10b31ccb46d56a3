"""Photoshop's image resource blocks, in which TIFF, JPEG, PSD and PNG files hold IPTC records and rights."""

import struct
from collections.abc import Iterable, Iterator

IPTC = 0x0404
"""The number of the block that holds IIM records."""
EXIF, XMP = 0x0422, 0x0424
COPYRIGHT_FLAG, URL = 0x040A, 0x040B
# What a person said of the photo: caption, copyright flag, URL, URLs. The other blocks describe the pixels as they
# were stored, or the state of the editor.
_SAID = (0x03F0, COPYRIGHT_FLAG, URL, 0x041E)
_PATHS = range(0x07D0, 0x0BB7)
_START = b"8BIM"


def iptc_of(resources: bytes) -> bytes:
    """Return the IIM records of image resource blocks, those of all blocks together; b"" if there are none."""
    return b"".join(content for number, content in blocks(resources) if number == IPTC)


def said_in(resources: bytes) -> bytes:
    """Return the blocks in which a person said something of the photo, except the IIM records."""
    return b"".join(_block(number, content) for number, content in blocks(resources) if number in _SAID)


def joined(resources: Iterable[tuple[int, bytes, bytes]]) -> bytes:
    """Return the blocks for resources that are given by number, name and content."""
    return b"".join(_block(number, content) for number, _, content in resources)


def has_paths(resources: bytes) -> bool:
    """Return whether there are paths, whose coordinates are those of the source."""
    return any(number in _PATHS for number, _ in blocks(resources))


def block_of(iptc: bytes) -> bytes:
    """Return IIM records as an image resource block; b"" for none."""
    return _block(IPTC, iptc) if iptc else b""


def is_block(content: bytes) -> bool:
    """Return whether something starts as image resource blocks do."""
    return content.startswith(_START)


def blocks(resources: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each block."""
    position = 0
    while resources[position : position + 4] == _START and position + 12 <= len(resources):
        name_size = resources[position + 6] + 1
        start = position + 6 + name_size + name_size % 2
        size = int.from_bytes(resources[start : start + 4], "big")
        yield int.from_bytes(resources[position + 4 : position + 6], "big"), resources[start + 4 : start + 4 + size]
        position = start + 4 + size + size % 2


def _block(number: int, content: bytes) -> bytes:
    return _START + struct.pack(">H2xI", number, len(content)) + content + bytes(len(content) % 2)
