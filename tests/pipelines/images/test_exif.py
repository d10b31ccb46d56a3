import struct

import pytest

from pipelines.images import exif
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_tags import EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD, MAKER_NOTE


def directory_of(order: str = "<") -> Directory:
    directory = Directory(order=order, fields={315: Field(type=2, data=b"Grete\0")})
    directory.put(274, 3, 6)
    directory.put(282, 5, 300, 1)
    directory.put(283, 5, 150, 1)
    directory.put(256, 3, 40)
    photo = Directory(order=order)
    photo.put(40961, 3, 65_535)
    photo.put(40962, 3, 40)
    photo.put(42240, 5, 22, 10)
    photo.children[INTEROPERABILITY_IFD] = Directory(order=order, fields={1: Field(type=2, data=b"R03\0")})
    directory.children[EXIF_IFD] = photo
    return directory


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("transposed", [False, True])
def test_what_is_said_becomes_true_of_the_pixels(order, transposed):
    directory = directory_of(order)
    exif.make_true(directory, (30, 40), transposed=transposed)
    photo = directory.children[EXIF_IFD]
    assert directory.number(274) == 1
    assert directory.number(256) == 30
    resolution = [struct.unpack(f"{order}II", directory.fields[tag].data)[0] for tag in (282, 283)]
    assert resolution == ([150, 300] if transposed else [300, 150])
    assert (photo.number(40961), photo.number(40962)) == (1, 30)
    assert 42240 not in photo.fields
    assert photo.children[INTEROPERABILITY_IFD].fields[1].data == b"R98\0"
    assert directory.fields[315].data == b"Grete\0"


@pytest.mark.parametrize(("space", "index"), [("adobe_rgb", b"R03\0"), ("display_p3", None), ("ecirgb_v2", None)])
def test_pixels_in_another_space_are_not_called_srgb(space, index):
    directory = directory_of()
    exif.make_true(directory, (30, 40), transposed=False)
    before = directory.copy()
    photo = exif.in_space(directory, space).children[EXIF_IFD]
    assert photo.number(40961) == 65_535
    found = photo.children[INTEROPERABILITY_IFD].fields.get(1)
    assert (found and found.data) == index
    assert directory == before == exif.in_space(directory, "srgb")
    assert exif.in_space(Directory(), space) == Directory()


def test_nothing_is_said_that_was_not():
    directory = Directory(order="<", fields={315: Field(type=2, data=b"Grete\0")}, children={EXIF_IFD: Directory()})
    exif.make_true(directory, (30, 40), transposed=True)
    assert directory == Directory(
        order="<", fields={315: Field(type=2, data=b"Grete\0")}, children={EXIF_IFD: Directory()}
    )


def test_a_resolution_is_added_where_there_is_none():
    directory = Directory(order=">")
    exif.add_resolution(directory, (300.0, 96.5))
    assert struct.unpack(">II", directory.fields[283].data) == (193, 2)
    assert directory.number(296) == 2
    before = directory.copy()
    exif.add_resolution(directory, (72.0, 72.0))
    assert directory == before
    empty = Directory()
    exif.add_resolution(empty, None)
    assert not empty


def test_the_maker_note_goes_first_and_then_the_longest_values():
    directory = directory_of()
    directory.fields[270] = Field(type=2, data=b"x" * 500)
    directory.children[EXIF_IFD].fields[MAKER_NOTE] = Field(type=7, data=bytes(100))
    directory.children[GPS_IFD] = Directory(
        order="<", fields={29: Field(type=2, data=b"1931:05:01\0"), 27: Field(type=7, data=bytes(900))}
    )
    before = directory.copy()
    shorter, lost = exif.shortened(directory, directory.size - 1)
    assert exif.left_out(lost) == "left out: EXIF MakerNote"
    assert MAKER_NOTE not in shorter.children[EXIF_IFD].fields
    assert 27 in shorter.children[GPS_IFD].fields
    shorter, lost = exif.shortened(directory, 700)
    assert exif.left_out(lost) == "left out: EXIF MakerNote, GPSProcessingMethod, ImageDescription"
    assert shorter.children[GPS_IFD].fields.keys() == {29}
    shorter, _ = exif.shortened(directory, 400)
    assert 270 not in shorter.fields
    assert shorter.size <= 400
    assert directory == before
