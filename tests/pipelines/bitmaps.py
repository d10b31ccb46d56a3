"""Windows bitmaps written by hand, in layouts that Pillow does not write."""

import struct

import numpy as np


def bitmap(
    bits: int,
    kind: int,
    size: tuple[int, int],
    body: bytes,
    palette: bytes = b"",
    masks: tuple[int, ...] = (),
    header_size: int = 40,
    rest: bytes = b"",
) -> bytes:
    """Make a file from what is stored of it; masks come behind the first 40 bytes of the header."""
    width, height = size
    fields = struct.pack("<IiiHHIIiiII", header_size, width, height, 1, bits, kind, len(body), 2835, 5670, 0, 0)
    head = fields + struct.pack(f"<{len(masks)}I", *masks) + rest
    head = head.ljust(header_size, b"\0") + palette
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(body), 0, 0, 14 + len(head)) + head + body


def rows(values: np.ndarray, bits: int) -> bytes:
    """Store whole bytes a pixel, the last row first, each row a multiple of 4 bytes."""
    stored = values[::-1].astype(f"<u{bits // 8}")
    return b"".join(row.tobytes() + bytes(-len(row.tobytes()) % 4) for row in stored)


def run_lengths(indices: np.ndarray, bits: int) -> bytes:
    """Compress palette indices: runs in even rows, pixels as they are in odd ones."""
    stored = b""
    for number, row in enumerate(indices[::-1].tolist()):
        if number % 2 and len(row) > 2:
            plain = (
                bytes(row) if bits == 8 else bytes(16 * a + b for a, b in zip(row[::2], [*row[1::2], 0], strict=False))
            )
            stored += bytes([0, len(row)]) + plain + bytes(len(plain) % 2)
        else:
            stored += b"".join(bytes([1, value if bits == 8 else value << 4]) for value in row)
        stored += b"\0\0"
    return stored + b"\0\1"
