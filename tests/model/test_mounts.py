import dataclasses

import examples
import numpy as np
import pytest
import tensorflow as tf

from model import mounts
from model.config import mini, released_1

CHOSEN, BORDER, VIGNETTE, UNEVEN, SCREEN, DARK, TONE, CORNER, AMOUNT, PERIOD, TURN, CAPTION = range(12)
LEFT, RIGHT, TOP, BOTTOM = range(12, 16)
SIDE = 64


def mounted(share: float = 1.0, blotches: np.ndarray | None = None, **drawn: float) -> tuple[np.ndarray, np.ndarray]:
    """A flat grey-green picture after `mount`; what is not drawn is as far from a change as can be."""
    numbers = np.full(mounts.DRAWS, 0.999, np.float32)
    numbers[CHOSEN] = 0.0
    numbers[LEFT:] = 0.0
    for name, value in drawn.items():
        numbers[globals()[name]] = value
    luminance, chroma = np.full((1, SIDE, SIDE, 1), 0.5, np.float32), np.full((1, SIDE, SIDE, 2), 0.25, np.float32)
    small = np.zeros((1, mounts.BLOTCHES, mounts.BLOTCHES, 1), np.float32) if blotches is None else blotches
    noise = np.zeros_like(luminance)
    made = mounts.mount(*map(tf.constant, (luminance, chroma, numbers[None], noise, small)), share)
    return made[0][0, ..., 0].numpy(), made[1][0].numpy()


def test_a_picture_that_is_not_chosen_stays_as_it_is():
    luminance, chroma = mounted(share=0.0, BORDER=0.0, VIGNETTE=0.0, UNEVEN=0.0, SCREEN=0.0, LEFT=0.9)
    np.testing.assert_array_equal(luminance, 0.5)
    np.testing.assert_array_equal(chroma, 0.25)


@pytest.mark.parametrize(("dark", "expected"), [(0.0, 0.02 + 0.12 * 0.5), (0.9, 0.7 + 0.28 * 0.5)])
def test_a_border_has_the_tone_of_film_or_paper_and_no_colour(dark, expected):
    luminance, chroma = mounted(BORDER=0.0, DARK=dark, TONE=0.5, LEFT=0.95, TOP=0.75, CAPTION=0.9)
    # WIDEST * (2 * 0.95 - 1)² of 64 pixels are 8.3, WIDEST * (2 * 0.75 - 1)² of them 2.6: pixel centres decide.
    outside = np.zeros((SIDE, SIDE), bool)
    outside[:, :8] = outside[:3] = True
    np.testing.assert_allclose(luminance[outside], expected, atol=1e-6)
    np.testing.assert_array_equal(chroma[outside], 0)
    np.testing.assert_array_equal(luminance[~outside], 0.5)
    np.testing.assert_array_equal(chroma[~outside], 0.25)


def test_a_vignette_darkens_the_corners_and_leaves_the_colour():
    luminance, chroma = mounted(VIGNETTE=0.0, CORNER=1.0)
    assert luminance[0, 0] == pytest.approx(0.5 * (1 - mounts.DARKEST_CORNER), abs=0.02)
    assert luminance[SIDE // 2, SIDE // 2] == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_array_equal(chroma, 0.25)


def test_unevenness_is_slow_and_leaves_the_colour():
    blotches = np.random.default_rng(0).standard_normal((1, mounts.BLOTCHES, mounts.BLOTCHES, 1)).astype(np.float32)
    luminance, chroma = mounted(blotches=blotches, UNEVEN=0.0, AMOUNT=1.0)
    assert 0.5 * mounts.UNEVENNESS < luminance.std() < 1.5 * mounts.UNEVENNESS
    assert np.abs(np.diff(luminance, axis=0)).max() < 0.3 * np.ptp(luminance)
    np.testing.assert_array_equal(chroma, 0.25)


def test_a_screen_repeats_at_its_period():
    luminance, _ = mounted(SCREEN=0.0, AMOUNT=1.0, PERIOD=3 / 7, TURN=0.0)
    row = luminance[1] - luminance[1].mean()
    power = np.abs(np.fft.rfft(row)) ** 2
    assert np.argmax(power) == SIDE / 4  # 2.5 + 3.5 * 3 / 7 = 4 pixels
    assert 0.5 * mounts.SCREEN < np.abs(luminance - 0.5).max() <= mounts.SCREEN + 1e-6


def test_training_examples_are_mounted_and_follow_from_seed_and_place(data_dir):
    config = dataclasses.replace(mini(released_1()), mounts=1.0, film=0.0, crop=1.0, flip=False)

    def batches(step: int, settings=config) -> list[tuple[np.ndarray, ...]]:
        return examples.batches(data_dir, settings, step, 4)

    whole, rest = batches(0), batches(2)
    for (l1, ab1), (l2, ab2) in zip(whole[2:], rest, strict=False):
        np.testing.assert_array_equal(l1, l2)
        np.testing.assert_array_equal(ab1, ab2)
    plain = batches(0, dataclasses.replace(config, mounts=0.0))
    changed = [
        np.abs(one - other).max() > 0.01
        for (l1, _), (l2, _) in zip(whole, plain, strict=True)
        for one, other in zip(l1, l2, strict=True)
    ]
    assert sum(changed) > len(changed) / 2
    assert all(l1.min() >= 0 and l1.max() <= 1 for l1, _ in whole)
