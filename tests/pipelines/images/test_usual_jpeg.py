import bombs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import damaged, file_of, opened, swapped_profile
from PIL import ImageCms
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import decode, usual_jpeg

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:90, 100:260])
GREY = np.ascontiguousarray(PHOTO[..., 1])
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ON_ITS_SIDE = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
USUAL = {
    "colour": file_of(PHOTO, "JPEG"),
    "grey": file_of(GREY, "JPEG", quality=40),
    "full chroma": file_of(PHOTO, "JPEG", quality=98, subsampling=0),
    "restarts": file_of(PHOTO, "JPEG", restart_marker_blocks=4),
    "comment": file_of(PHOTO, "JPEG", comment=b"a kite"),
    "sRGB": file_of(PHOTO, "JPEG", icc_profile=SRGB),
    "tables of 16 bits": file_of(PHOTO, "JPEG", qtables=[[300] * 64, [280] * 64]),
    "bytes behind the end": file_of(PHOTO, "JPEG") + b"behind",
}
OTHERS = {
    "progressive": file_of(PHOTO, "JPEG", progressive=True),
    "on its side": file_of(
        PHOTO, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    ),
    "other colours": file_of(PHOTO, "JPEG", icc_profile=swapped_profile()),
    "CMYK": file_of(opened(file_of(PHOTO, "PNG")).convert("CMYK"), "JPEG"),
    "PNG": file_of(PHOTO, "PNG"),
    "cut short": file_of(PHOTO, "JPEG")[:-400] + b"\xff\xd9",
    "a bomb": bombs.progressive(100, 100, scans=3),
}
UNKNOWN = bombs.segment(0xE5, b"of an unknown program")


def decoded(data: bytes) -> tuple[object, ...]:
    try:
        photo = decode.decode(data)
    except Rejected as verdict:
        return (verdict.reason,)
    told = photo.pixels.shape, photo.pixels.tobytes(), photo.pixels.flags.c_contiguous
    return *told, photo.height, photo.width, photo.format, photo.chroma_step


@pytest.mark.parametrize("data", USUAL.values(), ids=USUAL)
def test_a_usual_jpeg_is_what_pillow_makes_of_it(data):
    found = usual_jpeg.read(data)
    image = opened(data)
    np.testing.assert_array_equal(found.pixels, np.asarray(image))
    assert found.chroma_step == decode.chroma_step(image)
    assert decoded(data) == decoded(data[:2] + UNKNOWN + data[2:])


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
def test_other_files_are_left_to_pillow(data):
    assert usual_jpeg.read(data) is None


def test_a_jpeg_that_may_be_decoded_smaller_is_left_to_pillow():
    assert usual_jpeg.read(USUAL["colour"], 45) is None
    assert usual_jpeg.read(USUAL["colour"], 46).pixels.shape == PHOTO.shape


@pytest.mark.parametrize("name", USUAL)
@given(data=st.data())
def test_a_damaged_jpeg_has_the_same_outcome_either_way(name, data):
    """A segment that no reader knows changes nothing but the way."""
    found = damaged(USUAL[name], data)
    if found.startswith(b"\xff\xd8\xff"):
        assert decoded(found) == decoded(found[:2] + UNKNOWN + found[2:])
