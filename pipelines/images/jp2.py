"""The boxes of a JPEG 2000 file (ISO/IEC 15444-1, annex I) that Pillow passes over: colour profile and metadata."""

import struct
from collections.abc import Iterator

_HEADER_BOX, _COLOUR_BOX, _UUID_BOX = b"jp2h", b"colr", b"uuid"
_ICC_METHODS = (2, 3)  # restricted and, in JPX, any ICC profile
_KINDS = {
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
}


def profile(data: bytes) -> bytes:
    """The embedded ICC profile, b"" when there is none."""
    for kind, content in _boxes(data):
        if kind == _HEADER_BOX:
            for inner, colour in _boxes(content):
                if inner == _COLOUR_BOX and colour[:1] and colour[0] in _ICC_METHODS:
                    return colour[3:]
    return b""


def metadata(data: bytes) -> dict[str, bytes]:
    """EXIF (from its TIFF header on), IPTC records and the XMP packet, under ``exif``, ``iptc`` and ``xmp``."""
    found: dict[str, bytes] = {}
    for kind, content in _boxes(data):
        name = _KINDS.get(content[:16]) if kind == _UUID_BOX else None
        if name:
            found.setdefault(name, content[16:].removeprefix(b"Exif\0\0"))
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box, until the data or their sense ends; a bare codestream has none."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if size == 1 and start + 8 <= len(data):
            size = int.from_bytes(data[start : start + 8], "big")
            start += 8
        end = position + size if size else len(data)
        if not start <= end <= len(data):
            return
        yield kind, data[start:end]
        position = end
