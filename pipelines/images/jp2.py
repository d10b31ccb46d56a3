"""The boxes of a JPEG 2000 file (ISO/IEC 15444-1, annex I) that Pillow ignores: profile, metadata and resolution."""

import re
import struct
from collections.abc import Iterator

from pipelines.images import exif

_SIGNATURES = (b"\x00\x00\x00\x0cjP", b"\xff\x4f\xff\x51")
_START = b"\xff\x4f\xff\x51"  # of the codestream, with the marker of its size
_HEADER_BOX, _COLOUR_BOX, _UUID_BOX = b"jp2h", b"colr", b"uuid"
_RESOLUTION_BOX, _CAPTURED, _DISPLAYED = b"res ", b"resc", b"resd"
_CODESTREAM_BOX, _CODESTREAM = b"jp2c", b"\xff\x4f"
_START_OF_TILE, _COMMENT, _LATIN = 0xFF90, 0xFF64, 1
_METRES_AN_INCH = 0.0254
_OF_ENCODER = re.compile(rb"(?i)(created|written|encoded|compressed) (by|with)|kdu|kakadu|openjpeg|jasper|aware|lead")
_ICC_METHODS = (2, 3)  # restricted and, in JPX, any ICC profile
_KINDS = {
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
}


def is_one(data: bytes) -> bool:
    """Return whether a file is a JPEG 2000, in boxes or bare."""
    return data.startswith(_SIGNATURES)


def codestream(data: bytes) -> bytes:
    """Return the codestream; b"" if there is none."""
    start = data.find(_START)
    return data[start:] if start >= 0 else b""


def size(data: bytes) -> tuple[int, int]:
    """Return width and height; (0, 0) if they cannot be found."""
    header = codestream(data)[:40]
    if len(header) < 40:
        return 0, 0
    right, bottom, left, top = struct.unpack_from(">4I", header, 8)
    return max(0, right - left), max(0, bottom - top)


def bits(data: bytes) -> int:
    """Return the bits of a sample of the first channel; 8 if they cannot be found."""
    channel = codestream(data)[42:43]
    return (channel[0] & 0x7F) + 1 if channel else 8


def is_subsampled(data: bytes) -> bool:
    """Return whether a channel has fewer samples than the picture has pixels."""
    header = codestream(data)
    count = int.from_bytes(header[40:42], "big")
    steps = header[42 : 42 + 3 * count]
    return any(step > 1 for position in (1, 2) for step in steps[position::3])


def profile(data: bytes) -> bytes:
    """Return the embedded ICC profile, b"" if there is none."""
    for kind, content in boxes(data):
        if kind == _HEADER_BOX:
            for inner, colour in boxes(content):
                if inner == _COLOUR_BOX and colour[:1] and colour[0] in _ICC_METHODS:
                    return colour[3:]
    return b""


def metadata(data: bytes) -> dict[str, bytes]:
    """Return EXIF (from its TIFF header on), IPTC records and the XMP packet as ``exif``, ``iptc`` and ``xmp``."""
    found: dict[str, bytes] = {}
    for kind, content in boxes(data):
        name = _KINDS.get(content[:16]) if kind == _UUID_BOX else None
        if name:
            found.setdefault(name, content[16:].removeprefix(exif.START))
    return found


def resolution(data: bytes) -> tuple[float, float] | None:
    """Return the pixels an inch, across and down, at which the photo was captured, else those to display it with."""
    found: dict[bytes, tuple[float, float]] = {}
    for kind, content in boxes(data):
        for inner, box in boxes(content) if kind == _HEADER_BOX else ():
            for which, told in boxes(box) if inner == _RESOLUTION_BOX else ():
                if which in (_CAPTURED, _DISPLAYED) and len(told) >= 10:
                    down, per_down, across, per_across, down_power, across_power = struct.unpack_from(">4H2b", told)
                    if down and per_down and across and per_across:
                        found[which] = (
                            across / per_across * 10.0**across_power * _METRES_AN_INCH,
                            down / per_down * 10.0**down_power * _METRES_AN_INCH,
                        )
    return found.get(_CAPTURED) or found.get(_DISPLAYED)


def comment(data: bytes) -> bytes:
    """Return the comments in Latin text of the codestream's main header, one to a line, in UTF-8.

    Those in which the encoder names itself are left out.
    """
    stream = data if data.startswith(_CODESTREAM) else b""
    stream = stream or next((content for kind, content in boxes(data) if kind == _CODESTREAM_BOX), b"")
    found = []
    position = 2
    while position + 6 <= len(stream):
        marker, size, registration = struct.unpack_from(">3H", stream, position)
        if marker == _START_OF_TILE or size < 2:
            break
        text = stream[position + 6 : position + 2 + size].rstrip(b"\0")
        if marker == _COMMENT and registration == _LATIN and not _OF_ENCODER.match(text):
            found.append(text)
        position += 2 + size
    return b"\n".join(found).decode("latin-1").encode()


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each box of a file, up to the first broken one; a bare codestream has none."""
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
