import dataclasses

import examples
import numpy as np
import pytest
import skimage.color
import skimage.data
import tensorflow as tf

from model import film
from model.config import mini, released_1

NEUTRAL = np.array([0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0], np.float32)
"""Drawn numbers that change nothing."""
CHOSEN, MIXING, RED, GREEN, BLUE, TONE, CONTRAST, FLOOR, SOFT, COARSE = range(film.DRAWS)


def photo(name: str) -> np.ndarray:
    return np.ascontiguousarray(getattr(skimage.data, name)()[:256:4, :256:4])


def lab_of(rgb: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    lab = skimage.color.rgb2lab(rgb).astype(np.float32)[None]
    return tf.constant(lab[..., :1] / 100), tf.constant(lab[..., 1:] / 128)


def exposed(rgb: np.ndarray, share: float = 1.0, grain: float = 0.0, **drawn: float) -> np.ndarray:
    numbers = NEUTRAL.copy()
    for name, value in drawn.items():
        numbers[globals()[name]] = value
    luminance, chroma = lab_of(rgb)
    noise = tf.constant(grain * np.random.default_rng(0).standard_normal(luminance.shape), tf.float32)
    return film.expose(luminance, chroma, tf.constant(numbers[None]), noise, share)[0, ..., 0].numpy()


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_linear_rgb_is_that_of_the_photo(name):
    rgb = photo(name) / 255
    # IEC 61966-2-1, written out.
    expected = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(film.linear_rgb(*lab_of(photo(name)))[0], expected, atol=2e-3)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_a_neutral_response_is_the_luminance(name):
    rgb = photo(name)
    np.testing.assert_allclose(exposed(rgb), skimage.color.rgb2lab(rgb)[..., 0] / 100, atol=2e-3)


def test_an_emulsion_that_sees_blue_alone_shows_the_blue_channel():
    rgb = photo("astronaut")
    blue = skimage.color.rgb2xyz(np.repeat(rgb[..., 2:], 3, axis=-1))[..., 1]
    luminance = skimage.color.rgb2xyz(rgb)[..., 1]
    # The mixture goes as far as MIXED, the rest stays luminance; both in linear light.
    light = film.MIXED * blue + (1 - film.MIXED) * luminance
    seen = exposed(rgb, MIXING=0.9999999, RED=0.0, GREEN=0.0, BLUE=0.9999999)
    lightness = np.where(light > (6 / 29) ** 3, 1.16 * np.cbrt(light) - 0.16, 9.033 * light)  # CIE 15
    np.testing.assert_allclose(seen, lightness, atol=5e-3)


@pytest.mark.parametrize(("floor", "darkest", "brightest"), [(0.0, 0.0, film.LOWEST_CONTRAST), (1.0, 0.45, 1.0)])
def test_fading_leaves_a_part_of_the_range(floor, darkest, brightest):
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    faded = exposed(ramp, CONTRAST=1.0, FLOOR=floor)
    assert faded.min() == pytest.approx(darkest, abs=1e-3)
    assert faded.max() == pytest.approx(brightest, abs=1e-3)


def test_curves_darken_or_lighten_and_keep_black_and_white():
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    plain, dark, light = exposed(ramp), exposed(ramp, TONE=1.0), exposed(ramp, TONE=0.0)
    assert (dark <= plain + 1e-6).all()
    assert (light >= plain - 1e-6).all()
    for made in (dark, light):
        np.testing.assert_allclose(made[:, [0, -1]], plain[:, [0, -1]], atol=1e-4)


def test_blur_and_grain_work_against_each_other():
    rgb = photo("coffee")
    detail = [
        np.abs(np.diff(exposed(rgb, grain=1.0, SOFT=soft, COARSE=coarse))).mean()
        for soft, coarse in ((0.99, 0.0), (0.0, 0.0), (0.0, 0.99))
    ]
    assert detail == sorted(detail)
    assert exposed(rgb, grain=1.0, COARSE=0.99) - exposed(rgb) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(("coarse", "deviation"), [(0.25, 0.035 / 16), (0.5, 0.035 / 4), (0.9999, 0.035)])
def test_grain_grows_with_the_square_of_its_number(coarse, deviation):
    """Most pictures have little grain: half of them at most a quarter of the coarsest."""
    flat = np.full((64, 64, 3), 128, np.uint8)
    grain = exposed(flat, grain=1.0, COARSE=coarse) - exposed(flat)
    assert grain.std() == pytest.approx(deviation, rel=0.05)


def test_only_a_share_is_changed_and_chroma_never(data_dir):
    config = dataclasses.replace(mini(released_1()), flip=False, crop=1.0)

    def stream(film_share: float) -> list[tuple[np.ndarray, ...]]:
        return examples.batches(data_dir, dataclasses.replace(config, film=film_share), 0, 20)

    plain, half = stream(0.0), stream(0.5)
    changed = 0
    for (luminance, chroma), (seen, same) in zip(plain, half, strict=True):
        np.testing.assert_array_equal(chroma, same)
        assert seen.min() >= 0
        assert seen.max() <= 1
        changed += sum(not np.array_equal(*pair) for pair in zip(luminance, seen, strict=True))
    assert 25 <= changed <= 55


def test_an_example_is_exposed_alike_whoever_its_neighbours_are(data_dir):
    config = dataclasses.replace(mini(released_1()), resolution=32, crop=1.0)
    [(whole, _)] = examples.batches(data_dir, config, 0, 1)
    parts = [examples.batches(data_dir, config, 0, 1, 2, index, 2)[0][0] for index in (0, 1)]
    np.testing.assert_array_equal(np.stack(parts, axis=1).reshape(whole.shape), whole)
