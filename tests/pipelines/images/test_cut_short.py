import io

import numpy as np
import pytest
import tifffile
from photo_files import file_of
from PIL import Image
from skimage import data as skimage_data

from pipelines.errors import Rejected
from pipelines.images import pages
from pipelines.images.reading import Reading

PHOTO = np.ascontiguousarray(skimage_data.astronaut()[:200, 100:300])
GREY = np.ascontiguousarray(PHOTO[..., 1])
KEEP = Reading(truncated="keep")


def tiff_of(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, metadata=None, rowsperstrip=8, **options)
    return buffer.getvalue()


CUT = {
    "JPEG": file_of(PHOTO, "JPEG"),
    "JPEG, grey": file_of(GREY, "JPEG"),
    "PNG": file_of(PHOTO, "PNG"),
    "PNG, grey": file_of(GREY, "PNG"),
    "BMP": file_of(np.ascontiguousarray(PHOTO[::-1]), "BMP"),
    "TIFF": tiff_of(PHOTO),
    "TIFF, LZW": tiff_of(GREY, compression="lzw"),
    "TIFF, 16 bits": tiff_of(GREY.astype(np.uint16) * 257),
    "PPM": file_of(PHOTO, "PPM"),
    "GIF": file_of(Image.fromarray(GREY), "GIF", interlace=0),
}


@pytest.mark.parametrize("data", CUT.values(), ids=CUT)
def test_rows_that_are_there_are_kept_and_the_rest_is_grey(data):
    cut = data[: len(data) * 6 // 10]
    with pytest.raises(Rejected, match="unreadable"):
        list(pages.read(cut))
    (whole,) = pages.read(data)
    warned: list[str] = []
    (page,) = pages.read(cut, KEEP, warned)
    assert "truncated" in (*warned, *page.metadata.warnings)
    found, expected = (one.pixels / (257 if one.pixels.dtype == np.uint16 else 1) for one in (page, whole))
    if data[:2] == b"BM":  # from the bottom up
        found, expected = found[::-1], expected[::-1]
    assert np.abs(found[:80] - expected[:80]).mean() < 1
    assert np.abs(found[-40:].mean() - 128) < 6
    assert found[-40:].std() < 6


@pytest.mark.parametrize("data", CUT.values(), ids=CUT)
def test_whole_files_are_read_as_ever(data):
    warned: list[str] = []
    (kept,), (page,) = pages.read(data, KEEP, warned), pages.read(data)
    np.testing.assert_array_equal(kept.pixels, page.pixels)
    assert (warned, kept.metadata.warnings) == ([], page.metadata.warnings)


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_rows_that_are_kept_are_upright(compression):
    data = tiff_of(PHOTO, compression=compression, extratags=[(274, 3, 1, 6, True)])
    (page,), (whole,) = pages.read(data[: len(data) * 6 // 10], KEEP), pages.read(data)
    np.testing.assert_array_equal(page.pixels[:, -80:], whole.pixels[:, -80:])
    assert page.pixels[:, :40].std() < 6


def test_a_file_without_a_single_row_is_rejected():
    for data in (file_of(PHOTO, "PNG")[:60], file_of(PHOTO, "JPEG")[:200], tiff_of(PHOTO)[:300]):
        with pytest.raises(Rejected, match="unreadable"):
            list(pages.read(data, KEEP))
