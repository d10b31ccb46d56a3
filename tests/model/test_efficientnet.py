import itertools

import keras
import numpy as np

from model import efficientnet


def encoder(side: int, seed: int = 0) -> keras.Model:
    luminance = keras.Input((side, side, 1))
    return keras.Model(luminance, efficientnet.features(luminance, itertools.count(seed)))


def test_five_levels_each_of_half_the_side():
    built = encoder(64)
    assert built.output_shape == [
        (None, 32, 32, 16),
        (None, 16, 16, 24),
        (None, 8, 8, 40),
        (None, 4, 4, 112),
        (None, 2, 2, 320),
    ]


def test_the_weights_of_the_table():
    # By hand from Tan and Le's table 1: the stem; then a block's expansion, depthwise filter and projection.
    expected, before = 9 * 32 + 32, 32
    for blocks, kernel, expansion, filters in (
        (1, 3, 1, 16),
        (2, 3, 6, 24),
        (2, 5, 6, 40),
        (3, 3, 6, 80),
        (3, 5, 6, 112),
        (4, 5, 6, 192),
        (1, 3, 6, 320),
    ):
        for _ in range(blocks):
            wide = expansion * before
            expected += (before * wide + wide) * (expansion > 1) + kernel**2 * wide + wide + wide * filters + filters
            before = filters
    assert encoder(32).count_params() == expected


def test_the_same_seeds_make_the_same_features():
    luminance = np.random.default_rng(0).random((1, 32, 32, 1), np.float32)
    one, same, other = (encoder(32, seed).predict_on_batch(luminance)[-1] for seed in (0, 0, 7))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3
