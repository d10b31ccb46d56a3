import struct
import zlib

import bomb_xmp
import bombs
import numpy as np
import pytest
from photo_files import file_of, swapped_profile

from pipelines.errors import Rejected
from pipelines.images import pages, png

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
XMP = bomb_xmp.XMP.format("<dc:title>a title</dc:title>").encode()


def with_chunks(*chunks: bytes, pixels: np.ndarray = PIXELS) -> bytes:
    data = file_of(pixels, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def ztxt(keyword: bytes, text: bytes, method: bytes = b"\0") -> bytes:
    return bombs.chunk(b"zTXt", keyword + b"\0" + method + zlib.compress(text))


def iccp(profile: bytes, method: bytes = b"\0") -> bytes:
    return bombs.chunk(b"iCCP", b"profile\0" + method + zlib.compress(profile))


LARGE = {
    "zTXt": (ztxt(b"Description", bytes(3_000_000)), "text_dropped"),
    "iTXt": (bombs.text_chunk(b"Description", bytes(3_000_000)), "text_dropped"),
    "XMP": (bombs.text_chunk(b"XML:com.adobe.xmp", b"<a/>" * 400_000), "xmp_dropped"),
    "raw XMP": (ztxt(b"Raw profile type xmp", bytes(3_000_000)), "xmp_dropped"),
    "many": (ztxt(b"Description", bytes(1_000_000)) * 70, "text_dropped"),
    "unknown": (ztxt(b"Description", b"text", b"\7"), "text_dropped"),
    "profile": (iccp(bytes(20_000_000)), "profile_dropped"),
    "unknown profile": (iccp(swapped_profile(), b"\1"), "profile_dropped"),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_photo_comes_out_of_a_png_with_texts_that_are_too_large(name, place):
    large, warning = LARGE[name]
    kept = bombs.text_chunk(b"XML:com.adobe.xmp", XMP)
    data = with_chunks(kept, large) if place == "before" else with_chunks(kept)[:-12] + large + with_chunks()[-12:]
    (page,) = pages.read(data)
    np.testing.assert_array_equal(page.pixels, PIXELS)
    assert page.metadata.warnings == (warning,)
    assert page.metadata.xmp == XMP


def test_a_large_profile_is_converted():
    profile = bytearray(swapped_profile())
    profile += bytes(2_000_000 - len(profile))
    profile[:4] = len(profile).to_bytes(4, "big")
    (plain,) = pages.read(with_chunks(iccp(swapped_profile())))
    (page,) = pages.read(with_chunks(iccp(bytes(profile))))
    np.testing.assert_array_equal(page.pixels, plain.pixels)
    assert (page.pixels != PIXELS).any()
    assert page.metadata.warnings == ()


def test_a_16_bit_photo_comes_out_likewise():
    deep = PIXELS[..., 0].astype(np.uint16) * 257
    (page,) = pages.read(with_chunks(LARGE["zTXt"][0], iccp(bytes(20_000_000)), pixels=deep))
    np.testing.assert_array_equal(page.pixels, deep)
    assert page.metadata.warnings == ("text_dropped", "profile_dropped")


@pytest.mark.parametrize(
    "chunk",
    [
        ztxt(b"Description", b"a description"),
        bombs.chunk(b"tEXt", b"Comment\0" + b"c" * 2_000_000),
        bombs.text_chunk(b"Comment", b"c" * 2_000_000, compressed=False),
        bombs.chunk(b"zTXt", b"Comment\0\0no zlib"),
        bombs.chunk(b"iTXt", b"Comment"),
        bombs.chunk(b"iTXt", b"Comment\0\1\1\0\0text"),
        iccp(swapped_profile()),
    ],
    ids=["text", "tEXt", "iTXt", "broken", "short", "method", "profile"],
)
def test_what_pillow_reads_stays_as_it_is(chunk):
    data = with_chunks(chunk)
    assert png.readable(data) == png.Readable(data=data)
    assert len(list(pages.read(data))) == 1


def test_half_a_file_stays_as_it_is():
    data = with_chunks(ztxt(b"Description", b"a description"))
    for end in (0, 8, 40, 60, len(data) - 3):
        assert png.readable(data[:end]).data == data[:end]


def test_a_wrong_checksum_of_the_pixels_is_damage():
    data = bytearray(file_of(np.zeros((9, 9, 3), np.uint8), "PNG"))
    data[data.index(b"IDAT") + 12] ^= 1
    with pytest.raises(Rejected, match="a checksum of IDAT is wrong"):
        list(pages.read(bytes(data)))


@pytest.mark.parametrize(
    ("kind", "content", "is_wrong"),
    [
        (b"tEXt", b"Title\0abc", True),
        (b"abCd", b"zz", True),
        (b"pHYs", b"\0\1", False),
        (b"gAMA", b"\0", False),
        (b"iCCP", b"garbage", False),
        (b"iCCP", b"x\0\0garbage", False),
        (b"iTXt", b"Title\0\1\0\0\0zz", False),
    ],
)
def test_damage_of_other_chunks_leaves_the_pixels_alone(kind, content, is_wrong):
    pixels = np.arange(9 * 9 * 3, dtype=np.uint8).reshape(9, 9, 3)
    data = file_of(pixels, "PNG")
    checksum = zlib.crc32(kind + content) ^ is_wrong
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
    (page,) = pages.read(data[:33] + chunk + data[33:])
    np.testing.assert_array_equal(page.pixels, pixels)
    assert page.metadata.warnings
