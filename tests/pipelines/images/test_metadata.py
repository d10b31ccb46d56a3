"""Metadata before and after, as Exiv2 reads it: the same but for what must change."""

import struct

import numpy as np
import pytest
from photo_files import exif_of, file_of, opened, said_of, saying
from PIL import ExifTags, Image, PngImagePlugin
from skimage import data as skimage_data

from pipelines.images import pages
from pipelines.images.encode import encode
from pipelines.images.source_types import COMPOSITE
from pipelines.images.xmp import Mark

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
MARK = Mark(software="autochrome 1.2.3", model_name="unet", model_digest="sha256:abc", source_name="box 1/Straße.jpg")
EXIF = {
    "Exif.Image.Artist": "Grete Müller",
    "Exif.Image.Copyright": "public domain",
    "Exif.Image.DateTime": "2001:02:03 04:05:06",
    "Exif.Image.ImageDescription": "Straße in Köln",
    "Exif.Image.ResolutionUnit": "2",
    "Exif.Image.Software": "ScanSoft 8",
    "Exif.Image.XResolution": "600/1",
    "Exif.Image.YResolution": "600/1",
    "Exif.Photo.DateTimeOriginal": "1931:05:01 10:00:00",
    "Exif.Photo.ExposureTime": "1/125",
    "Exif.Photo.UserComment": "charset=Ascii from the attic",
    "Exif.Photo.MakerNote": "1 2 3 4 5 6 7 8 9",
    "Exif.GPSInfo.GPSLatitude": "50/1 56/1 0/1",
    "Exif.GPSInfo.GPSLatitudeRef": "N",
}
UNTRUE = {  # before: what is no longer so in upright sRGB
    "Exif.Image.Orientation": "6",
    "Exif.Photo.ColorSpace": "65535",
    "Exif.Photo.PixelXDimension": "80",
    "Exif.Photo.PixelYDimension": "96",
}
TRUE = {**UNTRUE, "Exif.Image.Orientation": "1", "Exif.Photo.ColorSpace": "1"}
TRUE |= {"Exif.Photo.PixelXDimension": "96", "Exif.Photo.PixelYDimension": "80"}
IPTC = {
    "Iptc.Envelope.CharacterSet": "\x1b%G",
    "Iptc.Application2.Caption": "Straße in Köln",
    "Iptc.Application2.City": "Köln",
    "Iptc.Application2.Keywords": ["street", "snow"],
}
IPTC_IN_XMP = {
    "Xmp.dc.description": {'lang="x-default"': "Straße in Köln"},
    "Xmp.dc.subject": ["street", "snow"],
}
XMP = {
    "Xmp.dc.creator": ["Grete Müller"],
    "Xmp.dc.title": {'lang="x-default"': "Straße", 'lang="en"': "Street"},
    "Xmp.photoshop.City": "Köln",
    "Xmp.xmp.CreatorTool": "ScanSoft 8",
    "Xmp.xmpRights.Marked": "True",
}


def after(data: bytes, file_format: str, mark: Mark | None = None) -> bytes:
    (page,) = pages.read(data)
    colour = page.pixels if page.pixels.ndim == 3 else np.dstack([page.pixels] * 3)
    return encode([(colour, page.metadata)], file_format, mark=mark)


@pytest.fixture(scope="module", params=[*FORMATS, "JPEG2000"])
def source(request) -> bytes:
    said = {"exif": {**EXIF, **UNTRUE}, "xmp": XMP} | ({} if request.param == "WEBP" else {"iptc": IPTC})
    dots = {"dpi": (600, 600)} if request.param == "TIFF" else {}  # Exiv2 leaves that to whoever writes TIFFs
    return saying(file_of(SMALL, request.param, **dots), **said)


@pytest.mark.parametrize("target", FORMATS)
def test_all_is_carried_from_any_format_to_any_other(source, target):
    before, result = said_of(source), said_of(after(source, target))
    turned = TRUE if opened(source).format != "JPEG2000" else {**TRUE, **dict(list(UNTRUE.items())[2:])}
    assert exif_of(source).items() >= EXIF.items()
    assert exif_of(after(source, target)) == {**exif_of(source), **turned}
    assert result["iptc"] == ({} if target == "WEBP" else before["iptc"])
    assert result["xmp"] == {**before["xmp"], **(IPTC_IN_XMP if target == "WEBP" and before["iptc"] else {})}
    assert before["xmp"] == XMP


@pytest.mark.parametrize("target", FORMATS)
def test_the_mark(source, target):
    before, result = said_of(source)["xmp"], said_of(after(source, target, MARK))["xmp"]
    assert {key: result[key] for key in before} == before
    assert {key: value for key, value in result.items() if key not in {**before, **IPTC_IN_XMP}} == {
        "Xmp.iptcExt.DigitalSourceType": COMPOSITE,
        "Xmp.iptcExt.AISystemUsed": "autochrome 1.2.3, model unet",
        "Xmp.iptcExt.AISystemVersionUsed": "sha256:abc",
        "Xmp.dc.source": "box 1/Straße.jpg",
        "Xmp.autochrome.Software": "autochrome 1.2.3",
        "Xmp.autochrome.Model": "unet",
        "Xmp.autochrome.ModelDigest": "sha256:abc",
        "Xmp.autochrome.Source": "box 1/Straße.jpg",
    }


@pytest.mark.parametrize("target", FORMATS)
def test_a_photo_that_says_nothing_is_marked(target):
    result = said_of(after(file_of(SMALL, "BMP"), target, MARK))
    assert result["xmp"]["Xmp.iptcExt.DigitalSourceType"] == COMPOSITE
    assert result["xmp"]["Xmp.xmp.CreatorTool"] == "autochrome 1.2.3"
    assert not result["iptc"]
    unmarked = said_of(after(file_of(SMALL, "PNG"), target))
    assert not unmarked["xmp"]


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP"])
def test_resolution(kind, target):
    image = opened(after(file_of(SMALL, kind, dpi=(300, 600)), target))
    resolution = [image.getexif()[tag] for tag in (282, 283)] if target == "WEBP" else image.info["dpi"]
    assert [round(float(value)) for value in resolution] == [300, 600]


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_resolution_turns_with_the_photo(kind, target):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 8
    image = opened(after(file_of(SMALL, kind, dpi=(300, 600), exif=exif), target))
    resolution = [image.getexif()[tag] for tag in (282, 283)] if target == "WEBP" else image.info["dpi"]
    assert [round(float(value)) for value in resolution] == [600, 300]


def test_a_tiff_without_a_resolution_gets_none():
    data = saying(file_of(SMALL, "TIFF"), exif={"Exif.Image.Artist": "Grete"})
    assert next(pages.read(data)).metadata.dpi is None


def test_tiff_tags_by_their_bytes():
    """Text that is not UTF-8, and tags of somebody's own, come out as they went in."""
    image = Image.fromarray(SMALL)
    tags = {269: "page.tif", 285: "verso", 315: "Müller".encode("latin-1"), 65000: b"\1\2\3\xff", 297: (1, 7)}
    data = file_of(image, "TIFF", tiffinfo=tags)
    before, result = opened(data).tag_v2, opened(after(data, "TIFF")).tag_v2
    for tag in tags:
        assert result[tag] == before[tag]
        assert result.tagtype[tag] == before.tagtype[tag]


def test_iptc_inside_photoshop_s_resources_of_a_tiff():
    resources = b"8BIM\x03\xed\0\0\0\0\0\x02ab" + b"8BIM\x04\x04\x03abc\0\0\0\x07\x1c\x02\x5a\0\2Ab\0"
    data = file_of(Image.fromarray(SMALL), "TIFF", tiffinfo={34377: resources})
    assert next(pages.read(data)).metadata.iptc == b"\x1c\x02\x5a\0\2Ab"


def test_the_thumbnail_of_the_grey_photo_is_gone():
    exif = bytearray(opened(saying(file_of(SMALL, "JPEG"), exif=EXIF)).info["exif"])
    order = "little" if exif[6:8] == b"II" else "big"
    start = 6 + int.from_bytes(exif[10:14], order)
    link = start + 2 + 12 * int.from_bytes(exif[start : start + 2], order)
    thumbnail = file_of(SMALL[:32, :32], "JPEG")
    exif += bytes(len(exif) % 2)
    offset = len(exif) - 6
    exif[link : link + 4] = offset.to_bytes(4, order)

    def entry(tag: int, value: int) -> bytes:
        return b"".join(number.to_bytes(size, order) for number, size in ((tag, 2), (4, 2), (1, 4), (value, 4)))

    exif += (2).to_bytes(2, order) + entry(513, offset + 30) + entry(514, len(thumbnail)) + bytes(4) + thumbnail
    data = file_of(SMALL, "JPEG", exif=bytes(exif))
    assert any("Thumbnail" in key for key in said_of(data)["exif"])
    result = after(data, "JPEG")
    assert not any("Thumbnail" in key for key in said_of(result)["exif"])
    assert said_of(result)["exif"].items() >= EXIF.items()


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xa5" * 40, b"nonsense"]
)
@pytest.mark.parametrize("target", FORMATS)
def test_broken_exif_does_no_harm(exif, target):
    data = file_of(SMALL, "JPEG", exif=exif)
    (page,) = pages.read(data)
    expected = {b"Exif\0\0": (), b"nonsense": ("segments_dropped", "left out: APP1 nonsense")}
    assert page.metadata.warnings == expected.get(exif, ("exif_broken",))
    assert opened(after(data, target, MARK)).size == (80, 96)


@pytest.mark.parametrize("target", ["JPEG", "PNG", "TIFF"])
def test_comments(target):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Comment", "im Schnee ü")
    for data in (
        file_of(SMALL, "JPEG", comment="im Schnee ü".encode()),
        file_of(SMALL, "PNG", pnginfo=info),
        file_of(SMALL, "GIF", comment="im Schnee ü".encode()),
    ):
        result = opened(after(data, target))
        if target == "TIFF":
            assert result.tag_v2[270] == "im Schnee ü".encode().decode("latin-1")
        else:
            found = result.info["comment" if target == "JPEG" else "Comment"]
            assert (found.decode() if isinstance(found, bytes) else found) == "im Schnee ü"


def test_exif_with_nothing_to_say_does_not_choose_the_byte_order_of_a_tiff():
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\3\0\3\0\0\0\1\0\6\0\0\0\0\0\0"  # how a thumbnail is compressed
    assert after(file_of(SMALL, "JPEG", exif=exif), "TIFF").startswith(b"II")


def test_what_a_psd_says_is_in_its_resources():
    blocks = {0x0404: b"\x1c\x02\x5a\0\4Bonn", 0x0424: said_xmp(), 0x040A: b"\1", 0x07D0: b"path"}
    resources = b"".join(
        b"8BIM" + struct.pack(">H2xI", number, len(block)) + block + bytes(len(block) % 2)
        for number, block in blocks.items()
    )
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 8, 8, 8, 3)
    parts = b"".join(len(part).to_bytes(4) + part for part in (b"", resources, b""))
    data = head + parts + b"\0\0" + bytes(3 * 64)
    result = said_of(after(data, "JPEG"))
    assert result["iptc"] == {"Iptc.Application2.City": "Bonn"}
    assert result["xmp"]["Xmp.dc.creator"] == ["Grete Müller"]
    (page,) = pages.read(data)
    assert page.metadata.warnings == ("paths_dropped",)
    assert said_of(after(data, "WEBP"))["xmp"]["Xmp.xmpRights.Marked"] == "True"


def said_xmp() -> bytes:
    return next(pages.read(saying(file_of(SMALL, "PNG"), xmp=XMP))).metadata.xmp


def test_layers_of_a_tiff_that_are_left_out_are_told():
    data = file_of(Image.fromarray(SMALL), "TIFF", tiffinfo={37724: b"Adobe Photoshop Document Data Block\0layers"})
    assert next(pages.read(data)).metadata.warnings == ("layers_dropped",)
