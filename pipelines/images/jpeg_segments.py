"""The metadata segments of a JPEG that one segment of 64 kB may be too small for, put together and taken apart.

Exif 3.0; XMP part 3, section 1.1.3; Photoshop's file format. Photoshop's resources and the extension of an XMP packet
may go over several segments.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence

XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
"""What an XMP packet starts with in a JPEG."""
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
MOST = 65_533
"""Bytes of a segment's content."""
_MOST_EXTENSION = 65_400
# JFIF and its thumbnail, Exif, XMP, profile, further pictures, Photoshop, and Adobe's notes on colour and quality.
_KNOWN = (b"JFIF", b"JFXX", b"Exif\0", XMP_START, _EXTENSION, b"ICC_PROFILE", b"MPF\0", _PHOTOSHOP, b"Adobe", b"Ducky")
_LONGEST_NAME = 16
_HEAD = struct.Struct(">32sII")
_MOST_EXTENDED = 1 << 26

Segments = Sequence[tuple[str, bytes]]
"""Name (``APP1``, ``COM``, …) and content of each segment, as Pillow's ``applist``."""


def photoshop(segments: Segments) -> bytes:
    """Return the image resource blocks of all segments."""
    return b"".join(content.removeprefix(_PHOTOSHOP) for _, content in segments if content.startswith(_PHOTOSHOP))


def others(segments: Segments) -> list[str]:
    """Return the names of the segments that are neither read nor about how the pixels are stored."""
    found = []
    for name, content in segments:
        if name != "COM" and not content.startswith(_KNOWN):
            start, _, _ = content[:_LONGEST_NAME].partition(b"\0")
            found.append(f"{name} {start.decode('ascii', 'replace')}".strip())
    return found


def comment(segments: Segments) -> bytes:
    """Return the comments, one to a line."""
    return b"\n".join(content for name, content in segments if name == "COM")


def extension(segments: Segments, guid: bytes) -> bytes:
    """Return the extension of an XMP packet; b"" if a part of it is missing.

    Args:
        segments: of the JPEG.
        guid: that the packet names.
    """
    parts: dict[int, bytes] = {}
    whole = 0
    for _, content in segments:
        head = content[len(_EXTENSION) : len(_EXTENSION) + _HEAD.size]
        if content.startswith(_EXTENSION) and len(head) == _HEAD.size:
            owner, size, offset = _HEAD.unpack(head)
            if owner.upper() == guid.upper() and size <= _MOST_EXTENDED:
                whole = size
                parts.setdefault(offset, content[len(_EXTENSION) + _HEAD.size :])
    found = bytearray()
    for offset, part in sorted(parts.items()):
        if offset != len(found):
            return b""
        found += part
    return bytes(found) if len(found) == whole else b""


def guid_of(extended: bytes) -> str:
    """Return the name of an extension: its MD5 digest."""
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()


def extension_segments(extended: bytes) -> Iterator[bytes]:
    """Yield the contents of the segments that an extension of an XMP packet takes."""
    for start in range(0, len(extended), _MOST_EXTENSION):
        head = _HEAD.pack(guid_of(extended).encode(), len(extended), start)
        yield _EXTENSION + head + extended[start : start + _MOST_EXTENSION]


def photoshop_segments(resources: bytes) -> Iterable[bytes]:
    """Yield the contents of the segments that image resource blocks take."""
    step = MOST - len(_PHOTOSHOP)
    return (_PHOTOSHOP + resources[start : start + step] for start in range(0, len(resources), step))
