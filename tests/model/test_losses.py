import dataclasses

import numpy as np
import pytest
import scipy.ndimage
import scipy.special

from model import bins, losses
from model.config import autoencoder, mini, unet
from tfrecords.errors import UserError

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.uniform(-0.5, 0.5, (3, 8, 8, 2)).astype(np.float32)
PREDICTION = RANDOM.uniform(-0.5, 0.5, (3, 8, 8, 2)).astype(np.float32)


def test_mean_squared_error_is_one_figure_an_example():
    expected = [np.mean((t.astype(np.float64) - p) ** 2) for t, p in zip(TRUTH, PREDICTION, strict=True)]
    np.testing.assert_allclose(losses.mean_squared_error(TRUTH, PREDICTION), expected, rtol=1e-5)
    np.testing.assert_array_equal(losses.mean_squared_error(TRUTH, TRUTH), np.zeros(3))


def test_absolute_error_and_huber_s_loss():
    error = np.abs(TRUTH.astype(np.float64) - PREDICTION)
    np.testing.assert_allclose(losses.mean_absolute_error(TRUTH, PREDICTION), error.mean(axis=(1, 2, 3)), rtol=1e-5)
    for truth in (TRUTH, PREDICTION + (TRUTH - PREDICTION) / 100):
        difference = truth.astype(np.float64) - PREDICTION
        expected = scipy.special.huber(5 / 128, difference).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(losses.huber(truth, PREDICTION), expected, rtol=1e-4)


def test_cross_entropy_is_lowest_at_the_truth_and_weighs_by_the_nearest_class():
    table = bins.shares()
    a, b = np.moveaxis(np.rint(128 * TRUTH).astype(int) + 128, -1, 0)
    shares = table.reshape(256, 256, -1)[a, b]
    logits = RANDOM.normal(size=shares.shape).astype(np.float32)
    found = np.asarray(losses.cross_entropy(TRUTH, logits, table))
    each = -(shares * scipy.special.log_softmax(logits.astype(np.float64), axis=-1)).sum(axis=-1)
    np.testing.assert_allclose(found, each.mean(axis=(1, 2)), rtol=1e-5)
    best = np.asarray(losses.cross_entropy(TRUTH, np.log(shares + 1e-9), table))
    assert (best < found).all()
    weights = np.linspace(0.5, 2, shares.shape[-1]).astype(np.float32)
    weighed = (each * weights[shares.argmax(axis=-1)]).mean(axis=(1, 2))
    np.testing.assert_allclose(losses.cross_entropy(TRUTH, logits, table, weights), weighed, rtol=1e-4)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_rare_colors_weigh_as_a_loop_over_the_classes_says(exponent):
    """Zhang et al. 2016, equation 4, with the histogram smoothed by half a square and mixed half and half."""
    histogram = np.random.default_rng(1).integers(0, 100, (23, 23)) ** 2
    histogram[11, 11] = 200_000
    smooth = scipy.ndimage.gaussian_filter(histogram.astype(float), 0.5, mode="reflect")
    squares = [((int(a) + 110) // 10, (int(b) + 110) // 10) for a, b in bins.centres()]
    total, seen = sum(smooth[square] for square in squares), sum(histogram[square] for square in squares)
    weight = [(0.5 * smooth[square] / total + 0.5 / len(squares)) ** -exponent for square in squares]
    scale = sum(histogram[square] / seen * one for square, one in zip(squares, weight, strict=True))
    config = dataclasses.replace(mini(unet()), rebalance=exponent)
    logits = RANDOM.normal(size=(3, 8, 8, len(squares))).astype(np.float32)
    each = np.zeros((3, 8, 8))
    likely = scipy.special.log_softmax(logits.astype(np.float64), axis=-1)
    shares = bins.shares().reshape(256, 256, -1)
    for place in np.ndindex(3, 8, 8):
        a, b = np.rint(128 * TRUTH[place]).astype(int) + 128
        each[place] = -(shares[a, b] * likely[place]).sum() * weight[shares[a, b].argmax()] / scale
    found = losses.make(config, histogram.tolist())(TRUTH, logits)
    np.testing.assert_allclose(found, each.mean(axis=(1, 2)), rtol=1e-4)


def test_the_truth_is_averaged_to_the_side_of_the_output():
    config = dataclasses.replace(mini(unet()), loss="huber")
    small = TRUTH.reshape(3, 2, 4, 2, 4, 2).mean(axis=(2, 4))
    found = losses.make(config)(TRUTH, PREDICTION[:, :2, :2])
    np.testing.assert_allclose(found, losses.huber(small, PREDICTION[:, :2, :2]), rtol=1e-5)


def test_an_unknown_loss_is_refused():
    with pytest.raises(UserError, match=r"'mse'.*mean_squared_error"):
        losses.make(dataclasses.replace(mini(autoencoder()), loss="mse"))


def test_what_cannot_be_rebalanced_is_refused():
    config = dataclasses.replace(mini(unet()), rebalance=0.5)
    with pytest.raises(UserError, match=r"no histogram.*prepare it again, or use --set rebalance=0"):
        losses.make(config)
    with pytest.raises(UserError, match="needs loss cross_entropy, not huber"):
        losses.make(dataclasses.replace(config, loss="huber"), np.ones((23, 23)).tolist())
    rebalanced = losses.make(config, np.ones((23, 23)).tolist())
    assert np.isfinite(rebalanced(TRUTH, RANDOM.normal(size=(3, 8, 8, len(bins.centres()))).astype(np.float32))).all()
