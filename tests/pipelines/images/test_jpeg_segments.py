import struct

import numpy as np
from photo_files import file_of, said_of

from pipelines.images import jpeg_segments, pages
from pipelines.images.encode import encode

PIXELS = np.zeros((16, 16, 3), np.uint8)
RECORDS = b"\x1c\x02\x5a\0\4Bonn" + b"\x1c\x02\x19\0\4snow"
GUID = b"A" * 32


def with_segments(*segments: tuple[int, bytes]) -> bytes:
    data = file_of(PIXELS, "JPEG")
    added = (struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)
    return data[:2] + b"".join(added) + data[2:]


def test_iptc_that_goes_over_several_segments_is_whole():
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(RECORDS)) + RECORDS
    for cut in (9, 14, 20):
        parts = (b"Photoshop 3.0\0" + part for part in (block[:cut], block[cut:]))
        (page,) = pages.read(with_segments(*((0xED, part) for part in parts)))
        assert page.metadata.iptc == RECORDS


def test_records_of_several_blocks_are_put_together():
    blocks = [b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x09" + RECORDS[at : at + 9] + b"\0" for at in (0, 9)]
    (page,) = pages.read(with_segments(*((0xED, block) for block in blocks)))
    made = encode([(page.pixels, page.metadata)], "JPEG")
    assert said_of(made)["iptc"] == {"Iptc.Application2.City": "Bonn", "Iptc.Application2.Keywords": ["snow"]}


def test_all_comments_are_kept():
    (page,) = pages.read(with_segments((0xFE, b"in snow"), (0xFE, b"glass plate")))
    assert page.metadata.comment == b"in snow\nglass plate"


def test_segments_that_nothing_reads_are_named():
    (page,) = pages.read(with_segments((0xEB, b"JP\0\1 jumb"), (0xEC, b"[picture info]\0x"), (0xEE, b"Adobe\0d")))
    assert page.metadata.warnings == ("segments_dropped", "left out: APP11 JP, APP12 [picture info]")


def test_an_extension_comes_in_any_order_and_not_in_part():
    text = bytes(range(256)) * 600
    segments = [
        ("APP1", content.replace(jpeg_segments.guid_of(text).encode(), GUID))
        for content in jpeg_segments.extension_segments(text)
    ]
    assert len(segments) == 3
    assert jpeg_segments.extension(segments[::-1], GUID.lower()) == text
    assert jpeg_segments.extension(segments[:2], GUID) == jpeg_segments.extension(segments[1:], GUID) == b""
    assert jpeg_segments.extension(segments, b"B" * 32) == b""
