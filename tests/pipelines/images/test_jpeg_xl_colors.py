import struct

import imagecodecs
import numpy as np
import pytest
from photo_files import file_of, swapped_profile
from PIL import Image
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import cicp, icc, jpeg_xl_colors, pages
from pipelines.images.cicp import CodePoints

# 24 x 16, so that the size is a side and a ratio.
PHOTO = np.ascontiguousarray(skimage_data.astronaut()[400:416, 60:84])


def number(value: int, bits: int) -> str:
    return "".join(str(value >> place & 1) for place in range(bits))


def enum(value: int) -> str:
    if value < 2:
        return number(value, 2)
    return number(2, 2) + number(value - 2, 4) if value < 18 else number(3, 2) + number(value - 18, 6)


def point(x: float, y: float) -> str:
    """Coordinates below 0.262, or up to 0.786."""
    stored = [round(2 * 1e6 * value) for value in (x, y)]
    large = [(value, 0, 19) if value < 1 << 19 else (value - (1 << 19), 1, 19) for value in stored]
    large = [one if one[0] < 1 << 19 else (one[0] - (1 << 19), 2, 20) for one in large]
    return "".join(number(choice, 2) + number(value, bits) for value, choice, bits in large)


def color(white: str = enum(1), primaries: str = enum(1), curve: str = "0" + enum(13), space: int = 0) -> str:
    """The bits of a colour encoding."""
    return "00" + enum(space) + white + ("" if space else primaries) + curve + enum(1)


def jpeg_xl(colors: str, *, extra: str = "0", channels: str = "00", pixels: np.ndarray = PHOTO) -> bytes:
    """A JPEG XL without loss whose header is written by hand, around the frame of imagecodecs."""
    stream = bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    tone = "1" if extra[0] == "1" else ""
    bits = "1" + number(1, 5) + number(4, 3) + "0" + extra + "000" + "1" + channels + "0" + colors + tone + "00" + "1"
    packed = int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
    return b"\xff\x0a" + packed + stream[7 if pixels.ndim == 2 else 5 :]


def only_page(data: bytes) -> pages.Page:
    (page,) = pages.read(data)
    return page


def by_code_points(primaries: int, transfer: int) -> bytes:
    return cicp.profile(CodePoints(primaries, transfer, 0, 1), is_grey=False, bits=8)


ADOBE = point(0.64, 0.33) + point(0.21, 0.71) + point(0.15, 0.06)
SPACES = {
    "Display P3": (color(primaries=enum(11)), icc.profile_of("display_p3")),
    "Adobe RGB": (color(primaries=enum(2) + ADOBE, curve="1" + number(4547070, 24)), icc.profile_of("adobe_rgb")),
    "BT.2020": (
        color(primaries=enum(9), curve="0" + enum(1)),
        cicp.profile(CodePoints(9, 1, 0, 1), is_grey=False, bits=8),
    ),
    "linear": (color(curve="0" + enum(8)), by_code_points(1, 8)),
    "PQ": (
        color(primaries=enum(9), curve="0" + enum(16)),
        cicp.profile(CodePoints(9, 16, 0, 1), is_grey=False, bits=8),
    ),
}


@pytest.mark.parametrize(("colors", "profile"), SPACES.values(), ids=SPACES)
def test_the_colours_that_a_jpeg_xl_describes_are_converted(colors, profile):
    page = only_page(jpeg_xl(colors))
    expected = only_page(file_of(PHOTO, "PNG", icc_profile=profile)).pixels
    assert np.abs(expected.astype(int) - PHOTO).max() > 5
    assert np.abs(page.pixels.astype(int) - expected).max() <= 1
    assert page.metadata.warnings == (("highlights_clipped",) if profile == SPACES["PQ"][1] else ())


def test_grey_of_another_curve_is_converted():
    grey = np.ascontiguousarray(PHOTO[..., 1])
    page = only_page(jpeg_xl(color(space=1, curve="0" + enum(8)), pixels=grey))
    linear = cicp.profile(CodePoints(1, 8, 0, 1), is_grey=True, bits=8)
    np.testing.assert_array_equal(page.pixels, only_page(file_of(grey, "PNG", icc_profile=linear)).pixels)


@pytest.mark.parametrize("colors", ["1", color()], ids=["default", "spelled out"])
def test_srgb_stays_as_it_is(colors):
    assert jpeg_xl_colors.described(jpeg_xl(colors)).profile == b""
    page = only_page(jpeg_xl(colors))
    np.testing.assert_array_equal(page.pixels, PHOTO)
    assert not page.metadata.warnings


def test_a_turned_jpeg_xl_is_upright():
    extra = "1" + number(5, 3) + "000"
    page = only_page(jpeg_xl(color(primaries=enum(11)), extra=extra))
    expected = only_page(file_of(np.rot90(PHOTO, -1), "PNG", icc_profile=SPACES["Display P3"][1])).pixels
    assert np.abs(page.pixels.astype(int) - expected).max() <= 1


def test_colours_that_cannot_be_known_are_named():
    page = only_page(jpeg_xl(color(curve="0" + enum(17))))
    np.testing.assert_array_equal(page.pixels, PHOTO)
    assert page.metadata.warnings == ("profile_dropped",)


def test_a_jpeg_in_a_jpeg_xl_keeps_its_profile():
    jpeg = file_of(PHOTO, "JPEG", quality=98, subsampling=0, icc_profile=swapped_profile())
    page = only_page(bytes(imagecodecs.jpegxl_encode_jpeg(jpeg)))
    assert np.abs(page.pixels.astype(int) - only_page(jpeg).pixels).mean() < 1
    assert not page.metadata.warnings


def test_cyan_magenta_and_yellow_are_not_taken_for_red_green_and_blue():
    black = "0" + enum(4) + "000" + "00" + "00"
    with pytest.raises(Rejected, match="CMYK"):
        only_page(jpeg_xl("1", channels=number(1, 2) + black, pixels=np.dstack([PHOTO, PHOTO[..., 0]])))


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.mark.parametrize("compressed", [False, True])
def test_the_metadata_of_a_jpeg_xl_is_carried(compressed):
    def packed(kind: bytes, content: bytes) -> bytes:
        return box(b"brob", kind + bytes(imagecodecs.brotli_encode(content))) if compressed else box(kind, content)

    exif = Image.Exif()
    exif[274], exif[315] = 6, "Grete"
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    start = b"\x00\x00\x00\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    told = packed(b"Exif", bytes(4) + exif.tobytes().removeprefix(b"Exif\0\0")) + packed(b"xml ", packet)
    page = only_page(start + told + packed(b"jumb", b"claim") + box(b"jxlc", jpeg_xl("1")))
    # The picture itself says how it is turned.
    np.testing.assert_array_equal(page.pixels, PHOTO)
    assert page.metadata.exif.fields[315].data == b"Grete\0"
    assert page.metadata.xmp == packet
    assert page.metadata.warnings == ("segments_dropped", "left out: jumb")
    broken = only_page(start + box(b"brob", b"Exif" + b"no Brotli") + box(b"jxlc", jpeg_xl("1")))
    assert broken.metadata.warnings == ("segments_dropped", "left out: Exif")
