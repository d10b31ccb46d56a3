"""One step: what becomes of a gradient on its way to the optimizer. Whole runs are in `test_trainer`."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from training_run import CONFIG

from model import inputs, learner, losses, strategy

MOMENTUM = 0.9
"""Adam's: after one step its first moment is a tenth of the gradient."""


def gradient(data_dir: str, clip_norm: float, devices: str) -> np.ndarray:
    """The gradient that the optimizer gets in the first step, all weights in one array."""
    config = dataclasses.replace(CONFIG, clip_norm=clip_norm)
    made = strategy.make(devices)
    learns = learner.Learner(config, made, losses.make(config), 100)
    batches = inputs.training(data_dir, config, inputs.describe(data_dir, config), 0)
    learns.train(iter(made.distribute_datasets_from_function(batches)), tf.constant(1))
    moments = [variable.numpy() for variable in learns.optimizer.variables if "momentum" in variable.path]
    assert len(moments) == len(learns.model.trainable_variables)
    return np.concatenate([moment.ravel() for moment in moments]) / (1 - MOMENTUM)


@pytest.mark.parametrize("devices", ["one", "mirrored"])
def test_a_gradient_is_cut_to_the_longest_that_is_allowed_and_keeps_its_direction(data_dir, devices):
    free = gradient(data_dir, 0.0, devices)
    length = np.linalg.norm(free)
    np.testing.assert_allclose(gradient(data_dir, length / 10, devices), free / 10, atol=1e-4 * length)
    np.testing.assert_allclose(gradient(data_dir, 2 * length, devices), free, atol=1e-4 * length)
