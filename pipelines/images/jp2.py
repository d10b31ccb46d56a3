"""The boxes of a JPEG 2000 file (ISO/IEC 15444-1, annex I) that Pillow ignores: colour profile and metadata."""

import struct
from collections.abc import Iterator

from pipelines.images import exif

_HEADER_BOX, _COLOUR_BOX, _UUID_BOX = b"jp2h", b"colr", b"uuid"
_ICC_METHODS = (2, 3)  # restricted and, in JPX, any ICC profile
_KINDS = {
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
}


def profile(data: bytes) -> bytes:
    """Return the embedded ICC profile, b"" if there is none."""
    for kind, content in _boxes(data):
        if kind == _HEADER_BOX:
            for inner, colour in _boxes(content):
                if inner == _COLOUR_BOX and colour[:1] and colour[0] in _ICC_METHODS:
                    return colour[3:]
    return b""


def metadata(data: bytes) -> dict[str, bytes]:
    """Return EXIF (from its TIFF header on), IPTC records and the XMP packet as ``exif``, ``iptc`` and ``xmp``."""
    found: dict[str, bytes] = {}
    for kind, content in _boxes(data):
        name = _KINDS.get(content[:16]) if kind == _UUID_BOX else None
        if name:
            found.setdefault(name, content[16:].removeprefix(exif.START))
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each box, up to the first broken one; a bare codestream has none."""
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
