"""What the markers of a JPEG say before it is decoded (ITU-T T.81, annex B): its size, and the number of its scans.

A progressive JPEG may go over the picture thousands of times. A scan that changes nothing takes 200 bytes, and as much
time as any other: 490 kB took 112 seconds.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_START = b"\xff\xd8"
# In the data of a scan 0xFF is followed by 0, or by the number of a restart.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_SEQUENTIAL = (0xC0, 0xC1)  # Huffman-coded, each scan of which takes 6 bits a block
_JPEG_LS = 0xF7
_FRAMES = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {_JPEG_LS}
_LOSSLESS, _PROGRESSIVE = 0xC3, 0xC2
_APPLICATIONS, _COMMENT, _ADOBE, _ADOBE_SIZE = range(0xE0, 0xF0), 0xFE, 0xEE, 14
_USUAL = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive: with 8 bits, what Pillow reads


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How the first picture of a JPEG is coded.

    Attributes:
        frame: the marker of its frame, 0xC0 to 0xCF; or 0xF7.
        bits: of a sample.
        size: width and height.
        samples: of a pixel.
    """

    frame: int
    bits: int
    size: tuple[int, int]
    samples: int

    @property
    def is_jpeg_ls(self) -> bool:
        """Whether it is a JPEG-LS."""
        return self.frame == _JPEG_LS

    @property
    def is_lossless(self) -> bool:
        """Whether it is a lossless JPEG of the first standard."""
        return self.frame == _LOSSLESS

    @property
    def is_usual(self) -> bool:
        """Whether it is one of the kinds that all programs read, or one that none reads."""
        return not self.is_jpeg_ls and not self.is_lossless and (self.bits == 8 or self.frame not in _USUAL)

    @property
    def name(self) -> str:
        """What it is called."""
        if self.is_jpeg_ls:
            return "JPEG-LS"
        return f"{'lossless JPEG' if self.is_lossless else 'JPEG'} of {self.bits} bits"


def coding(data: bytes) -> Coding | None:
    """Return how the first picture of a JPEG is coded; None if this cannot be found."""
    for marker, content in _markers(data):
        if marker in _FRAMES:
            _, bits, height, width, samples = struct.unpack_from(">HBHHB", data.ljust(content + 8, b"\0"), content)
            return Coding(frame=marker, bits=bits, size=(width, height), samples=samples)
    return None


def has_end(data: bytes) -> bool:
    """Return whether the first picture of a JPEG has its end marker; a file that is cut short has none."""
    position = len(_START)
    for _, content in _markers(data):
        position = content + max(2, int.from_bytes(data[content : content + 2], "big"))
    match = _MARKER.search(data, position)
    return match is not None and match[1][0] == _END_OF_IMAGE


def has_scan(data: bytes) -> bool:
    """Return whether there are any data of the picture of a JPEG."""
    return any(marker == _START_OF_SCAN for marker, _ in _markers(data))


def has_all_scans(data: bytes) -> bool:
    """Return whether the scans of a JPEG send every coefficient of every channel to its last bit."""
    left: dict[int, set[int]] = {}
    progressive = False
    for marker, content in _markers(data):
        body = data[content + 2 : content + int.from_bytes(data[content : content + 2], "big")]
        if marker in _FRAMES and len(body) > 5:
            progressive = marker == _PROGRESSIVE
            left = {channel: set(range(64)) for channel in body[6::3][: body[5]]}
        elif marker == _START_OF_SCAN and body:
            count = body[0]
            first, last, bits = (*body[1 + 2 * count :], 0, 0, 0)[:3]
            sent = set(range(first, last + 1)) if progressive else set(range(64))
            if not progressive or bits & 0x0F == 0:
                for channel in body[1 : 1 + 2 * count : 2]:
                    left.get(channel, set()).difference_update(sent)
    return bool(left) and not any(left.values())


def with_metadata(data: bytes, other: bytes) -> bytes:
    """Return a JPEG with the segments of metadata of another."""
    told = []
    for marker, content in _markers(other):
        if marker in _APPLICATIONS or marker == _COMMENT:
            told.append(other[content - 2 : content + int.from_bytes(other[content : content + 2], "big")])
        if marker == _START_OF_SCAN:
            break
    own = bare(data) or data
    return own[:2] + b"".join(told) + own[2:]


def bare(data: bytes) -> bytes | None:
    """Return a JPEG without metadata, but for Adobe's segment, which tells the colours; None if it has none."""
    kept, start = [], 0
    for marker, content in _markers(data):
        end = content + max(2, int.from_bytes(data[content : content + 2], "big"))
        is_adobe = marker == _ADOBE and data[content + 2 : content + 7] == b"Adobe" and end - content >= _ADOBE_SIZE
        if (marker in _APPLICATIONS or marker == _COMMENT) and not is_adobe:
            kept.append(data[start : content - 2])
            start = end
        if marker == _START_OF_SCAN:
            break
    return b"".join([*kept, data[start:]]) if kept else None


def size(data: bytes) -> tuple[int, int]:
    """Return width and height of the first picture of a JPEG; (0, 0) if they cannot be found."""
    for marker, content in _markers(data):
        if marker in _FRAMES:
            _, _, height, width = struct.unpack_from(">HBHH", data.ljust(content + 7, b"\0"), content)
            return width, height
    return 0, 0


def scans(data: bytes) -> int:
    """Return the number of scans of the first picture of a JPEG; 1 if it is sequential, or not a JPEG."""
    found = 0
    for marker, _ in _markers(data):
        if marker in _SEQUENTIAL:
            return 1
        found += marker == _START_OF_SCAN
    return max(1, found)


def _markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the markers of the first picture, and where what belongs to each starts, as far as they can be followed."""
    if not data.startswith(_START):
        return
    position = len(_START)
    while match := _MARKER.search(data, position):
        marker = match[1][0]
        if marker == _END_OF_IMAGE:
            return
        yield marker, match.end()
        position = match.end() + max(2, int.from_bytes(data[match.end() : match.end() + 2], "big"))
