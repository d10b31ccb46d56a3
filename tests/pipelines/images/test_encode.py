import io
import time

import cv2
import numpy as np
import pytest
import tifffile
from photo_files import opened, said_of
from PIL import Image, ImageCms
from skimage import data as skimage_data
from this_thread import here

from pipelines.errors import Rejected
from pipelines.images import pages
from pipelines.images.encode import encode
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.xmp import Mark

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])
DEEP = SMALL.astype(np.uint16) * 257 - np.random.default_rng(0).integers(0, 257, SMALL.shape).astype(np.uint16) % 100
DEEP = np.maximum(DEEP, 99)
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
NOTHING = Metadata()
MARK = Mark(software="autochrome 1.2.3", model_name="unet", model_digest="sha256:abc", source_name="scan.jpg")


@pytest.mark.parametrize("file_format", FORMATS)
def test_pixels_are_kept(photos, file_format):
    image = opened(encode([(photos["chelsea"], NOTHING)], file_format))
    assert image.format == file_format
    error = np.abs(np.asarray(image.convert("RGB")).astype(int) - photos["chelsea"])
    assert error.mean() < {"JPEG": 2, "PNG": 1e-9, "TIFF": 1e-9, "WEBP": 3}[file_format]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("order", "<>")
def test_16_bits_are_kept_on_demand(file_format, order):
    data = encode([(DEEP, Metadata(exif=Directory(order=order)))], file_format, bit_depth="keep")
    again = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert again.dtype == np.uint16
    np.testing.assert_array_equal(again, DEEP)
    if file_format == "TIFF":
        np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), DEEP)


@pytest.mark.parametrize("file_format", FORMATS)
def test_16_bits_become_8(file_format):
    scaled = np.rint(DEEP / 257).astype(np.uint8)
    assert encode([(DEEP, NOTHING)], file_format) == encode([(scaled, NOTHING)], file_format)
    if file_format in ("JPEG", "WEBP"):
        assert encode([(DEEP, NOTHING)], file_format, bit_depth="keep") == encode([(scaled, NOTHING)], file_format)


def test_all_pages_go_into_one_tiff(photos):
    said = [Metadata(xmp=f"<a>{number}</a>".encode(), dpi=(100 + number, 100)) for number in range(3)]
    pictures = [photos["coffee"], DEEP, SMALL]
    data = encode(zip(pictures, said, strict=True), "TIFF", bit_depth="keep")
    found = list(pages.read(data))
    assert [page.count for page in found] == [3, 3, 3]
    for page, expected in zip(found, pictures, strict=True):
        np.testing.assert_array_equal(page.pixels, expected)
        assert page.metadata.dpi == (100 + page.index, 100)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for page, expected in zip(file.pages, pictures, strict=True):
            np.testing.assert_array_equal(page.asarray(), expected)


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_profile_is_srgb(file_format):
    image = opened(encode([(SMALL, NOTHING)], file_format))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert len(image.info["icc_profile"]) < 1000
    rgb = image.convert("RGB")
    converted = ImageCms.profileToProfile(rgb, profile, ImageCms.createProfile("sRGB"))
    assert np.abs(np.asarray(converted).astype(int) - np.asarray(rgb)).max() <= 1


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("bit_depth", ["8", "keep"])
def test_equal_input_gives_equal_bytes(monkeypatch, file_format, bit_depth):
    said = Metadata(
        exif=Directory(order="<", fields={305: Field(type=2, data=b"ScanSoft\0")}),
        iptc=b"\x1c\x02\x5a\0\2Ab",
        dpi=(300, 300),
        comment=b"snow",
    )
    first = encode([(DEEP, said)], file_format, bit_depth=bit_depth, mark=MARK)
    monkeypatch.setattr(time, "time", here(lambda: 0, time.time))
    assert encode([(DEEP.copy(), said)], file_format, bit_depth=bit_depth, mark=MARK) == first


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_quality(photos, file_format):
    sizes = [len(encode([(photos["coffee"], NOTHING)], file_format, quality=quality)) for quality in (30, 80, 95)]
    assert sizes == sorted(sizes)
    assert sizes[2] > 2 * sizes[0]


@pytest.mark.parametrize(("shape", "file_format"), [((2, 16_384, 3), "WEBP"), ((65_536, 1, 3), "JPEG")])
def test_a_format_without_room_is_too_large(shape, file_format):
    with pytest.raises(Rejected, match="too_large"):
        encode([(np.zeros(shape, np.uint8), NOTHING)], file_format)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("name", ["a & b <c>.jpg", "bro\udcffken.jpg", "line\nbreak\x07.jpg", "📷.jpg"])
def test_names_of_any_kind_can_be_marked(file_format, name):
    said = said_of(
        encode(
            [(SMALL, NOTHING)],
            file_format,
            mark=Mark(software="autochrome", model_name="m", model_digest="d", source_name=name),
        )
    )["xmp"]
    expected = name.replace("\udcff", "\ufffd").replace("\n", "\ufffd").replace("\x07", "\ufffd")
    assert said["Xmp.autochrome.Source"] == expected


@pytest.mark.parametrize("dpi", [(0.4, 0.4), (1e9, 1e9), (96.5, 120.25)])
@pytest.mark.parametrize("file_format", FORMATS)
def test_odd_resolutions_do_no_harm(file_format, dpi):
    assert opened(encode([(SMALL, Metadata(dpi=dpi))], file_format)).size == (80, 96)


def test_tiffs_are_read_by_everybody(photos):
    data = encode([(photos["coffee"], Metadata(exif=Directory(order=">")))], "TIFF", mark=MARK)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), photos["coffee"])
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), photos["coffee"])
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1], photos["coffee"])
