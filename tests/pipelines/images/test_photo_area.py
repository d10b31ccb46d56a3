"""A grey photo stays one whatever lies beside it, and a photo in colour stays one too."""

import cv2
import numpy as np
import pytest
from photo_files import file_of
from skimage import data as skimage_data

from pipelines.archive.tone import tone_of
from pipelines.dataset.examples import to_example
from pipelines.errors import Rejected
from pipelines.images import color_kernels, grayscale, photo_area
from pipelines.images.decode import decode

PATCHES = ["0096c8", "005aaa", "008c46", "f0dc00", "d21e28", "c81e78", "ffffff", "6e3c28", "141414"]
CREAM, BLUE, RED = (238, 226, 196), (40, 60, 120), (190, 30, 40)


def print_of(name: str) -> np.ndarray:
    grey = cv2.cvtColor(getattr(skimage_data, name)(), cv2.COLOR_RGB2GRAY)
    return np.dstack([grey] * 3)


def target(width: int, height: int) -> np.ndarray:
    """A strip of patches, as those of Kodak."""
    colours = np.array([list(bytes.fromhex(patch)) for patch in PATCHES], np.uint8)
    return np.repeat(colours[np.arange(width) * len(colours) // width][None], height, axis=0)


def mounted(pixels: np.ndarray, colour: tuple[int, int, int], margin: int) -> np.ndarray:
    framed = cv2.copyMakeBorder(pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=colour)
    grain = np.random.default_rng(0).normal(0, 1.5, framed.shape[:2])[..., None]
    grain[margin:-margin, margin:-margin] = 0
    return np.clip(framed + grain, 0, 255).astype(np.uint8)


def stamped(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    place = int(0.75 * width), int(0.7 * height)
    return cv2.circle(pixels.copy(), place, height // 14, RED, max(2, height // 50))


SCANS = {
    "target below": lambda pixels: np.vstack([pixels, target(pixels.shape[1], pixels.shape[0] // 10)]),
    "target at the right": lambda pixels: np.hstack(
        [pixels, target(pixels.shape[0], pixels.shape[1] // 8).transpose(1, 0, 2)]
    ),
    "red stamp": stamped,
    "cream mount": lambda pixels: mounted(pixels, CREAM, 50),
    "blue border": lambda pixels: mounted(pixels, BLUE, 30),
    "cream mount and target": lambda pixels: np.vstack(
        [mounted(pixels, CREAM, 40), target(pixels.shape[1] + 80, pixels.shape[0] // 10)]
    ),
}


@pytest.mark.parametrize("beside", SCANS)
@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_a_grey_photo_stays_one_beside_anything(name, beside):
    photo = decode(file_of(SCANS[beside](print_of(name)), "JPEG", quality=90))
    assert photo_area.judge(photo.pixels, photo.chroma_step).reason in ("grayscale", "near_gray", "toned")
    assert tone_of(photo.pixels, photo.chroma_step) != "color"
    with pytest.raises(Rejected):
        to_example(photo, "a.jpg", 32)


@pytest.mark.parametrize("beside", [*SCANS, None])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_a_photo_in_colour_stays_one(name, beside):
    pixels = getattr(skimage_data, name)()
    photo = decode(file_of(SCANS[beside](pixels) if beside else pixels, "JPEG", quality=90))
    assert photo_area.judge(photo.pixels, photo.chroma_step).reason is None


def test_a_photo_that_is_grey_as_a_whole_is_judged_as_before():
    for pixels in (print_of("astronaut"), np.rint(print_of("coffee") * [1.0, 0.9, 0.7]).astype(np.uint8)):
        assert photo_area.judge(pixels) == grayscale.judge(pixels)


def test_something_in_colour_in_the_middle_of_a_grey_scene_is_colour():
    pixels = print_of("coffee")
    pixels[120:260, 200:380] = skimage_data.coffee()[120:260, 200:380]
    assert photo_area.judge(pixels).reason is None


def test_something_small_before_a_sky_is_no_stamp():
    light = np.linspace(0, 1, 480, dtype=np.float32)[:, None, None]
    sky = np.array([60, 110, 170]) * (1 - light) + np.array([150, 180, 210]) * light
    sky = np.repeat(sky, 640, axis=1) + np.random.default_rng(0).normal(0, 2, (480, 640, 1))
    photo = cv2.circle(np.clip(sky, 0, 255).astype(np.uint8), (450, 300), 50, (220, 100, 60), -1)
    assert photo_area.judge(photo).reason is None


def test_the_short_way_to_colour_says_what_the_long_way_says(monkeypatch):
    photos = [getattr(skimage_data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket")]
    photos += [SCANS[beside](print_of("astronaut")) for beside in SCANS] + [stamped(photos[1]), photos[0][:, :, ::-1]]
    short = [photo_area.judge(photo) for photo in photos]
    monkeypatch.setattr(photo_area, "_FAR", np.inf)
    long = [photo_area.judge(photo) for photo in photos]
    is_clear = [verdict == photo_area.CLEAR for verdict in short]
    assert sum(is_clear) >= 3
    for clear, one, other in zip(is_clear, short, long, strict=True):
        assert (other.reason is None and other.residual > 3 * other.allowed) if clear else one == other


def test_the_figures_of_the_short_way_are_those_of_the_long_way():
    photo = skimage_data.chelsea()
    sums = grayscale.sums_of(photo)
    figures, distance = np.empty(6), np.empty(256)
    centre = photo_area._CENTRE
    arguments = centre.ravel(), grayscale.RIDGE, photo_area._KEPT, figures, distance
    color_kernels.distances(sums.lines, sums.hats, sums.moments, *arguments)
    measured = grayscale.measure(photo)
    residuals = [grayscale.verdict(measured, part).residual for part in (None, centre)]
    np.testing.assert_allclose(figures[[0, 1, 3]], [measured.texture, *residuals], rtol=1e-5)
    allowed = [grayscale.tolerance(strength, figures[0], 0) for strength in figures[[2, 4]]]
    assert allowed == pytest.approx([grayscale.allowed(measured, part) for part in (None, centre)], rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (50, 12_000), (12_000, 50), (96, 7000), (600, 1001), (1024, 1536)])
def test_a_photo_is_made_small_as_opencv_does(shape):
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    np.testing.assert_array_equal(photo_area._small(rgb), cv2.resize(rgb, (96, 96), interpolation=cv2.INTER_AREA))
