import io

import numpy as np
import pytest
from PIL import Image

from pipelines.errors import Rejected
from pipelines.viewer.pictures import SIDE, draw


class Parent:
    """Takes what a child tells its parent."""

    def __init__(self) -> None:
        self.told: dict[int, Image.Image] = {}

    def ask(self, question: tuple[int, bytes]) -> None:
        page, file = question
        self.told[page] = Image.open(io.BytesIO(file))


def drawn(data: bytes, *wanted: int) -> dict[int, Image.Image]:
    parent = Parent()
    draw(parent, data, dict.fromkeys(wanted, 1.0))
    return parent.told


@pytest.fixture(scope="module")
def album(photos, grey_photos) -> bytes:
    first, *rest = (Image.fromarray(pixels) for pixels in (photos["coffee"], grey_photos["coins"], photos["rocket"]))
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=rest)
    return buffer.getvalue()


def test_a_label_below_the_picture_is_not_shown(photos, encoded):
    parent = Parent()
    draw(parent, encoded(np.ascontiguousarray(photos["coffee"][:300, :400]), "PNG"), {1: 200 / 300})
    assert parent.told[1].size == (400, 200)


def test_a_photo_is_a_small_jpeg_that_looks_like_it(photos, encoded):
    [(page, picture)] = drawn(encoded(np.tile(photos["coffee"], (2, 3, 1)), "PNG"), 1).items()
    assert (page, picture.format, picture.size) == (1, "JPEG", (SIDE, 284))
    expected = Image.fromarray(np.tile(photos["coffee"], (2, 3, 1))).resize(picture.size, Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(picture, int) - np.asarray(expected, int)).mean() < 5


def test_a_small_photo_is_not_enlarged_and_a_grey_one_stays_grey(grey_photos, encoded):
    picture = drawn(encoded(grey_photos["coins"], "JPEG"), 1)[1]
    assert (picture.mode, picture.size) == ("L", (384, 303))


def test_only_the_pages_that_are_wanted_are_drawn(album):
    assert {page: picture.mode for page, picture in drawn(album, 2, 3, 9).items()} == {2: "L", 3: "RGB"}
    assert {page: picture.size for page, picture in drawn(album, 1).items()} == {1: (600, 400)}
    assert set(drawn(album, 1, 3)) == {1, 3}


def test_a_photo_lies_as_its_camera_says(grey_photos, encoded):
    turned = Image.Exif()
    turned[0x0112] = 6
    assert drawn(encoded(grey_photos["coins"], "JPEG", exif=turned), 1)[1].size == (303, 384)


def test_what_cannot_be_read_is_rejected_after_the_pages_before_it(album):
    with pytest.raises(Rejected):
        drawn(b"not a photo", 1)
    with pytest.raises(Rejected):
        drawn(b"not a photo", 1, 2)
