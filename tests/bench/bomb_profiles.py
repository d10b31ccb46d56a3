"""ICC profiles that are small and costly to use."""

import struct


def profile_of_elements(count: int, nodes: int) -> bytes:
    """An ICC profile (version 4.3) whose D2B0 has many tables which are all the same bytes."""
    grid = round(nodes ** (1 / 3))
    table = struct.pack(">4s4xHH16s", b"clut", 3, 3, bytes([grid] * 3).ljust(16, b"\0"))
    table += struct.pack(f">{3 * grid**3}f", *[0.5] * (3 * grid**3))
    start = 16 + 8 * count
    element = struct.pack(">4s4xHHI", b"mpet", 3, 3, count) + struct.pack(">II", start, len(table)) * count + table
    return _profile({b"D2B0": element})


def _profile(tags: dict[bytes, bytes]) -> bytes:
    def text(value: str) -> bytes:
        coded = value.encode("utf-16-be")
        return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(coded), 28) + coded

    curve = struct.pack(">4s4xI", b"curv", 0)
    colours = {b"rXYZ": (28578, 14581, 912), b"gXYZ": (25252, 46989, 6361), b"bXYZ": (9382, 3972, 46797)}
    tags = {
        b"desc": text("bomb"),
        b"cprt": text("none"),
        b"wtpt": struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061),
        **{name: struct.pack(">4s4x3i", b"XYZ ", *values) for name, values in colours.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp").ljust(68, b"\0")
    return (head + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0") + table + body
