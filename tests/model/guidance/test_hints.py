import cv2
import numpy as np
import pytest

from model.borders import Line, Picture, find
from model.guidance import hints
from model.guidance.hints import Point
from tfrecords.color import srgb_to_lab

BLUE, RED = (40, 80, 200), (200, 30, 40)


def lab_of(rgb: tuple[int, int, int]) -> np.ndarray:
    return srgb_to_lab(np.array([[rgb]], np.uint8))[0, 0, 1:]


def test_points_are_discs_and_the_later_one_is_seen():
    drawn = hints.of_points(
        [Point(x=0.5, y=0.5, radius=0.1, rgb=BLUE), Point(x=0.5, y=0.5, radius=0, rgb=RED)], 100, 200
    )
    assert drawn.given.shape == (100, 200)
    assert drawn.given.sum() == pytest.approx(np.pi * 20**2, rel=0.02)
    np.testing.assert_array_equal(drawn.chroma[50, 100], lab_of(RED))
    np.testing.assert_array_equal(drawn.chroma[50, 110], lab_of(BLUE))
    assert not drawn.given[50, 125]


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0)])
def test_a_point_at_a_corner_is_one_of_the_photos_pixels(place):
    drawn = hints.of_points([Point(x=place[0], y=place[1], radius=0, rgb=RED)], 3000, 5000)
    assert drawn.given.sum() == 1
    assert max(drawn.given.shape) == hints.MOST_SIDE
    assert drawn.given[-int(place[0]), -int(place[1])]


def test_what_is_more_than_half_opaque_is_a_hint_and_grey_means_no_colour():
    layer = np.zeros((4, 4, 4), np.uint8)
    layer[0] = [*RED, 128]
    layer[1] = [*RED, 127]
    layer[2] = [90, 90, 90, 255]
    found = hints.of_layer(layer)
    np.testing.assert_array_equal(found.given.all(axis=1), [True, False, True, False])
    np.testing.assert_allclose(found.chroma[0], np.tile(lab_of(RED), (4, 1)), rtol=1e-5)
    assert not found.chroma[2].any()


@pytest.mark.parametrize("scale", [1, 0.5])
def test_a_painted_copy_gives_what_was_painted(photos, scale):
    photo = photos["coffee"].mean(axis=2).astype(np.uint8)
    painted = np.repeat(photo[..., None], 3, axis=2)
    painted[100:200, 100:200] = RED
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    small = painted if scale == 1 else cv2.resize(painted, size, interpolation=cv2.INTER_AREA)
    found = hints.of_copy(small, photo)
    expected = np.zeros(photo.shape, np.bool_)
    expected[100:200, 100:200] = True
    expected = cv2.resize(expected.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    assert (found.given == expected).mean() > 0.99


def test_a_stroke_of_one_pixel_survives_on_a_small_grid():
    layer = np.zeros((3000, 2000, 4), np.uint8)
    layer[:, 777] = [*RED, 255]
    found = hints.of_layer(layer)
    given = hints.cells(found, (3000, 2000), None, 30, 20)
    np.testing.assert_array_equal(given[..., 2].sum(axis=1), 1)
    np.testing.assert_allclose(given[:, 7, :2], np.tile(lab_of(RED), (30, 1)), rtol=1e-5)


def test_cells_of_a_part_are_those_of_the_part():
    layer = np.zeros((10, 20, 4), np.uint8)
    layer[2:4, 10:12] = [*RED, 255]  # of a photo of 100 x 200 pixels: rows 20 to 40, columns 100 to 120
    picture = Picture(top=Line(0.1), bottom=Line(0.5), left=Line(0.45), right=Line(0.65))
    assert picture.box(100, 200) == (90, 10, 130, 50)
    given = hints.cells(hints.of_layer(layer), (100, 200), picture, 40, 40)
    expected = np.zeros((40, 40), np.bool_)
    expected[10:30, 10:30] = True
    np.testing.assert_array_equal(given[..., 2] > 0, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_under_a_hint_keep_its_colour_where_srgb_shows_it(grey_photos, dtype):
    photo = np.clip(grey_photos["coins"], 60, 190).astype(dtype) * (257 if dtype == np.uint16 else 1)
    muted = (130, 110, 150)
    found = hints.of_points([Point(x=0.5, y=0.5, radius=0.2, rgb=muted)], *photo.shape)
    colored = np.repeat(photo[..., None], 3, axis=2)
    hints.paint(colored, photo, found)
    lab, grey = srgb_to_lab(colored), srgb_to_lab(np.repeat(photo[..., None], 3, axis=2))
    assert np.hypot(*np.moveaxis(lab[found.given][:, 1:] - lab_of(muted), -1, 0)).max() < 1
    assert np.abs(lab[..., 0] - grey[..., 0]).max() < 0.5
    np.testing.assert_array_equal(colored[~found.given], np.repeat(photo[..., None], 3, axis=2)[~found.given])


def test_no_hint_colours_the_margin_of_a_print(grey_photos):
    photo = np.pad(grey_photos["coins"], 40, constant_values=240)
    picture = find(photo)
    assert picture is not None
    found = hints.of_points([Point(x=0.5, y=0.5, radius=1, rgb=RED)], *photo.shape)
    colored = np.repeat(photo[..., None], 3, axis=2)
    hints.paint(colored, photo, found, picture)
    assert (colored[:36] == colored[:36, :, :1]).all()
    assert (colored[60:-60, 60:-60, 0] > colored[60:-60, 60:-60, 1]).mean() > 0.9
