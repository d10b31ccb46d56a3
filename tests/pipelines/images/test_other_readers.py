import struct

import bitmaps
import imagecodecs
import numpy as np
import pytest
from photo_files import file_of, swapped_profile
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import bitmap, cicp, icc, jpeg_markers, other_readers, pages
from pipelines.images.bitmap import Kind
from pipelines.images.cicp import CodePoints
from pipelines.images.samples import to_bytes

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:64, 100:180])
GREY = np.ascontiguousarray(PHOTO[..., 1])
DEEP = PHOTO.astype(np.uint16) * 16 + 5
LINEAR = cicp.profile(CodePoints(1, 8, 0, 1), is_grey=False, bits=16)

KINDS = {
    "JPEG-LS": (imagecodecs.jpegls_encode(PHOTO), PHOTO, "JPEG-LS"),
    "JPEG-LS, grey": (imagecodecs.jpegls_encode(GREY), GREY, "JPEG-LS"),
    "JPEG XL": (imagecodecs.jpegxl_encode(PHOTO, lossless=True), PHOTO, "JXL"),
    # imagecodecs marks 16 bits as linear light.
    "JPEG XL, 16 bits": (
        imagecodecs.jpegxl_encode(DEEP * 16, lossless=True),
        icc.convert_words(DEEP * 16, LINEAR),
        "JXL",
    ),
    "JPEG of 12 bits": (imagecodecs.jpeg8_encode(DEEP, level=98, bitspersample=12), DEEP * 16, "JPEG"),
    "lossless JPEG": (imagecodecs.ljpeg_encode(GREY), GREY, "JPEG"),
}


@pytest.mark.parametrize(("data", "expected", "file_format"), KINDS.values(), ids=KINDS)
def test_what_pillow_does_not_read_is_read(data, expected, file_format):
    (page,) = pages.read(bytes(data))
    assert (page.format, page.pixels.shape, page.pixels.dtype) == (file_format, expected.shape, expected.dtype)
    assert np.abs(to_bytes(page.pixels).astype(int) - to_bytes(expected)).mean() < 1.5


def test_metadata_of_a_jpeg_of_12_bits_is_kept():
    from PIL import Image

    exif = Image.Exif()
    exif[274], exif[315] = 6, "Grete"
    told = file_of(PHOTO, "JPEG", exif=exif, comment=b"im Schnee", icc_profile=swapped_profile())
    data = jpeg_markers.with_metadata(bytes(KINDS["JPEG of 12 bits"][0]), told)
    (page,) = pages.read(data)
    assert page.metadata.exif.fields[315].data == b"Grete\0"
    assert page.metadata.comment == b"im Schnee"
    assert np.abs(to_bytes(page.pixels)[..., ::-1].astype(int) - np.rot90(PHOTO, -1)).mean() < 3


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9, 0.99])
@pytest.mark.parametrize(("data", "expected", "file_format"), KINDS.values(), ids=KINDS)
def test_what_is_cut_short_is_rejected_by_name(data, expected, file_format, share):
    with pytest.raises(Rejected, match="unreadable"):
        list(pages.read(bytes(data[: int(share * len(data))])))


def test_readers_that_see_different_bitmaps_are_named(monkeypatch):
    monkeypatch.setattr(bitmap, "_upright", lambda rows, told: rows)
    with pytest.raises(Rejected, match="Autochrome's reader of bitmaps and Pillow") as raised:
        list(pages.read(file_of(PHOTO, "BMP")))
    assert raised.value.reason == "decoders_disagree"


def test_a_bitmap_in_bit_fields_with_alpha_lies_on_white():
    values = np.array([[0x0F00, 0xF0F0], [0x800F, 0xFFFF]])
    masks = (0xF00, 0xF0, 0xF, 0xF000)
    data = bitmaps.bitmap(16, Kind.BIT_FIELDS, (2, 2), bitmaps.rows(values, 16), masks=masks, header_size=56)
    (page,) = pages.read(data)
    expected = [[(255, 255, 255), (0, 255, 0)], [(119, 119, 255), (255, 255, 255)]]
    np.testing.assert_allclose(page.pixels, expected, atol=1)
    assert page.metadata.dpi == pytest.approx((72, 144), abs=0.1)


def channel(pixels: np.ndarray) -> tuple[dict[bytes, bytes], bytes]:
    """The segments of the header, and the packets, of one channel as a JPEG 2000 without resolutions."""
    data = bytes(imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, resolutions=1, codecformat="j2k"))
    position, found = 2, {}
    while data[position : position + 2] != b"\xff\x90":
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        found[data[position : position + 2]] = data[position + 2 : position + 2 + size]
        position += 2 + size
    return found, data[data.index(b"\xff\x93", position) + 2 : -2]


def subsampled() -> bytes:
    """A JPEG 2000 codestream whose second and third channel have half the samples of the first, each way."""
    y, cb, cr = np.moveaxis(np.asarray(ycc()), -1, 0)
    parts = [channel(np.ascontiguousarray(part)) for part in (y, cb[::2, ::2], cr[::2, ::2])]
    segments = parts[0][0]
    size = segments[b"\xff\x51"][2:36] + struct.pack(">H", 3) + bytes([7, 1, 1, 7, 2, 2, 7, 2, 2])
    body = b"".join(packets for _, packets in parts)
    head = b"".join(kind + segments[kind] for kind in (b"\xff\x52", b"\xff\x5c"))
    tile = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14 + len(body), 0, 1) + b"\xff\x93" + body
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + head + tile + b"\xff\xd9"


def ycc() -> object:
    from PIL import Image

    return Image.fromarray(PHOTO).convert("YCbCr")


def boxes(stream: bytes, colours: int, method: int = 1, profile: bytes = b"") -> bytes:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    colour = bytes([method, 0, 0]) + (struct.pack(">I", colours) if method == 1 else profile)
    header = box(b"ihdr", struct.pack(">IIHBBBB", 64, 80, 3, 7, 7, 0, 0)) + box(b"colr", colour)
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return start + box(b"jp2h", header) + box(b"jp2c", stream)


SUBSAMPLED = {"bare": subsampled(), "sYCC": boxes(subsampled(), 18), "e-sYCC": boxes(subsampled(), 24)}


@pytest.mark.parametrize("data", SUBSAMPLED.values(), ids=SUBSAMPLED)
def test_a_subsampled_jpeg_2000_is_read(data):
    (page,) = pages.read(data)
    assert page.format == "JPEG2000"
    assert np.abs(page.pixels.astype(int) - PHOTO).mean() < 6
    for share in (0.4, 0.6, 0.9):
        with pytest.raises(Rejected, match="unreadable"):
            list(pages.read(data[: int(share * len(data))]))


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_a_jpeg_2000_with_a_profile_that_is_cut_short_is_rejected(share):
    stream = bytes(imagecodecs.jpeg2k_encode(PHOTO, level=0, codecformat="j2k"))
    whole = boxes(stream, 0, method=2, profile=swapped_profile())
    (page,) = pages.read(whole)
    assert np.abs(page.pixels.astype(int) - PHOTO[..., ::-1]).mean() < 3
    with pytest.raises(Rejected, match="unreadable"):
        list(pages.read(whole[: int(share * len(whole))]))


def test_no_other_reader_takes_a_usual_photo():
    assert other_readers.read(file_of(PHOTO, "JPEG")) is None
    assert other_readers.read(file_of(PHOTO, "PNG")) is None
