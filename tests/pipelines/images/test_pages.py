import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from photo_files import damaged, file_of, opened, swapped_profile
from PIL import ExifTags, Image, ImageOps
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import pages
from pipelines.images.reading import Reading

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])


def reason_of(data: bytes) -> str:
    with pytest.raises(Rejected) as raised:
        list(pages.read(data))
    assert raised.value.detail
    return raised.value.reason


def tiff_of(*pictures: np.ndarray, subfiles: dict[int, int] | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for number, picture in enumerate(pictures):
            file.write(picture, metadata=None, subfiletype=(subfiles or {}).get(number), **options)
    return buffer.getvalue()


ALPHA = np.linspace(0, 1, 80)[None, :, None].repeat(96, 0)
CUT_OUT = np.rint(np.dstack([SMALL / 255, ALPHA]) * 65535)
MULTIPLIED = np.rint(np.dstack([SMALL / 255 * ALPHA, ALPHA]) * 65535)


def in_bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values / 257).astype(np.uint8)


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (file_of(in_bytes(CUT_OUT), "PNG"), 0),
        (file_of(in_bytes(CUT_OUT), "TIFF"), 0),
        (file_of(in_bytes(CUT_OUT), "WEBP", lossless=True, exact=True), 0),
        (tiff_of(CUT_OUT.astype(np.uint16), photometric="rgb", extrasamples=["unassalpha"]), 0),
        (tiff_of(MULTIPLIED.astype(np.uint16), photometric="rgb", extrasamples=["assocalpha"]), 0.005),
        (tiff_of(in_bytes(MULTIPLIED), photometric="rgb", extrasamples=["assocalpha"]), 0.05),
        (tiff_of(MULTIPLIED / 65535, photometric="rgb", extrasamples=["assocalpha"], compression="lerc"), 0.005),
        (file_of(in_bytes(CUT_OUT), "PNG", icc_profile=swapped_profile()), 0.01),
    ],
    ids=["PNG", "TIFF", "WebP", "16 bits", "associated 16", "associated 8", "floats", "profile"],
)
def test_a_transparent_page_has_its_straight_colours_and_lies_on_white(data, tolerance):
    (page,) = pages.read(data)
    top = np.iinfo(page.pixels.dtype).max
    found = page.cut_out / top
    colours = SMALL[..., ::-1] if b"iCCP" in data[:99] else SMALL
    np.testing.assert_allclose(found[..., 3], ALPHA[..., 0], atol=0.5 / 255 + 1e-9)
    visible = ALPHA[..., 0] > 0.1  # where more of the colour than its rounding is left
    np.testing.assert_allclose(found[visible][:, :3], (colours / 255)[visible], atol=tolerance + 1e-9)
    on_white = colours / 255 * ALPHA + 1 - ALPHA
    np.testing.assert_allclose(page.pixels / top, on_white, atol=2.1 / 255 + tolerance)


@pytest.mark.parametrize(
    ("data", "warnings"),
    [
        (
            tiff_of(np.dstack([SMALL, SMALL[..., :1]]).astype(np.uint16) * 257, photometric="separated"),
            ("depth_reduced",),
        ),
        (tiff_of(SMALL[..., 0].astype(np.float32) / 255), ("depth_reduced",)),
        (tiff_of(SMALL.astype(np.uint16) * 257, photometric="rgb"), ()),
        (tiff_of(SMALL, photometric="rgb"), ()),
    ],
    ids=["CMYK", "floats", "16 bits", "8 bits"],
)
def test_bits_that_are_not_read_are_warned_of(data, warnings):
    (page,) = pages.read(data)
    assert page.metadata.warnings == warnings


def test_a_page_whose_alpha_is_opaque_is_not_transparent():
    opaque = np.dstack([SMALL, np.full(SMALL.shape[:2], 255, np.uint8)])
    (page,) = pages.read(file_of(opaque, "PNG"))
    assert page.cut_out is None
    np.testing.assert_array_equal(page.pixels, SMALL)


def test_every_page_of_a_tiff(photos, grey_photos):
    pictures = [photos["coffee"], grey_photos["camera"], grey_photos["coins"].astype(np.uint16) * 257, SMALL]
    found = list(pages.read(tiff_of(*pictures)))
    assert [(page.index, page.count, page.format) for page in found] == [(n, 4, "TIFF") for n in range(4)]
    assert [8 * page.pixels.itemsize for page in found] == [8, 8, 16, 8]
    for page, expected in zip(found, pictures, strict=True):
        np.testing.assert_array_equal(page.pixels, expected)
        assert (page.height, page.width) == expected.shape[:2]


def test_pages_of_different_kinds(grey_photos):
    coins = Image.fromarray(grey_photos["coins"])
    pictures = [coins.convert("1"), coins.convert("P"), coins.convert("RGB").quantize(16), coins.convert("CMYK")]
    for compression in ("tiff_lzw", "tiff_deflate", "packbits", "raw"):
        data = file_of(pictures[0], "TIFF", save_all=True, append_images=pictures[1:], compression=compression)
        found = list(pages.read(data))
        for page, picture in zip(found, pictures, strict=True):
            rgb = np.asarray(picture.convert("L" if picture.mode == "1" else "RGB"))
            np.testing.assert_array_equal(page.pixels, rgb)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax_compressions(grey_photos, compression):
    bilevel = Image.fromarray(grey_photos["coins"] > 128)
    (page,) = pages.read(file_of(bilevel, "TIFF", compression=compression))
    np.testing.assert_array_equal(page.pixels, np.where(grey_photos["coins"] > 128, 255, 0))


def test_jpeg_inside_a_tiff(photos):
    (page,) = pages.read(file_of(photos["coffee"], "TIFF", compression="jpeg", quality=95))
    assert np.abs(page.pixels.astype(int) - photos["coffee"]).mean() < 3


def test_thumbnails_and_masks_are_no_pages(photos):
    data = tiff_of(photos["coffee"], SMALL, SMALL[..., 0] > 128, SMALL, subfiles={1: 1, 2: 4, 3: 2})
    found = list(pages.read(data))
    assert [page.height for page in found] == [400, 96]
    assert [page.count for page in found] == [2, 2]


def test_a_chain_that_bites_its_tail_ends():
    data = bytearray(tiff_of(SMALL, SMALL))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        first, second = (page.offset for page in file.pages)
    link = second + 2 + 12 * struct.unpack_from("<H", data, second)[0]
    struct.pack_into("<I", data, link, first)
    assert [page.count for page in pages.read(bytes(data))] == [2, 2]


def with_a_broken_page(number: int) -> bytes:
    data = bytearray(tiff_of(SMALL, SMALL[::-1], SMALL, compression="lzw"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        page = file.pages[number]
        start, size = page.dataoffsets[0], page.databytecounts[0]
    data[start : start + size] = b"\xff" * size
    return bytes(data)


def test_a_broken_page_is_left_out_with_a_warning():
    warned: list[str] = []
    found = list(pages.read(with_a_broken_page(1), warned=warned))
    assert ([page.index for page in found], warned) == ([0, 2], ["page_unreadable"])
    np.testing.assert_array_equal(found[1].pixels, SMALL)


def test_a_broken_first_page_is_named():
    with pytest.raises(Rejected, match="page 1 of 3") as raised:
        list(pages.read(with_a_broken_page(0)))
    assert raised.value.reason == "unreadable"


def test_pages_beyond_the_end_of_a_file_give_a_warning():
    whole = tiff_of(SMALL, SMALL[::-1], SMALL)
    warned: list[str] = []
    found = list(pages.read(whole[: len(whole) // 2], warned=warned))
    np.testing.assert_array_equal(found[0].pixels, SMALL)
    assert set(warned) == {"page_unreadable"}


def test_the_first_page_alone():
    warned: list[str] = []
    (page,) = pages.read(tiff_of(SMALL, SMALL[::-1]), Reading(pages="first"), warned)
    np.testing.assert_array_equal(page.pixels, SMALL)
    assert warned == ["frames_dropped"]


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_what_moves(file_format):
    frames = [Image.fromarray(SMALL), Image.fromarray(SMALL[::-1])]
    data = file_of(frames[0], file_format, save_all=True, append_images=frames[1:], lossless=True)
    (page,) = pages.read(data)
    error = np.abs(page.pixels.astype(int) - SMALL).mean()
    assert error < (20 if file_format == "GIF" else 0.001)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(file_format, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = file_of(SMALL, file_format, exif=exif)
    (page,) = pages.read(data)
    np.testing.assert_array_equal(page.pixels, np.asarray(ImageOps.exif_transpose(opened(data)).convert("RGB")))
    assert (page.width, page.height) == ((80, 96) if orientation < 5 else (96, 80))


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 2}, {"restart_marker_rows": 1}])
def test_kinds_of_jpeg(photos, grey_photos, options):
    for picture in (photos["coffee"], grey_photos["coins"]):
        data = file_of(picture, "JPEG", **options)
        (page,) = pages.read(data)
        np.testing.assert_array_equal(page.pixels, np.asarray(opened(data)))


@pytest.mark.parametrize("transform", [0, 2], ids=["CMYK", "YCCK"])
def test_inverted_cmyk_of_adobe(photos, transform):
    """Adobe stores 255 for no ink, and says so with its marker; YCCK is the same in another guise."""
    stored = 255 - np.asarray(Image.fromarray(photos["coffee"]).convert("CMYK"))
    if transform == 2:
        ycc = np.asarray(Image.fromarray(np.ascontiguousarray(255 - stored[..., :3])).convert("YCbCr"))
        stored = np.dstack([ycc, stored[..., 3]])
    data = file_of(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=98, subsampling=0)
    marker = b"Adobe\0\x64\0\0\0\0"
    position = data.index(marker) + len(marker)
    data = data[:position] + bytes([transform]) + data[position + 1 :]
    (page,) = pages.read(data)
    assert np.abs(page.pixels.astype(int) - photos["coffee"]).mean() < 3


def test_pages_count_one_by_one_against_the_limit():
    data = tiff_of(*[SMALL] * 3)
    assert len(list(pages.read(data, Reading(most_pixels=SMALL.shape[0] * SMALL.shape[1])))) == 3
    with pytest.raises(Rejected, match="max_megapixels"):
        list(pages.read(data, Reading(most_pixels=SMALL.shape[0] * SMALL.shape[1] - 1)))


def test_pages_that_share_their_strip_are_counted_each():
    data = bytearray(file_of(np.zeros((13_000, 13_000), bool), "TIFF", compression="group4"))
    directory = data[struct.unpack_from("<I", data, 4)[0] :]
    link = struct.unpack_from("<I", data, 4)[0] + 2 + 12 * struct.unpack_from("<H", directory)[0]
    for _ in range(12):
        struct.pack_into("<I", data, link, len(data) + len(data) % 2)
        data += bytes(len(data) % 2)
        start = len(data)
        data += directory
        link = start + 2 + 12 * struct.unpack_from("<H", directory)[0]
    assert reason_of(bytes(data)) == "too_large"


@pytest.mark.parametrize("data", [b"", b"II*\0", b"II*\0\x08\0\0\0", b"Dear archive,\n", b"\xff\xd8\xff"])
def test_what_is_no_photo_is_unreadable(data):
    assert reason_of(data) == "unreadable"


FILES = {
    "pages": tiff_of(SMALL[:20, :20], SMALL[:20, :20].astype(np.uint16) * 257, compression="lzw"),
    "metadata": file_of(
        SMALL, "JPEG", dpi=(300, 300), exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    ),
    "deep": file_of(SMALL[..., 0].astype(np.uint16) * 257, "PNG", icc_profile=swapped_profile()),
    "JPEG 2000": file_of(SMALL[:20, :20], "JPEG2000"),
}


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_a_damaged_file_is_rejected_or_read(name, data):
    reason = "none"
    try:
        found = list(pages.read(damaged(FILES[name], data)))
    except Rejected as verdict:
        reason = verdict.reason
    if reason == "none":
        assert all(page.pixels.ndim == 2 or page.pixels.shape[2:] == (3,) for page in found)
    else:
        assert reason in ("unreadable", "too_large")
