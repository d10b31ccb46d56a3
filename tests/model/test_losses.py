import numpy as np
import pytest

from model import losses
from tfrecords.errors import UserError


def test_mean_squared_error_is_one_figure_an_example():
    random = np.random.default_rng(0)
    truth = random.uniform(-1, 1, (3, 8, 8, 2)).astype(np.float32)
    prediction = random.uniform(-1, 1, (3, 8, 8, 2)).astype(np.float32)
    expected = [np.mean((t.astype(np.float64) - p) ** 2) for t, p in zip(truth, prediction, strict=True)]
    np.testing.assert_allclose(losses.mean_squared_error(truth, prediction), expected, rtol=1e-5)
    np.testing.assert_array_equal(losses.mean_squared_error(truth, truth), np.zeros(3))


def test_an_unknown_loss_is_refused():
    with pytest.raises(UserError, match=r"'mse'.*mean_squared_error"):
        losses.by_name("mse")
