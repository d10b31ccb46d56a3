"""The records of IPTC's Information Interchange Model (IIM 4.2): captions and credits in JPEG and TIFF files."""

import struct
from collections.abc import Iterator

_MARK = 0x1C
_UTF8 = b"\x1b%G"
_CHARACTER_SET = (1, 90)


def records(iptc: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield record, data set and value of each entry, up to the first that is damaged."""
    for record, number, start, end in _places(iptc):
        yield record, number, iptc[start:end]


def trimmed(iptc: bytes) -> bytes:
    """Return the records without the zeros that TIFF pads them with."""
    end = max((end for *_, end in _places(iptc)), default=0)
    return iptc[:end] if end and not iptc[end:].strip(b"\0") else iptc


def texts(iptc: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield record, data set and value of each entry as text: UTF-8 if the records say so or it is, else Latin-1."""
    says_utf8 = any((record, number) == _CHARACTER_SET and value == _UTF8 for record, number, value in records(iptc))
    for record, number, value in records(iptc):
        try:
            text = value.decode("utf-8", "replace" if says_utf8 else "strict")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        yield record, number, text.rstrip("\0")


def _places(iptc: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield record, data set, and where the value of each entry starts and ends."""
    position = 0
    while position + 5 <= len(iptc) and iptc[position] == _MARK:
        record, number, size = struct.unpack_from(">BBH", iptc, position + 1)
        start = position + 5
        if size & 0x8000:  # an extended data set: this many bytes hold the size
            width = size & 0x7FFF
            size = int.from_bytes(iptc[start : start + width], "big")
            start += width
        position = start + size
        if position > len(iptc):
            return
        yield record, number, start, position
