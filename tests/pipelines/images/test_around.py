import gzip

import numpy as np
import pytest
from photo_files import file_of
from PIL import Image
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import around, pages

SMALL = np.ascontiguousarray(skimage_data.astronaut()[:96, 100:180])
JPEG = file_of(SMALL, "JPEG")
KINDS = {
    "colour": JPEG,
    "grey": file_of(SMALL[..., 0], "JPEG"),
    "cmyk": file_of(Image.fromarray(SMALL).convert("CMYK"), "JPEG"),
    "progressive": file_of(SMALL, "JPEG", progressive=True),
}


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_a_jpeg_that_lacks_only_its_end_is_read(data):
    (whole,) = pages.read(data)
    for cut in (1, 2):
        warned: list[str] = []
        (page,) = pages.read(data[:-cut], warned=warned)
        np.testing.assert_array_equal(page.pixels, whole.pixels)
        assert warned == ["no_end_marker"]


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("share", [0.4, 0.6, 0.9, 0.99])
def test_a_jpeg_that_lacks_rows_or_scans_is_rejected(data, share):
    with pytest.raises(Rejected, match="cut short"):
        list(pages.read(data[: int(share * len(data))]))


def test_a_progressive_jpeg_without_its_last_scan_is_rejected():
    data = KINDS["progressive"]
    with pytest.raises(Rejected, match="cut short"):
        list(pages.read(data[: data.rindex(b"\xff\xda")]))


@pytest.mark.parametrize("before", [b"\n\n", bytes(300), b"\xef\xbb\xbf", b"Content-Type: image/jpeg\r\n\r\n"])
@pytest.mark.parametrize("data", [JPEG, file_of(SMALL, "PNG")], ids=["JPEG", "PNG"])
def test_bytes_before_the_start_are_passed_over(before, data):
    assert around.unwrapped(before + data) == (data, ["leading_bytes"])


@pytest.mark.parametrize(
    "data",
    [b"FUJIFILMCCD-RAW " + bytes(60) + JPEG, b"ID3\x03" + bytes(60) + JPEG, b"\0\0" + JPEG + bytes(1 << 17)],
    ids=["raw", "music", "container"],
)
def test_a_preview_in_another_file_is_not_the_photo(data):
    with pytest.raises(Rejected) as raised:
        list(pages.read(data))
    assert raised.value.reason == ("camera_raw" if data[:4] == b"FUJI" else "unreadable")


@pytest.mark.parametrize(("kind", "side"), [("ICO", 256), ("ICNS", 1024)])
def test_the_largest_picture_of_a_file_of_icons_is_the_photo(kind, side):
    file = file_of(skimage_data.astronaut()[:256, :256], kind)
    assert file.count(b"\x89PNG") > 1
    assert around.unwrapped(file) == (file, [])
    [page] = pages.read(file)
    assert page.pixels.shape == (side, side, 3)


def test_gzip_is_opened():
    warned: list[str] = []
    (page,) = pages.read(gzip.compress(JPEG), warned=warned)
    np.testing.assert_array_equal(page.pixels, next(pages.read(JPEG)).pixels)
    assert warned == ["gzipped"]


def test_gzip_that_is_a_bomb_or_broken_is_rejected():
    with pytest.raises(Rejected, match="too_large"):
        around.unwrapped(gzip.compress(bytes(1 << 25)))
    for broken in (gzip.compress(JPEG)[:-20], b"\x1f\x8b\x08" + bytes(40)):
        with pytest.raises(Rejected, match="unreadable"):
            around.unwrapped(broken)


def test_a_png_that_lacks_only_its_end_is_read():
    warned: list[str] = []
    (page,) = pages.read(file_of(SMALL, "PNG")[:-12], warned=warned)
    np.testing.assert_array_equal(page.pixels, SMALL)
    assert warned == ["no_end_marker"]
