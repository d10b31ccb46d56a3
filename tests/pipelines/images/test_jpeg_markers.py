import bombs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import file_of

from pipelines.images import jpeg_markers, pages

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.mark.parametrize(
    ("options", "scans"),
    [
        ({}, 1),
        ({"restart_marker_blocks": 1}, 1),
        ({"progressive": True}, 10),
        ({"progressive": True, "restart_marker_blocks": 1}, 10),
    ],
)
def test_the_scans_of_a_photo(options, scans):
    assert jpeg_markers.scans(file_of(PIXELS, "JPEG", **options)) == scans


def test_scans_of_a_thumbnail_or_of_what_follows_do_not_count():
    photo = file_of(PIXELS, "JPEG", progressive=True)
    comment = bombs.segment(0xFE, photo[:5000])
    assert jpeg_markers.scans(photo[:2] + comment + photo[2:] + photo) == 10


@pytest.mark.parametrize("scans", [1, 30, 400])
def test_scans_that_change_nothing_count(scans):
    assert jpeg_markers.scans(bombs.progressive(100, 100, scans=scans)) == 1 + scans


@given(st.binary(max_size=200))
def test_any_bytes_have_a_scan_at_least(garbage):
    assert jpeg_markers.scans(garbage) == 1
    assert jpeg_markers.scans(b"\xff\xd8" + garbage) >= 1
    photo = file_of(PIXELS[:8, :8], "JPEG", progressive=True)
    assert jpeg_markers.scans(photo[: len(garbage)]) >= 1
    assert jpeg_markers.size(garbage) == (0, 0)
    assert len(jpeg_markers.size(b"\xff\xd8" + garbage)) == 2


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_the_size_of_a_photo(options):
    photo = file_of(PIXELS, "JPEG", **options)
    comment = bombs.segment(0xFE, file_of(PIXELS[:9], "JPEG"))
    assert jpeg_markers.size(photo[:2] + comment + photo[2:]) == (60, 40)


@pytest.mark.parametrize(
    "segment", [b"\xff\xe0\x00\x07JFIF\0", b"\xff\xee\x00\x07Adobe", b"\xff\xe2\x00\x0eICC_PROFILE\0"]
)
def test_a_jpeg_with_broken_metadata_is_read_without_it(segment):
    data = file_of(np.zeros((16, 16, 3), np.uint8), "JPEG")
    (page,) = pages.read(data[:2] + segment + data[20:])
    assert page.pixels.shape == (16, 16, 3)
    assert page.metadata.warnings == ("metadata_dropped",)
