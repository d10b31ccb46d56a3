"""Small files that are costly to read: each is valid, or nearly so, and asks for as much memory or time as it can.

`PICTURES` make pictures of one colour at any size, so that tests can have the same files smaller; `OTHERS` are costly
for what they say, not for what they show. `ALL` are the files of `bombs_bench`, each under a megabyte.
"""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from bomb_profiles import profile_of_elements
from bomb_tiffs import (
    deflated,
    empty_pages,
    noisy_pages,
    overlapping_exif,
    overlapping_tags,
    pages_that_share,
    parts,
    tiff,
)
from bomb_xmp import xmp_of_depth, xmp_of_many
from PIL import Image

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, bits: int = 8, kind: int = GREY, *, value: int = 250, extra: bytes = b"") -> bytes:
    """A PNG of one colour; ``extra`` chunks come before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    row = b"\0" + bytes([value]) * -(-width * bits * _SAMPLES[kind] // 8)
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if kind == PALETTE else b""
    data = chunk(b"IDAT", deflated(row, height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + extra + data + chunk(b"IEND", b"")


def interlaced_png(width: int, height: int, bits: int = 8, kind: int = RGB) -> bytes:
    """A PNG of one colour in the seven passes of Adam7."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    size = 0
    for left, top, across, down in passes:
        columns, rows = -(-max(0, width - left) // across), -(-max(0, height - top) // down)
        size += rows * (1 + -(-columns * bits * _SAMPLES[kind] // 8)) if columns else 0
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 1)
    data = chunk(b"IDAT", deflated(b"\0", size))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def text_chunk(keyword: bytes, text: bytes, *, compressed: bool = True) -> bytes:
    """An iTXt chunk."""
    return chunk(b"iTXt", keyword + (b"\0\1\0\0\0" + zlib.compress(text, 9) if compressed else b"\0\0\0\0\0" + text))


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(*segments: bytes, side: int = 64) -> bytes:
    """A small JPEG with more segments after its start."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "gray").save(buffer, "JPEG")
    data = buffer.getvalue()
    return data[:2] + b"".join(segments) + data[2:]


def progressive(width: int, height: int, components: int = 1, scans: int = 0) -> bytes:
    """A progressive JPEG of one grey: an empty scan of DC, then scans of AC which refine nothing, again and again."""
    blocks = -(-width // 8) * -(-height // 8)
    table = segment(0xDB, b"\0" + bytes([16]) * 64)
    ids = range(1, components + 1)
    listed = b"".join(bytes([one, 0x11, 0]) for one in ids)
    frame = segment(0xC2, struct.pack(">BHHB", 8, height, width, components) + listed)
    # DC: category 0 in one bit. AC: runs of 2**n blocks without coefficients, n of 0 to 14, in four bits.
    dc = segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")
    ac = segment(0xC4, b"\x10" + bytes([0, 0, 0, 15] + [0] * 12) + bytes(range(0, 0xF0, 16)))
    opening = segment(0xDA, bytes([components]) + b"".join(bytes([one, 0]) for one in ids) + b"\0\0\0")
    first = opening + _stuffed(b"\0" * -(-blocks * components // 8))
    run = "1110" + "1" * 14  # 2**14 and 2**14 - 1 more
    bits = run * (blocks // 32767) + _run_of(blocks % 32767)
    bits += "1" * (-len(bits) % 8)
    empty = _stuffed(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    approximate, refined = (segment(0xDA, b"\1\1\0\1\x3f" + bytes([low])) + empty for low in (1, 0x10))
    body = (approximate + refined * (scans - 1)) if scans else b""
    return b"\xff\xd8" + table + frame + dc + ac + first + body + b"\xff\xd9"


def _run_of(blocks: int) -> str:
    if not blocks:
        return ""
    power = blocks.bit_length() - 1
    return f"{power:04b}" + (f"{blocks - (1 << power):0{power}b}" if power else "")


def _stuffed(data: bytes) -> bytes:
    return data.replace(b"\xff", b"\xff\0")


def gif(width: int, height: int) -> bytes:
    """A GIF of one colour."""
    return _saved(Image.new("P", (width, height)), "GIF")


def webp(width: int, height: int, mode: str = "RGB") -> bytes:
    """A lossless WebP of one colour."""
    return _saved(Image.new(mode, (width, height), (250, 250, 250, 128)[: len(mode)]), "WEBP", lossless=True, method=0)


def avif(width: int, height: int, mode: str = "RGB") -> bytes:
    """An AVIF of one colour."""
    colour = (250, 250, 250, 128)[: len(mode)]
    return _saved(Image.new(mode, (width, height), colour), "AVIF", speed=10, subsampling="4:4:4")


def _saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def jpeg2000(width: int, height: int, components: int = 3, bits: int = 8, side: int = 512) -> bytes:
    """A codestream of JPEG 2000 whose tiles are all the same."""
    values = np.full((side, side, components), 1 << (bits - 1), np.uint8 if bits <= 8 else np.uint16)
    tile = imagecodecs.jpeg2k_encode(values.squeeze(), level=0, codecformat="j2k", bitspersample=bits, mct=False)
    start = tile.index(b"\xff\x90")
    size = int.from_bytes(tile[start + 6 : start + 10], "big")
    header, part = bytearray(tile[:start]), tile[start : start + size]
    sizes = header.index(b"\xff\x51") + 6
    struct.pack_into(">8I", header, sizes, width, height, 0, 0, side, side, 0, 0)
    count = -(-width // side) * -(-height // side)
    parts = (part[:4] + struct.pack(">H", index) + part[6:] for index in range(count))
    return bytes(header) + b"".join(parts) + b"\xff\xd9"


def bmp(width: int, height: int) -> bytes:
    """A bitmap of 8 bits in run lengths."""
    row = b"\xff\0" * (width // 255) + (bytes([width % 255, 0]) if width % 255 else b"") + b"\0\0"
    body = row * height + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 2835, 2835, 256, 0)
    start = 14 + len(head) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + bytes(range(256)) * 4 + body


def sgi(width: int, height: int, channels: int = 4) -> bytes:
    """An SGI picture in run lengths, all of whose rows are the same bytes."""
    row = bytes([127, 0xFA]) * (width // 127) + (bytes([width % 127, 0xFA]) if width % 127 else b"") + b"\0"
    head = struct.pack(">hBBHHHHII", 474, 1, 1, 3, width, height, channels, 0, 255).ljust(512, b"\0")
    count = height * channels
    tables = struct.pack(f">{count}I", *[512 + 8 * count] * count) + struct.pack(f">{count}I", *[len(row)] * count)
    return head + tables + row


def psd(width: int, height: int, channels: int = 3) -> bytes:
    """A Photoshop file, its merged picture in run lengths."""
    rest = width % 128
    # A run of one is a literal, see PackBits.
    row = bytes([0x81, 0xFA]) * (width // 128) + (bytes([257 - rest if rest > 1 else 0, 0xFA]) if rest else b"")
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, channels, height, width, 8, 3) + bytes(12)
    return head + struct.pack(">H", 1) + struct.pack(">H", len(row)) * (height * channels) + row * (height * channels)


def tga(width: int, height: int) -> bytes:
    """A Targa of RGB with alpha in run lengths."""
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, width, height, 32, 8)
    colour = b"\xfa\xfa\xfa\x80"
    row = (b"\xff" + colour) * (width // 128) + (bytes([0x7F + width % 128]) + colour if width % 128 else b"")
    return head + row * height


def pcx(width: int, height: int) -> bytes:
    """A PCX of one channel."""
    row = bytes([0xFF, 0xFA]) * (width // 63) + (bytes([0xC0 + width % 63, 0xFA]) if width % 63 else b"")
    head = struct.pack("<BBBBHHHHHH", 10, 5, 1, 8, 0, 0, width - 1, height - 1, 72, 72) + bytes(48)
    head += struct.pack("<BBHH", 0, 1, width, 1) + bytes(58)
    return head + row * height + b"\x0c" + bytes(range(256)) * 3


def icns(width: int, height: int) -> bytes:
    """An icon of 1024 pixels whose PNG is larger than that."""
    inner = png(width, height, kind=RGBA)
    return b"icns" + struct.pack(">I", 16 + len(inner)) + b"ic10" + struct.pack(">I", 8 + len(inner)) + inner


def ico(width: int, height: int) -> bytes:
    """An icon of 256 pixels whose PNG is larger than that."""
    inner = png(width, height, kind=RGBA)
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


Picture = Callable[[int, int], bytes]
PICTURES: dict[str, Picture] = {
    "png grey": partial(png),
    "png 1 bit": partial(png, bits=1, value=0),
    "png palette": partial(png, kind=PALETTE),
    "png palette alpha": partial(png, kind=PALETTE, extra=chunk(b"tRNS", bytes(range(256)))),
    "png grey alpha": partial(png, kind=GREY_ALPHA),
    "png rgb": partial(png, kind=RGB),
    "png rgba": partial(png, kind=RGBA),
    "png 16 grey": partial(png, bits=16),
    "png 16 grey alpha": partial(png, bits=16, kind=GREY_ALPHA),
    "png 16 rgb": partial(png, bits=16, kind=RGB),
    "png 16 rgba": partial(png, bits=16, kind=RGBA),
    "png interlaced": interlaced_png,
    "png 16 interlaced": partial(interlaced_png, bits=16, kind=RGBA),
    "tiff grey": partial(tiff, samples=1, photometric=1),
    "tiff rgb": partial(tiff),
    "tiff rgba": partial(tiff, samples=4, extra=2),
    "tiff cmyk": partial(tiff, samples=4, photometric=5),
    "tiff lab": partial(tiff, photometric=8),
    "tiff planes": partial(tiff, planes=True),
    "tiff 16 grey": partial(tiff, samples=1, bits=16, photometric=1),
    "tiff 16 rgb": partial(tiff, bits=16),
    "tiff 16 rgba": partial(tiff, samples=4, bits=16, extra=2),
    "tiff 16 planes": partial(tiff, bits=16, planes=True),
    "tiff 16 grey alpha": partial(tiff, samples=2, bits=16, photometric=1, extra=2),
    "tiff 16 lab": partial(tiff, bits=16, photometric=8),
    "tiff 12 rgb": partial(tiff, bits=12),
    "tiff 32 grey": partial(tiff, samples=1, bits=32, photometric=1),
    "tiff float32 grey": partial(tiff, samples=1, bits=32, photometric=1, sample_format=3),
    "tiff float32 rgb": partial(tiff, bits=32, sample_format=3),
    "tiff float64 rgb": partial(tiff, bits=64, sample_format=3),
    "tiff float64 of 16": partial(tiff, samples=16, bits=64, sample_format=3),
    "jpeg progressive grey": progressive,
    "jpeg progressive rgb": partial(progressive, components=3),
    "jpeg progressive cmyk": partial(progressive, components=4),
    "gif": gif,
    "webp": webp,
    "webp alpha": partial(webp, mode="RGBA"),
    "avif": avif,
    "avif alpha": partial(avif, mode="RGBA"),
    "jpeg 2000": jpeg2000,
    "jpeg 2000 grey": partial(jpeg2000, components=1),
    "jpeg 2000 16": partial(jpeg2000, bits=16),
    "bmp": bmp,
    "sgi": sgi,
    "psd": psd,
    "tga": tga,
    "pcx": pcx,
}
_EXIF = segment(0xE1, b"Exif\0\0" + overlapping_exif(5400, 65_000))
_ICC = profile_of_elements(20_000, 27_000)
OTHERS: dict[str, Callable[[], bytes]] = {
    "1 x 1,000,000": partial(png, 1, 1_000_000),
    "1,000,000 x 1": partial(png, 1_000_000, 1),
    "1,000,000 x 89": partial(png, 1_000_000, 89),
    "89 x 1,000,000": partial(png, 89, 1_000_000),
    "1 x 80,000,000": partial(png, 1, 80_000_000),
    "tiff overlapping tags": partial(overlapping_tags, 2500, 400_000),
    "tiff pages share a value": partial(pages_that_share, 500, 900_000),
    "tiff empty pages": partial(empty_pages, 160_000),
    "tiff pages share a strip": partial(tiff, 64, 64, 1, photometric=1, pages=6000),
    "tiff large pages": partial(tiff, 4000, 4000, 1, photometric=1, pages=100, rows=4000),
    "tiff pages of noise": lambda: noisy_pages(8, 3600),
    "jpeg exif": lambda: jpeg(_EXIF),
    "jpeg much exif": lambda: jpeg(
        *(segment(0xE1, b"Exif\0\0" + part) for part in parts(overlapping_exif(60_000, 950_000)))
    ),
    "jpeg tiny segments": lambda: jpeg(segment(0xEF, b"") * 245_000),
    "jpeg tiny resources": lambda: jpeg(*[segment(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5000)] * 15),
    "jpeg scans": partial(progressive, 9400, 9400, scans=2000),
    "jpeg scans rgb": partial(progressive, 9400, 9400, components=3, scans=2000),
    "png xmp elements": lambda: png(64, 64, extra=text_chunk(b"XML:com.adobe.xmp", xmp_of_many(200_000))),
    "png xmp depth": lambda: png(64, 64, extra=text_chunk(b"XML:com.adobe.xmp", xmp_of_depth(100_000))),
    "png xmp 49,000": lambda: png(64, 64, extra=text_chunk(b"XML:com.adobe.xmp", xmp_of_many(49_000))),
    "png texts": lambda: png(64, 64, extra=text_chunk(b"Comment", bytes(1_000_000)) * 900),
    "png large text": lambda: png(64, 64, extra=text_chunk(b"Comment", bytes(900_000_000))),
    "png tiny texts": lambda: png(64, 64, extra=chunk(b"tEXt", b"a\0b") * 65_000),
    "png exif": lambda: png(64, 64, extra=chunk(b"eXIf", overlapping_exif(60_000, 990_000))),
    "png large profile": lambda: png(64, 64, kind=RGB, extra=chunk(b"iCCP", b"p\0\0" + deflated(bytes(1000), 900_000))),
    "png profiles": lambda: png(64, 64, kind=RGB, extra=chunk(b"iCCP", b"p\0\0" + deflated(bytes(1000), 1000)) * 900),
    "png profile of tables": lambda: png(64, 64, kind=RGB, extra=chunk(b"iCCP", b"p\0\0" + zlib.compress(_ICC, 9))),
    "png 16 profile of tables": lambda: png(64, 64, 16, RGB, extra=chunk(b"iCCP", b"p\0\0" + zlib.compress(_ICC, 9))),
    "icns": partial(icns, 13_300, 13_400),
    "ico": partial(ico, 13_300, 13_400),
    "gif comments": lambda: commented_gif(160_000),
}


def commented_gif(comments: int) -> bytes:
    """A GIF with many comments of one letter."""
    data = gif(8, 8)
    start = data.index(b"!\xf9") if b"!\xf9" in data else data.index(b",\0\0\0\0")
    return data[:start] + b"!\xfe\1a\0" * comments + data[start:]
