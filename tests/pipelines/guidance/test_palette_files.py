import struct
import zlib

import numpy as np
import pytest

from model.guidance.hints import chroma_of
from pipelines.guidance import palette_files

COLOURS = [(200, 30, 40), (32, 64, 160), (128, 128, 128)]


def exchange() -> bytes:
    """A group, the colours in RGB, and one in Lab."""
    blocks = [struct.pack(">HI", 0xC001, 2) + b"\0\0"]
    for space, values in [*((b"RGB ", [v / 255 for v in colour]) for colour in COLOURS), (b"LAB ", [0.5, 12.0, -7.0])]:
        body = struct.pack(">H", 2) + "a\0".encode("utf-16-be") + space + struct.pack(f">{len(values)}fH", *values, 0)
        blocks.append(struct.pack(">HI", 1, len(body)) + body)
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def photoshop(version: int) -> bytes:
    name = struct.pack(">I", 2) + "a\0".encode("utf-16-be") if version == 2 else b""
    told = [struct.pack(">5H", 0, *(257 * value for value in colour), 0) + name for colour in COLOURS]
    told.append(struct.pack(">2H2hH", 7, 5000, 1200, -700, 0) + name)
    return struct.pack(">2H", version, len(told)) + b"".join(told)


def png(side: int, data: bytes) -> bytes:
    """A picture that says that it is a square, with any data."""
    chunks = ((b"IHDR", struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


VAST, TORN = png(30_000, b""), png(9, b"Dear archive,")


def swatches(encoded) -> bytes:
    return encoded(np.repeat(np.array([COLOURS], np.uint8), 20, axis=1).repeat(20, axis=0), "PNG")


@pytest.mark.parametrize("kind", ["a.txt", "a.hex", "a.gpl", "a.ase", "a1.aco", "a2.aco", "a.png"])
def test_each_format_gives_its_colours(encoded, kind):
    data = {
        "a.txt": b"#C81E28, #2040a0\n#808080 // grey\n",
        "a.hex": b"c81e28\n2040a0\n808080\n",
        "a.gpl": b"\xef\xbb\xbfGIMP Palette\nName: uniforms\n# comment\n200 30 40\tred\n 32 64 160\n128 128 128 grey\n",
        "a.ase": exchange(),
        "a1.aco": photoshop(1),
        "a2.aco": photoshop(2),
        "a.png": swatches(encoded),
    }[kind]
    found = palette_files.read(kind, data)
    expected = {tuple(map(float, chroma_of(colour))) for colour in COLOURS}
    if kind.endswith(("ase", "aco")):
        expected.add((12.0, -7.0))
    assert set(found) == expected


def test_what_is_transparent_in_a_picture_is_not_a_colour_of_it(encoded, photos):
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[:, :10], rgba[:, 10:20] = [*COLOURS[0], 255], [*COLOURS[1], 255]
    expected = {tuple(map(float, chroma_of(colour))) for colour in COLOURS[:2]}
    assert set(palette_files.read("a.png", encoded(rgba, "PNG"))) == expected
    with pytest.raises(ValueError, match="it is transparent all over"):
        palette_files.read("a.png", encoded(rgba[:, 20:], "PNG"))
    photo = np.dstack([photos["coffee"], np.full(photos["coffee"].shape[:2], 255, np.uint8)])
    photo[:, :200] = [0, 255, 0, 0]
    green = chroma_of((0, 255, 0))
    found = palette_files.read("a.png", encoded(photo, "PNG"))
    assert 2 <= len(found) <= 6
    assert min(np.hypot(*(green - chroma)) for chroma in found) > 60


def test_a_photo_gives_its_main_colours(photos, encoded):
    found = palette_files.read("coffee.jpg", encoded(photos["coffee"], "JPEG"))
    assert 2 <= len(found) <= 6


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"#c81e28\nred\n", "line 2: a color must be #rrggbb, not 'red'"),
        ("a.txt", b"", "it has 0 colours"),
        ("a.gpl", b"200 30 40\n", "its first line is not GIMP Palette"),
        ("a.gpl", b"GIMP Palette\n200 30\n", "line 2: a colour has three numbers"),
        ("a.ase", b"ASEX", "it does not begin with ASEF"),
        ("a.ase", exchange()[:40], "it is cut short, or is not a palette of the kind .ase$"),
        ("a.ase", exchange()[:-14] + 14 * b"\x7f", "a colour has numbers out of range"),
        ("a.txt", b"\xff\xfe#\0c\0", "it is not text in UTF-8$"),
        ("a.aco", b"\0\3\0\1", "its version 3 is unknown"),
        ("a.aco", photoshop(2)[:20], "it is cut short, or is not a palette of the kind .aco$"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "it is not a picture, and its"),
        ("a.png", VAST, "it has more than 25 megapixels; make it smaller"),
        ("a.png", TORN, "it is a picture that cannot be read "),
        ("a.png", b"Dear archive,", "it is not a picture, and its ending is not one of .txt, .hex, .gpl, .ase, .aco$"),
    ],
)
def test_a_broken_palette_is_refused_with_what_is_wrong(name, data, message):
    with pytest.raises(ValueError, match=message):
        palette_files.read(name, data)
