import numpy as np
import pytest
from photo_files import file_of, opened, swapped_profile
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import pages, plain_jpeg
from pipelines.images.decode import decode
from pipelines.images.reading import Reading

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:200, 100:340])
GREY = np.ascontiguousarray(PHOTO[..., 1])
END = b"\xff\xd9"
KINDS = {
    "colour": file_of(PHOTO, "JPEG"),
    "grey": file_of(GREY, "JPEG"),
    "profile": file_of(PHOTO, "JPEG", icc_profile=swapped_profile()),
    "restarts": file_of(PHOTO, "JPEG", restart_marker_blocks=8),
}


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_rows_that_somebody_hid_behind_an_end_marker_are_missed(data):
    cut = data[: len(data) * 6 // 10] + END
    with pytest.raises(Rejected, match=r"unreadable.*\d of 200 rows are missing"):
        list(pages.read(cut))
    (page,) = pages.read(cut, Reading(truncated="keep"))
    (whole,) = pages.read(data)
    assert page.metadata.warnings == ("truncated",)
    np.testing.assert_array_equal(page.pixels[:60], whole.pixels[:60])
    assert page.pixels[-40:].std() < 3


@pytest.mark.parametrize("size", [100, 50, 25])
@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_missing_rows_are_missed_in_a_picture_that_is_decoded_smaller(data, size):
    whole = decode(data, shrink_to=size)
    assert (whole.height, len(whole.pixels)) == (200, size)
    with pytest.raises(Rejected, match=r"unreadable.*\d of 200 rows are missing"):
        decode(data[: len(data) * 6 // 10] + END, shrink_to=size)
    kept = decode(data[: len(data) * 6 // 10] + END, shrink_to=size, reading=Reading(truncated="keep"))
    assert kept.pixels[-size // 5 :].std() < 3


def test_a_grey_strip_at_the_bottom_is_not_missing():
    data = file_of(np.concatenate([PHOTO, np.full((40, 240, 3), 128, np.uint8)]), "JPEG")
    assert decode(data, shrink_to=60).height == 240


def test_a_jpeg_that_lacks_its_last_block_is_read_with_a_warning():
    data = KINDS["colour"]
    (page,) = pages.read(data[:-60] + END)
    assert page.metadata.warnings == ("data_damaged",)
    assert np.abs(page.pixels[:180].astype(int) - PHOTO[:180]).mean() < 5


@pytest.mark.parametrize("kind", ["colour", "grey"])
def test_the_pixels_are_those_of_pillow(kind):
    (page,) = pages.read(KINDS[kind])
    np.testing.assert_array_equal(page.pixels, np.asarray(opened(KINDS[kind])))
    assert page.metadata.warnings == ()


def test_rows_are_missing_only_where_all_of_them_is_grey():
    picture = np.full((20, 8), 128, np.uint8)
    assert plain_jpeg.missing_rows(picture) == 20
    picture[3, 4] = 100
    assert plain_jpeg.missing_rows(picture) == 16
