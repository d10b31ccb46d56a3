import dataclasses

import cv2
import numpy as np
import pytest

from model import augment, draws
from model.config import mini, released_1

CONFIG = dataclasses.replace(mini(released_1()), resolution=16, crop=0.5)


def pictures(count: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def places(count: int) -> np.ndarray:
    return draws.halves(np.arange(count))


def examples(config, given: np.ndarray, numbers: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(part) for part in augment.examples(config, given, numbers)]


def test_crops_are_squares_inside_the_picture_some_mirrored():
    y, x = np.mgrid[0:32, 0:32]
    ramp = np.stack([x, y, 3 * x + y], axis=-1).astype(np.uint8)
    drawn = draws.uniform(0, places(40), augment.PLACING, augment.PLACED)
    made = np.asarray(augment.cut(np.repeat(ramp[None].astype(np.float32), 40, 0), drawn, 16, 0.5, flip=True))
    sides, mirrored = [], 0
    for cut in made:
        np.testing.assert_allclose(cut[..., 2], 3 * cut[..., 0] + cut[..., 1], atol=1e-3)
        assert cut.min() >= -1e-3
        assert cut[..., :2].max() <= 31 + 1e-3
        # The filter ends with the picture, and ripples a little: the ramp has one slope in the middle.
        across, down = np.diff(cut[2:-2, 2:-2], axis=1)[..., 0], np.diff(cut[2:-2, 2:-2], axis=0)[..., 1]
        slope = across.mean()
        np.testing.assert_allclose(across, slope, atol=0.25)
        np.testing.assert_allclose(down, abs(slope), atol=0.25)
        mirrored += slope < 0
        sides.append(abs(slope) * 16 / 32)
    assert 10 <= mirrored <= 30
    assert 0.48 <= min(sides) < 0.6 < 0.9 < max(sides) <= 1.02


def test_a_whole_picture_is_reduced_as_opencv_does():
    """OpenCV's bilinear filter does not widen, so a reduction by less than two is compared in the middle of a ramp."""
    smooth = cv2.GaussianBlur(pictures(1)[0].astype(np.float32), (0, 0), 4)
    drawn = np.full((1, augment.PLACED), 0.9999999, np.float32)
    made = np.asarray(augment.cut(smooth[None], drawn, 24, 0.5, flip=True))[0]
    np.testing.assert_allclose(made[2:-2, 2:-2], cv2.resize(smooth, (24, 24))[2:-2, 2:-2], atol=1.0)


def test_a_picture_that_is_not_cut_stays_exact():
    given = pictures(6)
    config = dataclasses.replace(CONFIG, resolution=32, crop=1.0, film=0.0)
    luminance, chroma = examples(config, given, places(6))
    mirrored = 0
    for index in range(6):
        stored = given[index].astype(np.float32)
        if not np.array_equal(chroma[index] * 128 + 128, stored[..., 1:]):
            stored = stored[:, ::-1]
            mirrored += 1
        np.testing.assert_array_equal(chroma[index] * 128 + 128, stored[..., 1:])
        np.testing.assert_allclose(luminance[index] * 255, stored[..., :1], atol=1e-4)
    assert 0 < mirrored < 6


@pytest.mark.parametrize("fields", [{}, {"mounts": 1.0}, {"hints": 1.0, "film": 1.0}])
def test_an_example_follows_from_its_place_alone(fields):
    config = dataclasses.replace(CONFIG, **fields)
    given, numbers = pictures(6), places(6)
    whole, alone = examples(config, given, numbers), examples(config, given[4:5], numbers[4:5])
    for one, other in zip(whole, alone, strict=True):
        np.testing.assert_allclose(one[4:5], other, atol=1e-6)
    moved = examples(config, given[4:5], draws.halves(np.array([5])))
    assert any(np.abs(one - other).max() > 0.01 for one, other in zip(alone, moved, strict=True))


def test_no_two_uses_share_their_numbers():
    uses = (augment.PLACING, augment.GRAIN, augment.PAPER, augment.BLOTCHES, augment.EXPOSING, augment.MOUNTING)
    uses = (*uses, augment.HINTING)
    assert len(set(uses)) == 7
    drawn = np.array([np.asarray(draws.uniform(0, places(200), use, 40)).ravel() for use in uses])
    assert np.abs(np.corrcoef(drawn) - np.eye(7)).max() < 0.05


def test_what_is_made_of_an_example_uses_no_numbers_twice(monkeypatch):
    used, bits = [], draws._bits

    def recorded(seed: int, places: object, use: int, count: int) -> object:
        used.append(use)
        return bits(seed, places, use, count)

    monkeypatch.setattr(draws, "_bits", recorded)
    examples(dataclasses.replace(CONFIG, film=0.5, mounts=0.5, hints=0.5), pictures(2), places(2))
    assert sorted(used) == list(range(1, 8))


def test_every_example_has_a_grain_of_its_own():
    flat = np.full((6, 32, 32, 3), 128, np.uint8)
    luminance, _ = examples(dataclasses.replace(CONFIG, film=1.0), flat, places(6))
    noise = luminance - luminance.mean(axis=(1, 2, 3), keepdims=True)
    assert np.abs(np.corrcoef(noise.reshape(6, -1)) - np.eye(6)).max() < 0.4
