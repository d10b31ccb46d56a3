import struct

import numpy as np
import pytest
from photo_files import file_of, grey_profile, saying

from pipelines.images import jp2, pages

SMALL = np.zeros((8, 8, 3), np.uint8)
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def box(kind: bytes, content: bytes, *, is_long: bool = False) -> bytes:
    if is_long:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def test_what_exiv2_writes_is_found():
    data = saying(
        file_of(SMALL, "JPEG2000"),
        exif={"Exif.Image.Artist": "Grete"},
        iptc={"Iptc.Application2.City": "Bonn"},
        xmp={"Xmp.dc.format": "x"},
    )
    found = jp2.metadata(data)
    assert found["exif"][:4] in (b"II*\0", b"MM\0*")
    assert b"Grete" in found["exif"]
    assert b"Bonn" in found["iptc"]
    assert b"http://purl.org/dc/elements/1.1/" in found["xmp"]
    assert jp2.profile(data) == b""


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("method", [2, 3])
def test_the_profile_is_in_the_header(is_long, method):
    profile = grey_profile()
    colour = box(b"colr", bytes([1, 0, 0, 0, 0, 0, 16]))
    colour += box(b"colr", bytes([method, 0, 0]) + profile, is_long=is_long)
    assert jp2.profile(box(b"ftyp", b"jp2 ") + box(b"jp2h", colour, is_long=is_long)) == profile


def test_the_first_packet_counts():
    data = box(b"uuid", XMP + b"<a/>") + box(b"uuid", XMP + b"<b/>")
    assert jp2.metadata(data) == {"xmp": b"<a/>"}


def test_a_last_box_without_a_size_reaches_to_the_end():
    assert jp2.metadata(struct.pack(">I4s", 0, b"uuid") + XMP + b"<a/>") == {"xmp": b"<a/>"}


@pytest.mark.parametrize("size", [2, 7, 1 << 31, 0xFFFFFFFF])
def test_a_box_without_sense_ends_the_search(size):
    data = struct.pack(">I4s", size, b"uuid") + XMP + b"<a/>"
    assert jp2.metadata(data) == {}
    assert jp2.metadata(box(b"uuid", XMP + b"<a/>") + data) == {"xmp": b"<a/>"}


def test_a_bare_codestream_says_nothing():
    data = file_of(SMALL, "JPEG2000", no_jp2=True)
    assert data.startswith(b"\xff\x4f\xff\x51")
    assert jp2.metadata(data) == {}
    assert jp2.profile(data) == b""


def test_the_resolution_at_which_it_was_captured_goes_before_the_one_to_display_it_with():
    captured, displayed = (
        struct.pack(">4H2b", 6000, 254, 3000, 254, 3, 3),
        struct.pack(">4H2b", 300, 254, 300, 254, 4, 4),
    )
    both = box(b"resc", captured) + box(b"resd", displayed)
    for boxes, expected in ((both, (300.0, 600.0)), (box(b"resd", displayed), (300.0, 300.0)), (b"", None)):
        data = box(b"jP  ", b"\r\n\x87\n") + box(b"jp2h", box(b"ihdr", bytes(14)) + box(b"res ", boxes))
        assert jp2.resolution(data) == (expected and pytest.approx(expected))
    assert jp2.resolution(box(b"jp2h", box(b"res ", box(b"resd", bytes(10))))) is None


def test_the_display_resolution_is_carried():
    data = file_of(SMALL, "JPEG2000")
    at = data.index(b"jp2h") - 4
    size = int.from_bytes(data[at : at + 4])
    told = box(b"res ", box(b"resd", struct.pack(">4H2b", 300, 254, 600, 254, 4, 4)))
    data = data[:at] + (size + len(told)).to_bytes(4) + data[at + 4 : at + size] + told + data[at + size :]
    (page,) = pages.read(data)
    assert page.metadata.dpi == pytest.approx((600.0, 300.0))


def test_comments_are_found_unless_the_encoder_wrote_them():
    stream = b"\xff\x4f\xff\x51\x00\x04ab"
    for text in (b"Kakadu-v7.2", b"Created by OpenJPEG version 2.5", b"box 9, K\xf6ln"):
        stream += b"\xff\x64" + struct.pack(">HH", len(text) + 4, 1) + text
    stream += b"\xff\x64\x00\x06\x00\x00\x01\x02" + b"\xff\x90\x00\x0a"
    for data in (stream, box(b"jP  ", b"x") + box(b"jp2c", stream)):
        assert jp2.comment(data).decode() == "box 9, Köln"
    assert jp2.comment(b"") == jp2.comment(stream[:9]) == b""
