import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from skimage import color, data

from pipelines.dataset.examples import to_example
from pipelines.errors import Rejected
from pipelines.images.decode import decode
from pipelines.images.grayscale import judge, measure

COLOUR = {name: getattr(data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket")}
GRAY = {
    **{name: cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for name, rgb in COLOUR.items()},
    "camera": data.camera(),
    "coins": data.coins(),
    "moon": data.moon(),
}
# Hue of the tint in degrees of Lab, peak chroma.
TINTS = {"sepia": (75, 22), "cyanotype": (265, 40), "selenium": (345, 8), "gold": (85, 28), "faded red": (30, 20)}


def resize(rgb):
    return cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA)


def encoded(rgb, quality, subsampling=2):
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return stream.getvalue()


def jpeg(rgb, quality, subsampling=2):
    return decode(encoded(rgb, quality, subsampling)).pixels


def from_lab(lab):
    return (color.lab2rgb(lab) * 255 + 0.5).astype(np.uint8)


def tint(gray, hue, chroma):
    """The grey photo with chroma of one hue, none in black and white, by scikit-image and not by our own conversion."""
    lightness = color.rgb2lab(np.dstack([gray] * 3))[..., 0]
    arch = chroma * 4 * (lightness / 100) * (1 - lightness / 100)
    angle = np.deg2rad(hue)
    with np.errstate(all="ignore"):
        return from_lab(np.dstack([lightness, arch * np.cos(angle), arch * np.sin(angle)]))


def reason(rgb):
    return judge(rgb).reason


def reason_of_file(data):
    """By the whole way of the job, which knows the file's quantisation."""
    try:
        to_example(decode(data), "photo.jpg", 256)
    except Rejected as rejected:
        return rejected.reason
    return None


@pytest.mark.parametrize("name", COLOUR)
def test_colour_is_kept(name):
    assert reason(COLOUR[name]) is None


@pytest.mark.parametrize("quality", [30, 60, 95])
@pytest.mark.parametrize("name", COLOUR)
def test_colour_is_kept_through_jpeg(name, quality):
    for subsampling in (0, 2):
        assert reason_of_file(encoded(COLOUR[name], quality, subsampling)) is None


@pytest.mark.parametrize("name", COLOUR)
def test_muted_colour_is_kept(name):
    muted = from_lab(color.rgb2lab(COLOUR[name]) * [1, 0.25, 0.25])
    assert reason(muted) is None
    for subsampling in (0, 2):
        assert reason_of_file(encoded(muted, 75, subsampling)) is None


@pytest.mark.parametrize("name", COLOUR)
def test_colour_in_fog_is_kept(name):
    foggy = (0.3 * COLOUR[name] + 0.7 * np.array([204, 209, 214])).astype(np.uint8)
    assert reason(foggy) is None
    for subsampling in (0, 2):
        assert reason_of_file(encoded(foggy, 75, subsampling)) is None


@pytest.mark.parametrize("name", COLOUR)
def test_two_hues_of_equal_luminance_are_kept(name):
    """One tint in the left half, another in the right: no curve from luminance to chroma has both."""
    gray = GRAY[name]
    halves = np.hstack([tint(gray, 75, 12)[:, : gray.shape[1] // 2], tint(gray, 265, 12)[:, gray.shape[1] // 2 :]])
    assert reason(halves) is None


def test_a_small_patch_of_colour_on_a_grey_photo_is_kept():
    rgb = np.dstack([GRAY["astronaut"]] * 3)
    rgb[200:250, 200:250] = COLOUR["astronaut"][0:50, 400:450] // 2 + np.array([100, 0, 0], np.uint8)
    assert reason(rgb) is None


@pytest.mark.parametrize("name", GRAY)
def test_equal_channels_are_grayscale(name):
    assert reason(np.dstack([GRAY[name]] * 3)) == "grayscale"


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("name", GRAY)
def test_grey_with_noise_in_its_chroma_is_dropped(name, quality, subsampling):
    noise = np.random.default_rng(quality).normal(0, 5, (*GRAY[name].shape, 3))
    noisy = np.clip(GRAY[name][..., None] + noise, 0, 255).astype(np.uint8)
    assert reason(jpeg(noisy, quality, subsampling)) in ("grayscale", "near_gray")
    assert reason(noisy) == "near_gray"


@pytest.mark.parametrize("kind", TINTS)
@pytest.mark.parametrize("name", GRAY)
def test_one_tint_is_toned(name, kind):
    rgb = tint(GRAY[name], *TINTS[kind])
    assert reason(rgb) == "toned"
    for quality in (30, 50, 75, 95):
        for subsampling in (0, 2):
            assert reason_of_file(encoded(rgb, quality, subsampling)) == "toned"


def test_a_pale_tint_is_toned_and_not_taken_for_noise():
    assert reason(tint(GRAY["astronaut"], 75, 3)) == "toned"


def test_the_file_says_how_coarse_its_chroma_is():
    """17 is the DC entry of the chroma table in Annex K of ITU-T T.81; libjpeg scales it by 5000 / q or 200 - 2 q %."""
    steps = {quality: decode(encoded(COLOUR["coffee"], quality)).chroma_step for quality in (30, 50, 75)}
    assert steps == {30: 28, 50: 17, 75: 9}
    png = io.BytesIO()
    Image.fromarray(COLOUR["coffee"]).save(png, "PNG")
    assert decode(png.getvalue()).chroma_step == decode(encoded(GRAY["camera"], 30)).chroma_step == 0


@pytest.mark.parametrize("name", GRAY)
def test_coarse_quantisation_is_allowed_for(name):
    rgb = resize(jpeg(tint(GRAY[name], 75, 22), 20))
    fine, coarse = judge(rgb), judge(rgb, chroma_step=36)
    assert (fine.chroma, fine.residual) == (coarse.chroma, coarse.residual)
    assert coarse.allowed == pytest.approx(2 * fine.allowed)
    assert judge(rgb, chroma_step=9) == fine


@pytest.mark.parametrize("name", GRAY)
def test_strong_duotone_is_toned(name):
    value = GRAY[name] / 255
    inks = np.array([[20, 0, 60], [200, 30, 60], [255, 235, 190]])
    rgb = np.dstack([np.interp(value, [0, 0.5, 1], ink) for ink in inks.T]).astype(np.uint8)
    assert reason(rgb) == "toned"


@pytest.mark.parametrize("name", GRAY)
def test_sepia_that_clips_in_the_highlights_is_toned(name):
    rgb = np.minimum(GRAY[name][..., None] * np.array([1.351, 1.203, 0.937]), 255).astype(np.uint8)
    assert reason(rgb) == "toned"


@pytest.mark.parametrize("name", GRAY)
def test_split_tone_is_toned(name):
    lightness = color.rgb2lab(np.dstack([GRAY[name]] * 3))[..., 0]
    warm = 1 / (1 + np.exp((50 - lightness) / 10))
    ab = [18 * (warm * x + (1 - warm) * y) for x, y in ((np.cos(1.3), np.cos(4.4)), (np.sin(1.3), np.sin(4.4)))]
    assert reason(from_lab(np.dstack([lightness, *ab]))) == "toned"


def test_hardly_any_tint_is_taken_for_colour():
    """Where a tint lies between two steps in which JPEG stores the chroma, blocks may fall to either side."""
    draw = np.random.default_rng(0)
    taken = [
        reason(jpeg(tint(resize(GRAY[name]), draw.uniform(0, 360), draw.uniform(0, 38)), quality, 0)) is None
        for name in sorted(GRAY)
        for quality in (50, 75, 95)
        for _ in range(16)
    ]
    assert np.mean(taken) <= 0.02


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=300).map(lambda shape: (*shape, 3))))
def test_any_picture_has_a_verdict(rgb):
    verdict = judge(rgb)
    assert verdict.reason in ("grayscale", "near_gray", "toned", None)
    assert np.isfinite([verdict.chroma, verdict.residual, verdict.allowed]).all()


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ((0, 0, 0), "grayscale"),
        ((255, 255, 255), "grayscale"),
        ((128, 128, 129), "near_gray"),
        ((180, 150, 120), "toned"),
        ((255, 0, 0), "toned"),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (256, 256)])
def test_one_single_colour(patch, expected, shape):
    verdict = judge(np.full((*shape, 3), patch, np.uint8))
    assert verdict.reason == expected
    assert verdict.residual == pytest.approx(0, abs=1e-3)


def test_figures_of_a_flat_tint():
    rgb = tint(GRAY["camera"], 75, 22)
    a, b = cv2.resize(color.rgb2lab(resize(rgb)).astype(np.float32), (16, 16), interpolation=cv2.INTER_AREA)[..., 1:].T
    assert judge(resize(rgb)).chroma == pytest.approx(np.hypot(a, b).mean(), abs=0.5)


def test_residual_is_the_spread_that_luminance_does_not_explain():
    """Even luma in two halves whose chroma differs by d: the root mean square from their mean is d / 2."""
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[:, :128], rgb[:, 128:] = (138, 127, 128), (127, 130, 142)
    ycbcr = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    assert len(np.unique(ycbcr[..., 0])) == 1
    to_chroma = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    difference = to_chroma @ (rgb[0, 0].astype(float) - rgb[0, -1])
    assert judge(rgb).residual == pytest.approx(np.linalg.norm(difference) / 2, rel=0.01)


def test_colour_between_pixels_that_are_all_grey_is_kept():
    rgb = COLOUR["astronaut"].copy()
    rgb[::16, ::16] = rgb[::16, ::16, :1]
    assert reason(rgb) is None


@pytest.mark.parametrize(("patch", "halved"), [((200, 40, 40), True), ((140, 120, 110), False)])
def test_a_vivid_tint_is_allowed_half_the_residual(patch, halved):
    red, green, blue = patch
    # ITU-T T.871, without the offset; a flat picture has no texture.
    cb = -0.168736 * red - 0.331264 * green + 0.5 * blue
    cr = 0.5 * red - 0.418688 * green - 0.081312 * blue
    verdict = judge(np.full((64, 64, 3), patch, np.uint8))
    assert (verdict.chroma > 45) == halved
    assert verdict.allowed == pytest.approx(0.21 * (1 + np.hypot(cb, cr) / 20) / (2 if halved else 1), rel=1e-3)


@pytest.mark.parametrize("part", [np.s_[:, :], np.s_[3:40, 5:62], np.s_[::2, ::3], np.s_[:1, :1], np.s_[::-1]])
def test_one_sample_that_differs_makes_a_photo_no_grayscale(part):
    """Wherever it is: the samples that are summed up may miss it."""
    grey = np.repeat(GRAY["camera"][:70, :90, None], 3, axis=2)
    assert measure(grey[part]) is None
    draw = np.random.default_rng(0)
    for channel in range(3):
        changed = grey.copy()
        within = changed[part]
        for _ in range(20):
            y, x = draw.integers(within.shape[0]), draw.integers(within.shape[1])
            within[y, x, channel] ^= 1
            assert measure(within) is not None
            within[y, x, channel] ^= 1
    assert measure(changed[part]) is None
