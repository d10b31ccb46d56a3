import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mounted import Mount, grey, mounted

from model.borders import Picture, find

EVEN = (0.08, 0.08, 0.08, 0.08)
NAMES = ["astronaut", "camera", "coffee", "chelsea", "coins", "motorcycle"]


def photo_of(name: str) -> np.ndarray:
    found = skimage.data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(skimage.data, name)()
    return grey(found)


def covered(picture: Picture, height: int, width: int) -> np.ndarray:
    """Which pixels are within the edges, bool [height, width]."""
    y, x = (np.arange(height)[:, None] + 0.5) / height, (np.arange(width)[None] + 0.5) / width
    across = (x >= picture.left.start + picture.left.slope * y) & (x < picture.right.start + picture.right.slope * y)
    down = (y >= picture.top.start + picture.top.slope * x) & (y < picture.bottom.start + picture.bottom.slope * x)
    return across & down


def overlap(photo: np.ndarray, truth: np.ndarray) -> float:
    """The pixels that truth and found picture share, as a part of those in either."""
    picture = find(photo)
    assert picture is not None
    found = covered(picture, *truth.shape)
    return np.count_nonzero(found & truth) / np.count_nonzero(found | truth)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tone", [8, 245])
def test_the_picture_in_a_mount_is_found(name, tone):
    assert overlap(*mounted(photo_of(name), Mount(tone=tone, margins=EVEN))) > 0.975


@pytest.mark.parametrize("tone", [70, 200])
def test_a_grey_card_is_a_mount(tone):
    assert overlap(*mounted(photo_of("astronaut"), Mount(tone=tone, margins=(0.2, 0.15, 0.1, 0.25)))) > 0.975


@pytest.mark.parametrize("tilt", [-1.8, -0.7, 0.4, 1.5])
@pytest.mark.parametrize("name", ["chelsea", "motorcycle"])
def test_a_picture_that_lies_askew_is_found(name, tilt):
    assert overlap(*mounted(photo_of(name), Mount(tone=240, margins=EVEN, tilt=tilt))) > 0.97


@pytest.mark.parametrize("tone", [245, 15])
def test_a_caption_belongs_to_the_margin(tone):
    mount = Mount(tone=tone, margins=(0.05, 0.05, 0.05, 0.2), caption=True)
    assert overlap(*mounted(photo_of("motorcycle"), mount)) > 0.975


def test_thin_margins_are_found():
    assert overlap(*mounted(photo_of("chelsea"), Mount(tone=250, margins=(0.02, 0.02, 0.02, 0.02)))) > 0.98


def test_margins_above_and_below_are_enough():
    assert overlap(*mounted(photo_of("chelsea"), Mount(tone=0, margins=(0, 0, 0.2, 0.2), texture=0))) > 0.98


def test_a_margin_on_three_sides_is_enough():
    assert overlap(*mounted(photo_of("chelsea"), Mount(tone=240, margins=(0.1, 0.1, 0, 0.15)))) > 0.975


def test_a_mount_on_a_scanner_is_looked_through():
    print_, inner = mounted(photo_of("chelsea"), Mount(tone=235, margins=EVEN))
    photo, outer = mounted(print_, Mount(tone=10, margins=(0.06, 0.05, 0.07, 0.04)))
    truth = np.zeros(outer.shape, bool)
    truth[outer] = inner.ravel()
    assert overlap(photo, truth) > 0.97


def test_depth_and_channels_make_no_difference():
    photo, _ = mounted(photo_of("chelsea"), Mount(tone=235, margins=EVEN, tilt=0.8))
    found = find(photo)
    assert found is not None
    for other in (np.repeat(photo[..., None], 3, axis=-1), photo.astype(np.uint16) * 257):
        assert find(other).box(1000, 1000) == pytest.approx(found.box(1000, 1000), abs=1)


@pytest.mark.parametrize("scale", [0.5, 6])
def test_the_size_of_the_scan_makes_little_difference(scale):
    photo, truth = mounted(photo_of("chelsea"), Mount(tone=235, margins=EVEN, tilt=0.8, texture=0.5))
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    large = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    assert overlap(large, cv2.resize(truth.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0) > 0.97


@pytest.mark.parametrize(
    "name",
    [*NAMES, "rocket", "moon", "page", "text", "retina", "hubble_deep_field", "immunohistochemistry", "grass"],
)
@pytest.mark.parametrize("turn", [0, 1])
def test_photos_without_borders_have_none(name, turn):
    assert find(np.rot90(photo_of(name), turn)) is None


def landscape(height: int = 300, width: int = 400) -> np.ndarray:
    """A clear sky over a flat sea: one straight edge."""
    photo = np.full((height, width), 225.0)
    photo[height // 3 :] = 70 + 10 * np.random.default_rng(0).normal(0, 1, (height - height // 3, width))
    return np.clip(photo, 0, 255).astype(np.uint8)


def beach() -> np.ndarray:
    """Sky, sea and sand: two level edges, between tones that differ."""
    photo = landscape()
    photo[250:] = 180
    return photo


def backdrop() -> np.ndarray:
    """A person before a studio's backdrop."""
    photo = np.full((400, 300), 150, np.uint8)
    cv2.ellipse(photo, (150, 140), (50, 65), 0, 0, 360, 210, -1)
    cv2.ellipse(photo, (150, 400), (120, 190), 0, 0, 360, 40, -1)
    return cv2.GaussianBlur(photo, (0, 0), 2)


def oval() -> np.ndarray:
    """A picture in an oval mount."""
    photo, _ = mounted(photo_of("chelsea"), Mount(tone=235, margins=EVEN))
    mask = np.zeros(photo.shape, np.uint8)
    cv2.ellipse(mask, (photo.shape[1] // 2, photo.shape[0] // 2), (190, 130), 0, 0, 360, 1, -1)
    return np.where(mask > 0, photo, 235).astype(np.uint8)


def night() -> np.ndarray:
    """Lights in the dark."""
    photo = np.full((300, 400), 6, np.uint8)
    for number, (x, y) in enumerate(np.random.default_rng(1).integers(60, 240, (25, 2))):
        cv2.circle(photo, (int(x) + 40, int(y)), 3 + number % 9, 200, -1)
    return photo


def snow() -> np.ndarray:
    """Dark trees in snow."""
    photo = np.full((300, 400), 245, np.uint8)
    for x in (70, 150, 290):
        cv2.fillPoly(photo, [np.array([[x, 60], [x - 30, 220], [x + 30, 220]])], 50)
    return photo


@pytest.mark.parametrize("make", [landscape, beach, backdrop, oval, night, snow])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_flat_parts_of_a_scene_are_no_border(make, turn):
    assert find(np.rot90(make(), turn)) is None


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_a_picture_of_nothing_has_no_border(tone):
    assert find(np.full((300, 200), tone, np.uint8)) is None


@settings(max_examples=80, deadline=None)
@given(
    photo=arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 60), st.integers(1, 60)),
        elements=st.sampled_from([0, 3, 200, 255]),
        fill=st.just(0),
    )
)
def test_whatever_is_found_lies_within_the_photo(photo):
    picture = find(photo)
    if picture is not None:
        left, top, right, bottom = picture.box(*photo.shape)
        assert 0 <= left < right <= photo.shape[1]
        assert 0 <= top < bottom <= photo.shape[0]


@settings(max_examples=25, deadline=None)
@given(
    tone=st.sampled_from([5, 20, 215, 250]),
    margins=st.tuples(*[st.floats(0.04, 0.2)] * 4),
    tilt=st.floats(-1.5, 1.5),
    seed=st.integers(0, 9),
)
def test_any_mount_is_found_and_its_mirror_image_too(tone, margins, tilt, seed):
    photo, truth = mounted(photo_of("chelsea"), Mount(tone=tone, margins=margins, tilt=tilt, seed=seed))
    assert overlap(photo, truth) > 0.96
    assert overlap(photo[:, ::-1], truth[:, ::-1]) > 0.96
