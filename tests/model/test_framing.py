import cv2
import numpy as np
import pytest
import skimage.color
import skimage.data
from mounted import Mount, mounted

from model.borders import Line, Picture, find
from model.framing import recolor_picture, seen_part
from model.upsampling import model_luminance, recolor
from tfrecords.color import srgb_to_lab

GREEN = np.full((16, 16, 2), (-30, 20), np.float32)
CAT = cv2.cvtColor(skimage.data.chelsea(), cv2.COLOR_RGB2GRAY)
ASKEW, TRUTH = mounted(CAT, Mount(tone=225, margins=(0.1, 0.07, 0.05, 0.2), tilt=1.4, caption=True))
PICTURE = find(ASKEW)


def chroma_of(pixels: np.ndarray) -> np.ndarray:
    return np.hypot(*np.moveaxis(srgb_to_lab(pixels)[..., 1:], -1, 0))


def test_the_model_sees_the_picture_and_not_the_mount():
    part = seen_part(ASKEW, PICTURE)
    assert part.base is ASKEW
    left, top, right, bottom = PICTURE.box(*ASKEW.shape)
    assert part.shape == (bottom - top, right - left)
    rows, columns = np.flatnonzero(TRUTH.any(axis=1)), np.flatnonzero(TRUTH.any(axis=0))
    assert (left, top, right, bottom) == pytest.approx((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), abs=4)
    assert seen_part(ASKEW, None) is ASKEW


def test_margins_and_captions_stay_grey_and_the_picture_gets_colour():
    made = recolor_picture(ASKEW, GREEN, PICTURE)
    chroma = chroma_of(made)
    kernel = np.ones((9, 9), np.uint8)
    far_out = cv2.dilate(TRUTH.astype(np.uint8), kernel) == 0
    far_in = cv2.erode(TRUTH.astype(np.uint8), kernel, borderValue=0) > 0
    assert (made[far_out] == made[far_out][:, :1]).all()
    assert np.median(chroma[far_in]) > 25
    assert chroma[far_in & (ASKEW > 40) & (ASKEW < 220)].min() > 5


@pytest.mark.parametrize("bits", [8, 16])
def test_luminance_is_untouched_inside_and_outside(bits):
    pixels = ASKEW if bits == 8 else ASKEW.astype(np.uint16) * 257
    made = recolor_picture(pixels, GREEN, PICTURE, bits)
    assert made.dtype == pixels.dtype
    expected = skimage.color.rgb2lab(np.dstack([ASKEW] * 3))[..., 0]
    np.testing.assert_allclose(skimage.color.rgb2lab(made)[..., 0], expected, atol=0.4)


def test_inside_the_colours_are_those_of_the_picture_alone():
    left, top, right, bottom = 30, 20, 400, 260
    height, width = ASKEW.shape
    box = Picture(
        left=Line(left / width), top=Line(top / height), right=Line(right / width), bottom=Line(bottom / height)
    )
    assert box.box(height, width) == (left, top, right, bottom)
    alone = ASKEW[top:bottom, left:right]
    seen = model_luminance(alone, 16)
    made = recolor_picture(ASKEW, GREEN, box, 8, seen)
    np.testing.assert_array_equal(made[top:bottom, left:right], recolor(alone, GREEN, 8, seen))
    made[top:bottom, left:right] = alone[..., None]
    np.testing.assert_array_equal(made, np.dstack([ASKEW] * 3))


def test_without_a_border_nothing_changes():
    np.testing.assert_array_equal(recolor_picture(CAT, GREEN, None), recolor(CAT, GREEN))


@pytest.mark.parametrize("strip", [1, 500, 7000])
@pytest.mark.parametrize("colour", [False, True])
def test_the_strips_of_the_work_do_not_show(monkeypatch, strip, colour):
    pixels = np.dstack([ASKEW, ASKEW // 2 + 60, ASKEW]) if colour else ASKEW
    whole = recolor_picture(pixels, GREEN, PICTURE)
    monkeypatch.setattr("model.framing.STRIP_PIXELS", strip)
    np.testing.assert_array_equal(recolor_picture(pixels, GREEN, PICTURE), whole)
