"""TIFF directories and files that are small and costly to read; EXIF blocks are such directories too."""

import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

_BLOCK = 1 << 20


Entry = tuple[int, int, int, int]  # tag, type, count, value or offset


def deflated(part: bytes, times: int) -> bytes:
    """A zlib stream of a part that comes again and again."""
    packer = zlib.compressobj(9)
    at_once = max(1, min(times, _BLOCK // len(part)))
    parts = [packer.compress(part * min(at_once, times - done)) for done in range(0, times, at_once)]
    return b"".join([*parts, packer.flush()])


def directory(entries: Iterable[Entry], following: int = 0) -> bytes:
    """A TIFF directory, little endian."""
    entries = sorted(entries)
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + table + struct.pack("<I", following)


def plain_entries(side: int, at: int) -> list[Entry]:
    """A grey picture of 8 bits, stored at this place."""
    values = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: at, 277: 1, 278: side, 279: side * side}
    return [(tag, 4, 1, value) for tag, value in values.items()]


def tiff(
    width: int,
    height: int,
    samples: int = 3,
    bits: int = 8,
    *,
    photometric: int = 2,
    extra: int | None = None,
    sample_format: int = 1,
    planes: bool = False,
    compression: int = 8,
    pages: int = 1,
    rows: int = 64,
) -> bytes:
    """A TIFF all of whose strips, on all of its pages, are the same few bytes; one strip, if ``rows`` are all."""
    rows = next(some for some in range(min(rows, height), 0, -1) if height % some == 0)
    row = -(-width * bits * (1 if planes else samples) // 8)
    strip = deflated(bytes([0x3E]) * row, rows) if compression == 8 else bytes(row * rows)
    count = -(-height // rows) * (samples if planes else 1)
    start = 8 + len(strip) + len(strip) % 2
    values = b"".join(struct.pack(f"<{count}I", *[value] * count) for value in (8, len(strip)))
    words = struct.pack(f"<{samples}H", *[bits] * samples) + struct.pack(f"<{samples}H", *[sample_format] * samples)
    lists = start + len(values)
    tables = lists + len(words)
    entries = [(256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, compression), (262, 3, 1, photometric)]
    entries += [(277, 3, 1, samples), (278, 4, 1, rows), (284, 3, 1, 2 if planes else 1)]
    entries += [
        (273, 4, count, start if count > 1 else 8),
        (279, 4, count, start + 4 * count if count > 1 else len(strip)),
    ]
    few = samples < 3
    entries += [(258, 3, samples, int.from_bytes(words[: 2 * samples], "little") if few else lists)]
    entries += [(339, 3, samples, int.from_bytes(words[2 * samples :], "little") if few else lists + 2 * samples)]
    entries += [] if extra is None else [(338, 3, 1, extra)]
    size = len(directory(entries))
    size += size % 2
    chain = b"".join(
        directory(entries, tables + (page + 1) * size if page < pages - 1 else 0).ljust(size, b"\0")
        for page in range(pages)
    )
    return b"II*\0" + struct.pack("<I", tables) + strip.ljust(start - 8, b"\0") + values + words + chain


def overlapping_tags(tags: int, size: int, side: int = 64) -> bytes:
    """A TIFF whose private tags all have the whole file for their value."""
    entries = plain_entries(side, 8) + [(50_000 + index, 7, size - 8, 8) for index in range(tags)]
    start = 8 + side * side
    body = bytes(side * side) + directory(entries)
    noise = np.random.default_rng(0).integers(0, 256, max(0, size - 8 - len(body)), np.uint8).tobytes()
    return b"II*\0" + struct.pack("<I", start) + body + noise


def pages_that_share(pages: int, size: int) -> bytes:
    """A TIFF of tiny pages whose directories all name the same value, of this size."""
    start, table = 16, 2 + 12 * 10 + 4
    chain = b""
    for index in range(pages):
        following = start + (index + 1) * table if index < pages - 1 else 0
        chain += directory([*plain_entries(2, 8), (50_000, 7, size, start + pages * table)], following)
    return b"II*\0" + struct.pack("<I", start) + bytes(8) + chain + bytes(size)


def empty_pages(pages: int) -> bytes:
    """A TIFF of directories without entries."""
    return b"II*\0" + struct.pack("<I", 8) + b"".join(struct.pack("<HI", 0, 14 + 6 * index) for index in range(pages))


def overlapping_exif(tags: int, size: int) -> bytes:
    """An EXIF block whose tags all have nearly all of it for their value."""
    first = min(50_000, 65_536 - tags)
    entries = [(first + index, 7, size - 8, 8) for index in range(tags)]
    return (b"II*\0" + struct.pack("<I", 8) + directory(entries)).ljust(size, b"\x55")


def noisy_pages(pages: int, side: int) -> bytes:
    """A TIFF whose pages are noise, of rows that are all the same."""
    noise = np.random.default_rng(0).integers(0, 256, 4 * side, np.uint8).tobytes()
    data = bytearray(tiff(side, side, 1, photometric=1, compression=1, pages=pages, rows=4))
    data[8 : 8 + len(noise)] = noise
    return bytes(data)


def parts(data: bytes) -> Sequence[bytes]:
    """An EXIF block in pieces, each as long as a JPEG segment may be."""
    return [data[start : start + 65_000] for start in range(0, len(data), 65_000)]
