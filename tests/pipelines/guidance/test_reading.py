import numpy as np
import pytest

from pipelines.errors import Rejected
from pipelines.guidance import reading
from pipelines.guidance.page_files import packed

PHOTO = np.full((40, 60), 128, np.uint8)


def layer(*, alpha: int = 255, given: bool = True) -> np.ndarray:
    rgba = np.zeros((20, 30, 4), np.uint8)
    if given:
        rgba[5:10, 5:10] = [200, 30, 40, alpha]
    return rgba


def test_a_layer_a_painted_copy_and_points_are_read(encoded):
    copy = np.repeat(PHOTO[..., None], 3, axis=2)
    copy[10:20, 10:20] = [200, 30, 40]
    opaque = np.dstack([copy, np.full(PHOTO.shape, 255, np.uint8)])
    for file in (encoded(layer(), "PNG"), encoded(copy, "PNG"), encoded(opaque, "PNG")):
        found = reading.read(file, PHOTO)
        assert found is not None
        rows, columns = found.given.shape
        assert found.given[rows // 3, columns // 4]
        assert found.given.mean() == pytest.approx(100 / 2400, rel=0.3)
    point = reading.read(b'[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]', PHOTO)
    assert point is not None
    assert point.given.any()


def test_each_page_has_its_own_hints(encoded):
    first = b'[{"x": 0.5, "y": 0.5, "color": "#ff0000"}, {"x": 0.5, "y": 0.5, "color": "#ff0000", "page": 4}]'
    data = packed({1: first, 2: encoded(layer(), "PNG"), 4: b'[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]'})
    reading.check_pages(data, 4)
    for page in (1, 2):
        found = reading.read(data, PHOTO, page)
        assert found is not None
        assert found.given.any()
    assert reading.read(data, PHOTO, 3) is None
    with pytest.raises(Rejected, match="there are two for page 4"):
        reading.read(data, PHOTO, 4)


@pytest.mark.parametrize(("pages", "said"), [(1, "1 page"), (3, "3 pages")])
def test_hints_for_a_page_that_is_not_there_are_bad(encoded, pages, said):
    for data in (packed({4: encoded(layer(), "PNG")}), b'[{"x": 0, "y": 0, "color": "#ff0000", "page": 4}]'):
        with pytest.raises(Rejected, match="its hints are for page 4") as raised:
            reading.check_pages(data, pages)
        assert raised.value.reason == "bad_hint"
        assert raised.value.detail.endswith(f"and it has {said}")
        warned: list[str] = []
        assert reading.read_if_good(data, PHOTO, 1, pages, "ignore", warned) is None
        assert warned == ["bad_hint"]


@pytest.mark.parametrize("kind", ["text", "cut", "empty layer", "same copy", "faint"])
def test_a_hint_file_that_cannot_be_used_is_the_photos_fault(encoded, kind):
    data = {
        "text": b"Dear archive,",
        "cut": encoded(layer(), "PNG")[:60],
        "empty layer": encoded(layer(given=False), "PNG"),
        "same copy": encoded(np.repeat(PHOTO[..., None], 3, axis=2), "PNG"),
        "faint": encoded(layer(alpha=100), "PNG"),
    }[kind]
    with pytest.raises(Rejected) as raised:
        reading.read(data, PHOTO)
    assert raised.value.reason == "bad_hint"
    assert "\n" not in raised.value.detail


@pytest.mark.parametrize("data", [b"Dear archive,", b"", b"\xff\xd8\xff\xe0 a JPEG"])
def test_a_file_that_is_neither_a_picture_nor_points_is_told_so(data):
    with pytest.raises(Rejected, match="it is neither PNG nor JSON"):
        reading.read(data, PHOTO)


def test_a_picture_of_hints_that_is_too_large_is_not_decoded(encoded, monkeypatch):
    monkeypatch.setattr(reading, "MOST_PIXELS", 500)
    with pytest.raises(Rejected, match="make it smaller"):
        reading.read(encoded(layer(), "PNG"), PHOTO)


@pytest.mark.parametrize("is_layer", [True, False])
def test_hints_that_were_painted_on_a_photo_that_lies_on_its_side_are_refused(encoded, is_layer):
    painted = layer() if is_layer else layer()[..., :3]
    assert reading.read(encoded(painted, "PNG"), PHOTO) is not None
    assert reading.read(encoded(np.rot90(painted).copy(), "PNG"), PHOTO[:, :40]) is not None
    with pytest.raises(Rejected, match="it has 20 x 30 pixels, and the upright photo 60 x 40: turn it by 90"):
        reading.read(encoded(np.rot90(painted).copy(), "PNG"), PHOTO)


@pytest.mark.parametrize("background", [255, 0])
def test_a_layer_that_lost_its_transparency_is_refused_and_does_not_make_the_photo_grey(encoded, background):
    flat = np.full((40, 60, 3), background, np.uint8)
    flat[10:20, 10:20] = [200, 30, 40]
    with pytest.raises(Rejected, match="save it with transparency"):
        reading.read(encoded(flat, "PNG"), PHOTO)
    scan = np.full((40, 60), background, np.uint8)  # a copy of a scan that is as light as that
    found = reading.read(encoded(flat, "PNG"), scan)
    assert found is not None
    assert found.given.sum() == 100
