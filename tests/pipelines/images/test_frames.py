import io

import numpy as np
import pytest
from photo_files import file_of
from PIL import Image
from skimage import data as skimage_data

from pipelines.images import frames, pages
from pipelines.images.reading import Reading

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:64, 100:180])


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "AVIF", "MPO"])
def test_frames_that_are_left_out_give_a_warning(file_format):
    first, second = Image.fromarray(SMALL), Image.fromarray(SMALL[::-1])
    for more, expected in (([second], ["frames_dropped"]), ([], [])):
        warned: list[str] = []
        kind = "JPEG" if file_format == "MPO" and not more else file_format
        data = file_of(first, kind, **({"save_all": True, "append_images": more} if more else {}))
        (page,) = pages.read(data, warned=warned)
        assert warned == expected
        assert np.abs(page.pixels.astype(int) - SMALL).mean() < 12


def test_thumbnails_of_a_camera_are_no_frames():
    data = file_of(Image.fromarray(SMALL), "MPO", save_all=True, append_images=[Image.fromarray(SMALL[::4, ::4])])
    with Image.open(io.BytesIO(data)) as image:
        assert frames.of(image) == 2
        image.mpinfo[0xB002][1]["Attribute"]["MPType"] = "Large Thumbnail (VGA Equivalent)"
        assert frames.of(image) == 1


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "AVIF", "MPO"])
def test_all_frames_are_read_where_the_user_asks_for_them(file_format):
    pictures = [SMALL, SMALL[::-1], SMALL[:, ::-1]]
    first, *more = map(Image.fromarray, pictures)
    data = file_of(first, file_format, save_all=True, append_images=more)
    warned: list[str] = []
    found = list(pages.read(data, Reading(pages="all"), warned))
    assert (warned, [(page.index, page.count) for page in found]) == ([], [(0, 3), (1, 3), (2, 3)])
    for page, expected in zip(found, pictures, strict=True):
        assert np.abs(page.pixels.astype(int) - expected).mean() < 12


def test_all_frames_of_a_still_picture_are_one():
    assert [page.count for page in pages.read(file_of(SMALL, "JPEG"), Reading(pages="all"))] == [1]
