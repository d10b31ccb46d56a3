"""Bytes around a photo: gzip, bytes before its start, a missing end marker."""

import zlib

import simplejpeg

from pipelines.errors import Rejected
from pipelines.images import formats, jpeg_markers, memory, png
from pipelines.images.reading import AS_IT_IS, Reading

_GZIP = b"\x1f\x8b\x08"
_MOST_INFLATED, _MOST_RATIO = 1 << 30, 100
_LEAST_INFLATED = 1 << 24
_STARTS = (b"\xff\xd8\xff", png.SIGNATURE)
_MOST_BEFORE, _MOST_BEHIND, _FEW = 4096, 1 << 16, 1024
_ICONS = (b"\0\0\1\0", b"\0\0\2\0", b"icns")  # whose first picture is often the smallest
_OTHERS = (
    *(b"FUJIFILM", b"ID3", b"%PDF", b"%!PS", b"RIFF", b"PK", b"FOVb", b"\0MRM", b"GIF8", b"BM", b"II", b"MM", b"8BPS"),
    *_ICONS,
)
_END = b"\xff\xd9"


def unwrapped(data: bytes, reading: Reading = AS_IT_IS) -> tuple[bytes, list[str]]:
    """Return the photo in a file, and warnings: ``gzipped``, ``leading_bytes``, ``no_end_marker``, ``truncated``.

    Args:
        data: the file.
        reading: whether a JPEG that is cut short gets an end, so that libjpeg makes the rest grey.

    Returns:
        the same bytes if there is nothing around them that matters.

    Raises:
        Rejected: ``too_large`` if gzip hides more than 100 times its bytes; ``unreadable`` if it is broken.
    """
    warnings = []
    if data.startswith(_GZIP):
        data = _inflated(data)
        warnings.append("gzipped")
    if start := _start(data):
        data = data[start:]
        warnings.append("leading_bytes")
    if data.startswith(b"\xff\xd8") and not data.endswith(_END) and not jpeg_markers.has_end(data):
        whole = data.rstrip(b"\xff") + _END
        if _has_all_rows(whole):
            data = whole
            warnings.append("no_end_marker")
        elif reading.truncated == "keep" and jpeg_markers.has_scan(data):
            data = whole
            warnings.append("truncated")
    elif data.startswith(png.SIGNATURE) and b"IEND" not in data[-_MOST_BEHIND:]:
        warnings.append("no_end_marker")
    return data, warnings


def _inflated(data: bytes) -> bytes:
    most = min(_MOST_INFLATED, max(_LEAST_INFLATED, _MOST_RATIO * len(data)))
    inflater = zlib.decompressobj(wbits=31)
    try:
        found = inflater.decompress(data, most)
    except zlib.error as error:
        raise Rejected("unreadable", f"the gzip around it is damaged ({error})") from error
    if inflater.unconsumed_tail:
        raise Rejected("too_large", f"gzip of {len(data):,} bytes with more than {most:,} inside")
    if not inflater.eof:
        raise Rejected("unreadable", "the gzip around it is cut short")
    return found


def _start(data: bytes) -> int:
    """Return where a JPEG or PNG starts behind a few other bytes; 0 if it starts at once, or is only a part of a file.

    Raw files, music and documents have previews and covers too: nothing but the picture may follow.
    """
    if data.startswith(2 * _STARTS[0][:2]):
        return 2
    head = data[: _MOST_BEFORE + len(png.SIGNATURE)]
    for signature in _STARTS:
        start = head.find(signature)
        if 0 < start <= _MOST_BEFORE and _may_be_left_out(head[:start]):
            end = data.rfind(_END if signature == _STARTS[0] else b"IEND")
            return start if end > start and len(data) - end <= _MOST_BEHIND else 0
    return 0


def _may_be_left_out(before: bytes) -> bool:
    """Return whether bytes are few, or blanks and lines of text such as HTTP's headers, and start no known format."""
    is_text = all(byte in b"\t\n\r\xef\xbb\xbf\0" or 32 <= byte < 127 for byte in before)
    is_known = before.startswith(_OTHERS) or before[4:8] == b"ftyp" or bool(formats.not_read(before))
    return (is_text or len(before) <= _FEW) and not is_known


def _has_all_rows(data: bytes) -> bool:
    """Return whether a JPEG decodes without as much as a warning, and no scan of a progressive one is missing."""
    coding = jpeg_markers.coding(data)
    if coding is None or not jpeg_markers.has_all_scans(data):
        return False
    colours = {1: "GRAY", 3: "RGB", 4: "CMYK"}.get(coding.samples)
    if colours is None:
        return False
    with memory.suppressed(ValueError):
        simplejpeg.decode_jpeg(data, colours)
        return True
    return False
