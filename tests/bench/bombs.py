"""Small files that are costly to read: each is valid, or nearly so, and asks for as much memory or time as it can.

The functions take sizes, so that tests make the same files smaller. `ALL` has the full ones, each under 1 MB.
"""

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from PIL import Image

_BLOCK = 1 << 20
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def deflated(part: bytes, times: int) -> bytes:
    """A zlib stream of a part that comes again and again."""
    packer = zlib.compressobj(9)
    at_once = max(1, min(times, _BLOCK // len(part)))
    parts = [packer.compress(part * min(at_once, times - done)) for done in range(0, times, at_once)]
    return b"".join([*parts, packer.flush()])


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, bits: int = 8, kind: int = GREY, *, value: int = 0, extra: bytes = b"") -> bytes:
    """A PNG of one colour; ``extra`` chunks come after its header."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    row = b"\0" + bytes([value]) * -(-width * bits * _SAMPLES[kind] // 8)
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if kind == PALETTE else b""
    data = chunk(b"IDAT", deflated(row, height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + palette + data + chunk(b"IEND", b"")


def text_chunk(keyword: bytes, text: bytes, *, compressed: bool = True) -> bytes:
    """An iTXt chunk."""
    return chunk(b"iTXt", keyword + (b"\0\1\0\0\0" + zlib.compress(text, 9) if compressed else b"\0\0\0\0\0" + text))


def xmp_of_many(elements: int) -> bytes:
    """An XMP packet of many elements."""
    return XMP.format("<dc:subject/>" * elements).encode()


def xmp_of_depth(levels: int) -> bytes:
    """An XMP packet whose elements lie in each other."""
    return XMP.format("<dc:subject>" * levels + "</dc:subject>" * levels).encode()


Entry = tuple[int, int, int, int]  # tag, type, count, value or offset


def directory(entries: Iterable[Entry], following: int = 0) -> bytes:
    """A TIFF directory, little endian."""
    entries = sorted(entries)
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + table + struct.pack("<I", following)


def plain_entries(side: int, at: int) -> list[Entry]:
    """A grey picture of 8 bits, stored at this place."""
    values = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: at, 277: 1, 278: side, 279: side * side}
    return [(tag, 4, 1, value) for tag, value in values.items()]


def overlapping_tags(tags: int, size: int, side: int = 64) -> bytes:
    """A TIFF whose private tags all have the whole file for their value."""
    entries = plain_entries(side, 8) + [(50000 + index, 7, size - 8, 8) for index in range(tags)]
    start = 8 + side * side
    body = bytes(side * side) + directory(entries)
    noise = np.random.default_rng(0).integers(0, 256, max(0, size - 8 - len(body)), np.uint8).tobytes()
    return b"II*\0" + struct.pack("<I", start) + body + noise


def overlapping_exif(tags: int, size: int) -> bytes:
    """An EXIF block whose tags all have nearly all of it for their value."""
    entries = [(50000 + index, 7, size - 8, 8) for index in range(tags)]
    return (b"II*\0" + struct.pack("<I", 8) + directory(entries)).ljust(size, b"\x55")


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(side: int = 64, *, segments: bytes = b"", mode: str = "RGB", **options: object) -> bytes:
    """A small JPEG with more segments after its start."""
    buffer = io.BytesIO()
    Image.new(mode, (side, side), "gray" if mode != "CMYK" else (10, 20, 30, 40)).save(buffer, "JPEG", **options)
    data = buffer.getvalue()
    return data[:2] + segments + data[2:]


def progressive(width: int, height: int, scans: int) -> bytes:
    """A progressive grey JPEG whose last scan, which refines nothing, comes again and again."""
    blocks = -(-width // 8) * -(-height // 8)
    table = segment(0xDB, b"\0" + bytes([16]) * 64)
    frame = segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    # One DC code, of category 0; AC codes are the end-of-band runs 0x00 to 0xE0, four bits each.
    dc = segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")
    ac = segment(0xC4, b"\x10" + bytes([0, 0, 0, 15] + [0] * 12) + bytes(range(0, 0xF0, 16)))
    first = segment(0xDA, b"\1\1\0\0\0\0") + _stuffed("0" * blocks)
    run = "1110" + "1" * 14  # 2**14 + 16383 blocks
    bits = run * (blocks // 32767) + "".join(_run_of(blocks % 32767))
    again = segment(0xDA, b"\1\1\0\1\x3f\1") + _stuffed(bits)
    refined = segment(0xDA, b"\1\1\0\1\x3f\x10") + _stuffed(bits)
    del again
    opening = segment(0xDA, b"\1\1\0\1\x3f\1") + _stuffed(bits)
    return b"\xff\xd8" + table + frame + dc + ac + first + opening + refined * scans + b"\xff\xd9"


def _run_of(blocks: int) -> Iterable[str]:
    while blocks:
        power = blocks.bit_length() - 1
        yield f"{power:04b}" + (f"{blocks - (1 << power):0{power}b}" if power else "")
        return


def _stuffed(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0") if bits else b""
