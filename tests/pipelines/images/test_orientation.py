import io

import numpy as np
import pytest
from photo_files import file_of
from PIL import ExifTags, Image, ImageOps

from pipelines.images import orientation

LETTER = np.array([[1, 2, 3], [4, 5, 6]], np.uint8) * 40


def turned(value: int) -> Image.Image:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    return Image.open(io.BytesIO(file_of(LETTER, "PNG", exif=exif)))


@pytest.mark.parametrize("value", range(1, 9))
def test_a_photo_is_turned_as_pillow_turns_it(value):
    image = turned(value)
    assert orientation.of(image) == value
    expected = np.asarray(ImageOps.exif_transpose(image))
    found = orientation.upright(LETTER, value)
    np.testing.assert_array_equal(found, expected)
    assert found.flags["C_CONTIGUOUS"]
    assert orientation.transposes(value) == (found.shape != LETTER.shape)
    colour = np.dstack([LETTER, LETTER + 1, LETTER + 2])
    np.testing.assert_array_equal(orientation.upright(colour, value)[..., 1], expected + 1)


@pytest.mark.parametrize("value", [0, 9, 255])
def test_an_orientation_that_does_not_exist_counts_as_none(value):
    assert orientation.valid(value) == orientation.of(turned(value)) == orientation.UPRIGHT
    np.testing.assert_array_equal(orientation.upright(LETTER, orientation.UPRIGHT), LETTER)


def test_broken_exif_counts_as_none():
    data = file_of(LETTER, "JPEG", exif=b"Exif\0\0" + b"\xa5" * 40)
    assert orientation.of(Image.open(io.BytesIO(data))) == orientation.UPRIGHT


@pytest.mark.parametrize("place", [12, 24, 40, 90])
def test_exif_that_is_damaged_anywhere_rejects_no_photo(place):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Grete Mueller im Schnee"
    block = exif.tobytes()
    for value in (0, 1, 7, 255):
        broken = block[:place] + bytes([value]) * 3 + block[place + 3 :]
        assert orientation.of(Image.open(io.BytesIO(file_of(LETTER, "JPEG", exif=broken)))) in range(1, 9)


def test_a_png_that_is_cut_short_is_not_taken_for_an_upright_one():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    data = file_of(noise, "PNG")
    with pytest.raises(OSError, match="truncated"):
        orientation.of(Image.open(io.BytesIO(data[: len(data) // 2])))
