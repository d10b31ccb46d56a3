import hashlib

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from model.borders import Line, Picture
from model.framing import recolor_picture
from model.upsampling import guide, recolor
from model.watermark import chips, lay, pattern
from model.watermark_code import LENGTH, Payload
from tfrecords.color import GAMUT_SLACK, luminance

PAYLOAD = Payload("c0ffee", "0a1b2c")


def chroma(side: int = 256) -> np.ndarray:
    """Soft colours, as a model predicts them."""
    y, x = np.mgrid[:side, :side] / np.float32(side)
    return np.dstack([12 * np.sin(3 * x + y), 15 * np.cos(2 * y - x)]).astype(np.float32)


@pytest.fixture(scope="module")
def camera(grey_photos) -> np.ndarray:
    return grey_photos["camera"]


def test_the_key_gives_the_same_chips_for_ever():
    signs, roles = chips()
    told = hashlib.sha256(signs.astype(np.int8).tobytes() + roles.astype(np.int16).tobytes()).hexdigest()
    assert told == "ebab393b8a24b62eae62268439a7f0c4a36ddf7053b7a2fd7948ec8220b50b08"
    assert sorted(set(roles.ravel())) == list(range(-1, LENGTH))
    assert abs(signs.mean()) < 0.03


def test_luminance_is_that_of_the_photo(camera):
    for bits, most, mean in ((8, 0.6, 0.16), (16, 0.03, 0.001)):
        marked = recolor_picture(camera, chroma(), None, bits, watermark=PAYLOAD)
        plain = recolor(camera, chroma(), bits)
        scale = 255 if bits == 8 else 65535
        wanted = luminance(camera)
        off = {name: np.abs(rgb2lab(made / scale)[..., 0] - wanted) for name, made in (("on", marked), ("off", plain))}
        assert off["on"].mean() < max(mean, 1.05 * off["off"].mean())
        assert off["on"].max() < max(most, 1.2 * off["off"].max())
        assert not np.array_equal(marked, plain)


def test_the_difference_cannot_be_seen(camera):
    marked, plain = (rgb2lab(recolor_picture(camera, chroma(), None, watermark=one)) for one in (PAYLOAD, None))
    difference = deltaE_ciede2000(marked, plain)
    assert 0.3 < difference.mean() < 0.65
    assert np.quantile(difference, 0.99) < 2


def test_without_a_content_the_pixels_are_those_without_a_watermark(camera):
    np.testing.assert_array_equal(recolor_picture(camera, chroma(), None), recolor(camera, chroma()))


def test_black_and_white_stay_what_they_are():
    for level in (0, 255):
        page = np.full((300, 400), level, np.uint8)
        made = recolor_picture(page, 0 * chroma(), None, 16, watermark=PAYLOAD).astype(int)
        assert np.abs(made - 257 * level).max() <= 1 + 65535 * GAMUT_SLACK


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (700, 3), (40, 60)])
@pytest.mark.parametrize("side", [16, 256, 300])
def test_every_shape_has_room_for_it(shape, side):
    page = np.full(shape, 128, np.uint8)
    laid = lay(guide(page, chroma(side)), PAYLOAD, (0, 0, shape[1], shape[0]), shape)
    assert laid.planes.shape == (5, max(side, 256), max(side, 256))
    assert np.isfinite(laid.planes).all()
    assert recolor_picture(page, chroma(side), None, watermark=PAYLOAD).shape == (*shape, 3)


def test_the_pattern_lies_on_the_page_whatever_the_picture_within_it(camera):
    """The picture and the whole page have the same pattern where both have colour, so that a detector sees one."""
    page = np.full((600, 800), 128, np.uint8)
    edge = Line(0.25), Line(0.75)
    picture = Picture(left=edge[0], top=edge[0], right=edge[1], bottom=edge[1])
    grey = np.zeros((256, 256, 2), np.float32)
    within, whole = (
        rgb2lab(recolor_picture(page, grey, one, 16, watermark=PAYLOAD) / 65535)[..., 2] for one in (picture, None)
    )
    left, top, right, bottom = picture.box(600, 800)
    inside = (slice(top + 8, bottom - 8), slice(left + 8, right - 8))
    assert np.corrcoef(within[inside].ravel(), whole[inside].ravel())[0, 1] > 0.98
    assert np.abs(within[: top - 1]).max() < 0.01


def test_the_pattern_cannot_be_changed_by_mistake():
    with pytest.raises(ValueError, match="read-only"):
        pattern(PAYLOAD)[0, 0, 0] = 1


def test_smooth_luminance_has_half_of_it():
    noise = np.random.default_rng(0).normal(128, 40, (512, 512)).clip(0, 255)
    size = {}
    for name, page in (("smooth", np.full((512, 512), 128)), ("textured", np.kron(noise[:128, :128], np.ones((4, 4))))):
        guided = guide(page.astype(np.uint8), 0 * chroma())
        added = lay(guided, PAYLOAD, (0, 0, 512, 512), (512, 512)).planes[:2] - guided.planes[:2]
        size[name] = float(np.sqrt(np.mean(added * added)))
    assert size["smooth"] == pytest.approx(0.6 / 1.3 * size["textured"], rel=0.05)
