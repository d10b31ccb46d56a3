"""What of the metadata a format has room for."""

import hashlib
import struct
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from photo_files import exif_of, file_of, opened, said_of, saying
from PIL import ExifTags, Image, PngImagePlugin
from skimage import data as skimage_data

from pipelines.images import pages, photoshop, tiff_directory
from pipelines.images.carried import JPEG_EXIF_ROOM, carried
from pipelines.images.encode import encode
from pipelines.images.metadata import Metadata
from pipelines.images.png_texts import Text
from pipelines.images.source_types import COMPOSITE
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_tags import EXIF_IFD, GPS_IFD, MAKER_NOTE
from pipelines.images.xmp import Mark

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])
MARK = Mark(software="autochrome 1.2.3", model_name="unet", model_digest="sha256:abc", source_name="box 1/Straße.jpg")


def after(data: bytes, file_format: str) -> bytes:
    (page,) = pages.read(data)
    return encode([(page.pixels, page.metadata)], file_format)


def long_exif(history: int, maker_note: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Grete"
    exif[ExifTags.Base.ImageHistory] = "x" * history
    exif.get_ifd(ExifTags.IFD.Exif).update({36867: "1931:05:01 10:00:00", 37500: b"n" * maker_note})
    return exif


def test_exif_too_long_for_a_jpeg_is_shortened():
    data = file_of(SMALL, "PNG", exif=long_exif(40_000, 40_000))
    (page,) = pages.read(data)
    assert page.metadata.exif.size > 80_000
    assert carried(page.metadata, "JPEG", None).warnings == ("exif_shortened", "left out: EXIF MakerNote")
    expected = {key: value for key, value in exif_of(data).items() if key != "Exif.Photo.MakerNote"}
    assert exif_of(after(data, "JPEG")) == expected
    assert exif_of(after(data, "TIFF")) == exif_of(data)
    assert carried(page.metadata, "PNG", None).warnings == ()


def test_one_value_that_is_too_long_by_itself():
    result = exif_of(after(file_of(SMALL, "PNG", exif=long_exif(70_000, 4)), "JPEG"))
    assert result == {"Exif.Image.Artist": "Grete", "Exif.Photo.DateTimeOriginal": "1931:05:01 10:00:00"}


def test_the_longest_of_thousands_of_values_give_way():
    fields = {50_000 + index: Field(type=7, data=bytes(10 + index % 50)) for index in range(4000)}
    result = carried(Metadata(exif=Directory(order="<", fields=fields)), "JPEG", None).exif
    found = result.fields
    shorter, longest = len(tiff_directory.block(result)), max(len(value.data) for value in found.values())
    assert shorter <= JPEG_EXIF_ROOM < shorter + 100
    assert {tag for tag, value in fields.items() if len(value.data) < longest} <= found.keys()


def test_a_place_that_is_too_long_gives_way_as_well():
    place = Directory(
        order="<", fields={29: Field(type=2, data=b"1931:05:01\0"), 27: Field(type=7, data=bytes(70_000))}
    )
    exif = Directory(order="<", fields={270: Field(type=2, data=b"a description\0")}, children={GPS_IFD: place})
    found = carried(Metadata(exif=exif), "JPEG", None).exif
    assert found.children[GPS_IFD].fields.keys() == {29}
    assert found.fields.keys() == {270}


def test_what_is_carried_leaves_the_metadata_of_the_page_as_it_is():
    said = Metadata(
        exif=Directory(order="<", fields={254: Field(type=4, data=bytes(4)), 270: Field(type=7, data=bytes(70_000))}),
        comment=b"x",
    )
    before = said.exif.copy()
    for file_format in ("JPEG", "PNG", "TIFF", "WEBP"):
        assert len(encode([(SMALL, said)], file_format, mark=MARK)) > 0
    assert said.exif == before


@pytest.mark.parametrize(("at", "stays"), [(40_000, True), (65_500, False)])
def test_a_maker_note_is_moved_rather_than_dropped_when_its_old_place_is_too_far_for_a_jpeg(at, stays):
    note = Field(type=7, data=b"note" * 50, at=at)
    exif = Directory(
        order="<",
        fields={270: Field(type=2, data=b"a description\0")},
        children={EXIF_IFD: Directory(order="<", fields={MAKER_NOTE: note})},
    )
    data = encode([(SMALL, Metadata(exif=exif))], "JPEG")
    found = tiff_directory.read(opened(data).info["exif"][6:]).children[EXIF_IFD].fields[MAKER_NOTE]
    assert found.data == note.data
    assert (found.at == at) is stays


def test_iptc_too_long_for_a_segment_of_a_jpeg_goes_over_several():
    iptc = b"".join(b"\x1c\x02\x19" + (30_000).to_bytes(2) + bytes([65 + index]) * 30_000 for index in range(4))
    data = encode([(SMALL, Metadata(iptc=iptc))], "JPEG")
    assert said_of(data)["iptc"]["Iptc.Application2.Keywords"] == [letter * 30_000 for letter in "ABCD"]
    assert next(pages.read(data)).metadata.iptc == iptc


def test_xmp_too_long_for_a_jpeg_has_an_extension():
    text = "x" * 100_000
    said = Metadata(xmp=xmp_of(text))
    assert carried(said, "JPEG", MARK).warnings == ()
    data = encode([(SMALL, said)], "JPEG", mark=MARK)
    alone = said_of(data)["xmp"]
    assert alone["Xmp.iptcExt.DigitalSourceType"] == COMPOSITE
    assert "Xmp.photoshop.Instructions" not in alone
    segments = opened(data).applist
    [first, second] = [
        content for _, content in segments if content.startswith(b"http://ns.adobe.com/xmp/extension/\0")
    ]
    guid = first[35:67]
    assert alone["Xmp.xmpNote.HasExtendedXMP"] == guid.decode()
    extension = first[75:] + second[75:]
    assert hashlib.md5(extension).hexdigest().upper() == guid.decode()
    assert [part[67:75] for part in (first, second)] == [
        struct.pack(">II", len(extension), offset) for offset in (0, len(first) - 75)
    ]
    found = ElementTree.fromstring(extension).find(".//{http://ns.adobe.com/photoshop/1.0/}Instructions")
    assert found.text == text
    (page,) = pages.read(data)
    assert said_of(encode([(SMALL, page.metadata)], "PNG"))["xmp"]["Xmp.photoshop.Instructions"] == text
    incomplete = data.replace(second[:75], b"y" * 75)
    (page,) = pages.read(incomplete)
    assert page.metadata.warnings[0] == "xmp_dropped"


def xmp_of(text: str) -> bytes:
    (page,) = pages.read(saying(file_of(SMALL, "PNG"), xmp={"Xmp.photoshop.Instructions": text}))
    return page.metadata.xmp


def test_what_of_resolution_and_comment_a_format_has_no_room_for_is_told():
    told = [
        ((Metadata(dpi=(70_000.0, 300.0)), "JPEG"), ("dpi_dropped",)),
        ((Metadata(dpi=(70_000.0, 300.0)), "PNG"), ()),
        ((Metadata(comment=b"x" * 70_000), "JPEG"), ("comment_shortened",)),
        ((Metadata(comment=b"im Schnee"), "WEBP"), ()),
        ((Metadata(comment=b"im Schnee"), "TIFF"), ()),
    ]
    for (said, file_format), expected in told:
        assert carried(said, file_format, MARK).warnings == expected
    long = opened(encode([(SMALL, Metadata(comment=b"x" * 70_000))], "JPEG"))
    assert long.info["comment"] == b"x" * 65_533


def test_a_comment_goes_to_xmp_where_it_has_no_other_place():
    described = Image.Exif()
    described[ExifTags.Base.ImageDescription] = "Road"
    exif = tiff_directory.read(described.tobytes().removeprefix(b"Exif\0\0"))
    for said, file_format, comment in (
        (Metadata(comment=b"in snow"), "WEBP", "in snow"),
        (Metadata(comment=b"in snow", exif=exif), "TIFF", "in snow"),
        (Metadata(comment="Straße".encode("latin-1")), "WEBP", "Straße"),
        (Metadata(comment=b"Road", exif=exif), "TIFF", None),
        (Metadata(comment=b"in snow"), "JPEG", None),
    ):
        found = said_of(encode([(SMALL, said)], file_format))["xmp"].get("Xmp.exif.UserComment")
        assert found == (comment and {'lang="x-default"': comment})


TEXTS = {
    "title": "Harbour 1911",
    "Author": "Grete Müller",
    "DESCRIPTION": "Glass plate no. 17,\n東京",
    "Copyright": "public domain",
    "Creation Time": "Mon, 01 May 1911 10:00:00 +0000",
    "Source": "flatbed",
    "Title of the box": "9",
}


def a_png_with_texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    for keyword, text in TEXTS.items():
        info.add_itxt(keyword, text) if "東" in text else info.add_text(keyword, text, zip=keyword == "Author")
    info.add_text("comment", "in snow")
    return file_of(SMALL, "PNG", pnginfo=info)


def test_the_texts_of_a_png_are_carried_to_a_png():
    result = opened(after(a_png_with_texts(), "PNG")).info
    assert {keyword: result[keyword] for keyword in TEXTS} == TEXTS
    assert result["Comment"] == "in snow"


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF", "WEBP"])
def test_the_texts_of_a_png_become_xmp_in_other_formats(file_format):
    (page,) = pages.read(a_png_with_texts())
    assert carried(page.metadata, file_format, MARK).warnings == ()
    result = said_of(encode([(SMALL, page.metadata)], file_format, mark=MARK))["xmp"]
    assert (
        result.items()
        >= {
            "Xmp.dc.title": {'lang="x-default"': "Harbour 1911"},
            "Xmp.dc.creator": ["Grete Müller"],
            "Xmp.dc.description": {'lang="x-default"': "Glass plate no. 17,\n東京"},
            "Xmp.dc.rights": {'lang="x-default"': "public domain"},
            "Xmp.photoshop.DateCreated": "1911-05-01T10:00:00+00:00",
            "Xmp.xmp.CreateDate": "1911-05-01T10:00:00+00:00",
            "Xmp.autochrome.Notes": [
                "Creation Time: Mon, 01 May 1911 10:00:00 +0000",
                "Source: flatbed",
                "Title of the box: 9",
            ],
        }.items()
    )


def test_what_xmp_says_already_stays_and_what_differs_is_noted():
    said = saying(file_of(SMALL, "PNG"), xmp={"Xmp.dc.title": {'lang="x-default"': "Street"}, "Xmp.dc.creator": ["G"]})
    (page,) = pages.read(said)
    texts = (Text(keyword="Title", text="Street"), Text(keyword="Author", text="Grete"))
    result = said_of(encode([(SMALL, replace(page.metadata, texts=texts))], "JPEG"))["xmp"]
    assert result["Xmp.dc.title"] == {'lang="x-default"': "Street"}
    assert result["Xmp.dc.creator"] == ["G"]
    assert result["Xmp.autochrome.Notes"] == ["Author: Grete"]


@pytest.mark.parametrize("source", ["JPEG", "TIFF"])
def test_photoshop_s_copyright_flag_and_url_are_carried(source):
    resources = photoshop_of({0x040A: b"\1", 0x040B: b"http://archive.example/17", 0x0409: b"thumbnail"})
    if source == "TIFF":
        data = file_of(Image.fromarray(SMALL), "TIFF", tiffinfo={34377: resources})
    else:
        whole = file_of(SMALL, "JPEG")
        content = b"Photoshop 3.0\0" + resources
        data = whole[:2] + b"\xff\xed" + struct.pack(">H", len(content) + 2) + content + whole[2:]
    for file_format in ("JPEG", "TIFF"):
        made = opened(after(data, file_format))
        blocks = photoshop.blocks(made.tag_v2[34377]) if file_format == "TIFF" else made.info["photoshop"].items()
        assert dict(blocks) == {0x040A: b"\1", 0x040B: b"http://archive.example/17"}
    for file_format in ("PNG", "WEBP"):
        result = said_of(after(data, file_format))["xmp"]
        assert result["Xmp.xmpRights.Marked"] == "True"
        assert result["Xmp.xmpRights.WebStatement"] == "http://archive.example/17"


def photoshop_of(blocks: dict[int, bytes]) -> bytes:
    parts = [
        b"8BIM" + struct.pack(">H2xI", *(number, len(data))) + data.ljust(len(data) + len(data) % 2, b"\0")
        for number, data in blocks.items()
    ]
    return b"".join(parts)
