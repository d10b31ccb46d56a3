import collections
import itertools

import numpy as np
import pytest
import skimage
import skimage.data
from skimage.color import deltaE_ciede2000, rgb2gray, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from model import bins, metrics
from tfrecords import color

# Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula, 2005,
# table 1: pairs 1, 4, 7, 13, 16, 17, 18, 19, 20, 21, 25, 29, 34.
SHARMA = [
    ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
    ((50.0000, -1.3802, -84.2814), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0009, -2.4900), 4.8045),
    ((50.0000, 2.5000, 0.0000), (50.0000, 0.0000, -2.5000), 4.3065),
    ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
    ((50.0000, 2.5000, 0.0000), (61.0000, -5.0000, 29.0000), 22.8977),
    ((50.0000, 2.5000, 0.0000), (56.0000, -27.0000, -3.0000), 31.9030),
    ((50.0000, 2.5000, 0.0000), (58.0000, 24.0000, 15.0000), 19.4535),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.1736, 0.5854), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_ciede2000_has_the_published_values(first, second, expected):
    pair = [np.array(lab, np.float32).reshape(1, 1, 3) for lab in (first, second)]
    assert metrics.ciede2000(*pair) == pytest.approx(expected, abs=1e-4)
    assert metrics.ciede2000(*pair[::-1]) == pytest.approx(expected, abs=1e-4)


def grey(photo: np.ndarray) -> np.ndarray:
    return skimage.util.img_as_ubyte(np.repeat(rgb2gray(photo)[..., None], 3, axis=-1))


def test_scores_agree_with_scikit_image_on_photographs():
    photos = [skimage.data.astronaut()[:128, :128], skimage.data.coffee()[:100, :150]]
    scores = metrics.Scores()
    for photo in photos:
        scores.add(photo, grey(photo))
    found = scores.to_dict()
    assert found["images"] == 2
    psnrs = [peak_signal_noise_ratio(photo, grey(photo)) for photo in photos]
    assert found["mean_psnr"] == pytest.approx(np.mean(psnrs), abs=1e-6)
    pooled = np.mean([10 ** (-psnr / 10) for psnr in psnrs])
    assert found["pooled_psnr"] == pytest.approx(-10 * np.log10(pooled), abs=1e-6)
    differences = [deltaE_ciede2000(rgb2lab(photo), rgb2lab(grey(photo))).mean() for photo in photos]
    assert found["mean_ciede2000"] == pytest.approx(np.mean(differences), abs=0.01)
    # Channel by channel, in floating point: the published form is defined on one channel.
    ssims = [
        structural_similarity(
            photo[..., k] / 255.0,
            grey(photo)[..., k] / 255.0,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for photo in photos
        for k in range(3)
    ]
    assert found["ssim"] == pytest.approx(np.mean(ssims), abs=1e-4)
    errors = [
        np.hypot(*np.moveaxis((rgb2lab(photo) - rgb2lab(grey(photo)))[..., 1:], -1, 0)).mean() for photo in photos
    ]
    assert found["ab_l2"] == pytest.approx(np.mean(errors), abs=0.02)


def test_an_identical_image_scores_the_cap_and_no_difference():
    photo = skimage.data.chelsea()[:64, :64]
    scores = metrics.Scores()
    scores.add(photo, photo)
    found = scores.to_dict()
    colourful = found.pop("colourfulness")
    assert colourful == metrics.colourfulness(photo)
    assert found.pop("ssim") == pytest.approx(1)
    assert found == {
        "images": 1,
        "mean_psnr": 100.0,
        "pooled_psnr": 100.0,
        "mean_ciede2000": 0.0,
        "colourfulness_difference": 0.0,
        "colourfulness_share": 100.0,
        "ab_l2": 0.0,
        "auc": 100.0,
        "auc_balanced": 100.0,
        "stain": 0.0,
        "paled": 0.0,
    }


def test_black_against_white_is_zero_decibels():
    black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    assert metrics.psnr(metrics.squared_error(black, white)) == 0


def test_different_shapes_and_no_image_are_errors():
    scores = metrics.Scores()
    with pytest.raises(ValueError, match="no image"):
        scores.to_dict()
    with pytest.raises(ValueError, match="cannot be compared"):
        scores.add(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 4, 3), np.uint8))


def test_colourfulness_by_hand():
    grey_ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=-1)
    assert metrics.colourfulness(grey_ramp) == 0
    # Half red, half green: rg = 255 and -255, mean 0, deviation 255; yb = 127.5 everywhere.
    halves = np.zeros((2, 2, 3), np.uint8)
    halves[0, :, 0] = halves[1, :, 1] = 255
    assert metrics.colourfulness(halves) == pytest.approx(255 + 0.3 * 127.5)
    # One colour: only the means count. rg = 100 - 20 = 80, yb = 60 - 200 = -140.
    one = np.full((4, 4, 3), (100, 20, 200), np.uint8)
    assert metrics.colourfulness(one) == pytest.approx(0.3 * np.hypot(80, 140))


def test_colourfulness_falls_as_photographs_fade():
    photo = skimage.data.astronaut()
    fading = [(share * photo + (1 - share) * grey(photo)).astype(np.uint8) for share in (1, 0.5, 0.2)]
    found = [metrics.colourfulness(image) for image in fading]
    assert found == sorted(found, reverse=True)
    assert found[1] == pytest.approx(found[0] / 2, rel=0.02)


def test_the_area_under_the_curve_by_hand():
    truth = np.zeros((1, 4, 2), np.float32)
    ab = np.array([[(0, 0), (30, 40), (0, -100), (150, 150)]], np.float32)
    errors = metrics.ab_errors(truth, ab)
    assert errors.sum() == 4
    # One pixel is right from 0 on, one from 50, one from 100, one never; the trapezoids add half a step at each rise.
    expected = (150 + 100.5 + 50.5 + 0) / 4 / 150 * 100
    assert metrics.area_under_curve(errors) == pytest.approx(expected)


def test_the_area_under_the_curve_agrees_with_the_curve_itself():
    truth = rgb2lab(skimage.data.coffee()[::4, ::4])[..., 1:].astype(np.float32)
    errors = np.linalg.norm(truth, axis=-1)
    within = [(errors <= threshold).mean() for threshold in range(151)]
    found = metrics.area_under_curve(metrics.ab_errors(truth, np.zeros_like(truth)))
    assert found == pytest.approx(100 * np.trapezoid(within) / 150, abs=1e-6)


def test_the_balanced_area_weighs_each_pixel_by_the_rarity_of_its_color_as_a_loop_does():
    """Zhang et al. 2016, section 3.1: pixels weigh 1 / p of their class (equation 4 with lambda = 0)."""
    photos = [skimage.data.coffee()[::8, ::8], skimage.data.astronaut()[::8, ::8]]
    scores = metrics.Scores()
    pixels = []
    for photo in photos:
        faded = (0.5 * photo + 0.5 * grey(photo)).astype(np.uint8)
        scores.add(photo, faded)
        pixels += zip(
            color.srgb_to_lab(photo)[..., 1:].reshape(-1, 2),
            color.srgb_to_lab(faded)[..., 1:].reshape(-1, 2),
            strict=True,
        )
    centres = bins.centres()
    classes = [int(np.argmin(np.square(centres - np.rint(true)).sum(axis=1))) for true, _ in pixels]
    counts = collections.Counter(classes)
    within = np.zeros(151)
    for (true, painted), one in zip(pixels, classes, strict=True):
        rarity = len(pixels) / counts[one]
        for threshold in range(151):
            within[threshold] += rarity * (np.hypot(*(true.astype(float) - painted)) <= threshold)
    within /= within[-1]
    expected = sum((a + b) / 2 for a, b in itertools.pairwise(within)) / 150 * 100
    found = scores.to_dict()
    assert found["auc_balanced"] == pytest.approx(expected, abs=1e-6)
    assert found["auc_balanced"] < found["auc"] - 1


def test_a_rare_color_counts_as_much_as_a_common_one():
    """Of 100 pixels 99 are grey and right, one is red and off by exactly 75."""
    truth = np.zeros((10, 10, 2), np.float32)
    truth[0, 0] = (60, 40)
    ab = np.zeros_like(truth)
    ab[0, 0] = (60, -35)
    errors = metrics.class_errors(truth, ab)
    assert metrics.area_under_curve(errors.sum(axis=0)) == pytest.approx(100 - 74.5 / 150)
    assert metrics.balanced_area(errors) == pytest.approx((100 + 100 * 75.5 / 150) / 2)


def test_stained_and_paled_pixels_are_counted_as_a_loop_counts_them():
    truth, painted = skimage.data.coffee()[::4, ::4], skimage.data.coffee()[::4, ::4][:, ::-1]
    counts = {"grey": 0, "stained": 0, "vivid": 0, "paled": 0}
    for true, found in zip(rgb2lab(truth).reshape(-1, 3), rgb2lab(painted).reshape(-1, 3), strict=True):
        chroma, got = np.hypot(*true[1:]), np.hypot(*found[1:])
        counts["grey"] += chroma < 6
        counts["stained"] += chroma < 6 and got > 18
        counts["vivid"] += chroma > 25
        counts["paled"] += chroma > 25 and got < 0.4 * chroma
    assert min(counts.values()) > 50
    scores = metrics.Scores()
    scores.add(truth, np.ascontiguousarray(painted))
    found = scores.to_dict()
    assert found["stain"] == pytest.approx(100 * counts["stained"] / counts["grey"], rel=0.02)
    assert found["paled"] == pytest.approx(100 * counts["paled"] / counts["vivid"], rel=0.02)
