"""What of the metadata a format has room for."""

import numpy as np
import pytest
from photo_files import exif_of, file_of, opened, said_of, saying
from PIL import ExifTags, Image, PngImagePlugin
from skimage import data as skimage_data

from pipelines.images import pages, tiff_directory
from pipelines.images.carried import JPEG_EXIF_ROOM, carried
from pipelines.images.encode import encode
from pipelines.images.metadata import Metadata
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
    assert carried(page.metadata, "JPEG", None).warnings == ("exif_shortened",)
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


def test_xmp_and_iptc_too_long_for_a_jpeg_are_dropped_with_a_warning():
    said = Metadata(xmp=xmp_of("x" * 70_000), iptc=b"\x1c\x02\x78" + b"x" * 66_000)
    assert carried(said, "JPEG", MARK).warnings == ("xmp_dropped", "iptc_dropped")
    result = said_of(encode([(SMALL, said)], "JPEG", mark=MARK))
    assert result["xmp"]["Xmp.iptcExt.DigitalSourceType"] == COMPOSITE
    assert carried(said, "TIFF", MARK).warnings == ()


def xmp_of(text: str) -> bytes:
    (page,) = pages.read(saying(file_of(SMALL, "PNG"), xmp={"Xmp.photoshop.Instructions": text}))
    return page.metadata.xmp


def test_what_of_resolution_and_comment_a_format_has_no_room_for_is_told():
    described = Image.Exif()
    described[ExifTags.Base.ImageDescription] = "Road"
    exif = tiff_directory.read(described.tobytes().removeprefix(b"Exif\0\0"))
    told = [
        ((Metadata(dpi=(70_000.0, 300.0)), "JPEG"), ("dpi_dropped",)),
        ((Metadata(dpi=(70_000.0, 300.0)), "PNG"), ()),
        ((Metadata(comment=b"x" * 70_000), "JPEG"), ("comment_shortened",)),
        ((Metadata(comment=b"im Schnee"), "WEBP"), ("comment_dropped",)),
        ((Metadata(comment=b"im Schnee"), "TIFF"), ()),
        ((Metadata(comment=b"im Schnee", exif=exif), "TIFF"), ("comment_dropped",)),
        ((Metadata(comment=b"Road", exif=exif), "TIFF"), ()),
    ]
    for (said, file_format), expected in told:
        assert carried(said, file_format, MARK).warnings == expected
    long = opened(encode([(SMALL, Metadata(comment=b"x" * 70_000))], "JPEG"))
    assert long.info["comment"] == b"x" * 65_533


def test_the_texts_of_a_png_are_carried_to_a_png_and_their_loss_is_told():
    texts = {"Title": "Harbour 1911", "Author": "Grete Müller", "Description": "Glass plate no. 17, 東京"}
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        info.add_itxt(keyword, text) if "東" in text else info.add_text(keyword, text, zip=keyword == "Author")
    info.add_text("Comment", "in snow")
    data = file_of(SMALL, "PNG", pnginfo=info)
    (page,) = pages.read(data)
    assert dict(page.metadata.texts) == texts
    result = opened(after(data, "PNG")).info
    assert {keyword: result[keyword] for keyword in texts} == texts
    assert carried(page.metadata, "PNG", MARK).warnings == ()
    for file_format in ("JPEG", "TIFF"):
        assert carried(page.metadata, file_format, MARK).warnings == ("text_dropped",)
    (bare,) = pages.read(file_of(SMALL, "PNG"))
    assert (bare.metadata.texts, carried(bare.metadata, "JPEG", MARK).warnings) == ((), ())
