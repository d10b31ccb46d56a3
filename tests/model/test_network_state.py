"""Networks with state that no gradient moves: moving statistics, and the seeds of dropout."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_run import CONFIG as SMALL
from training_run import assert_same

from model import export, initial, inputs, learner, losses, networks, strategy, trainer
from model.config import Config
from tfrecords.errors import UserError

CONFIG = dataclasses.replace(SMALL, network="normalised", export_resolution=32)


def normalised(config: Config) -> keras.Model:
    def convolution(filters: int, activation: str | None = None) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=config.seed)
        return keras.layers.Conv2D(filters, 3, padding="same", activation=activation, kernel_initializer=initializer)

    luminance = keras.Input((config.resolution, config.resolution, 1))
    features = convolution(4)(luminance)
    features = keras.layers.BatchNormalization(momentum=0.5)(features)
    features = keras.layers.Dropout(0.5, seed=config.seed)(keras.ops.relu(features))
    return keras.Model(luminance, convolution(2, "tanh")(features))


def of_one_side(config: Config) -> keras.Model:
    """It has a weight for each pixel, so that it takes pictures of one size only."""
    luminance = keras.Input((config.resolution, config.resolution, 1))
    pixels = keras.layers.Dense(2 * 8 * 8)(keras.layers.Flatten()(luminance))
    return keras.Model(luminance, keras.layers.Reshape((8, 8, 2))(pixels))


def with_a_variable_of_its_own(config: Config) -> keras.Model:
    hidden = tf.Variable(0.5)
    luminance = keras.Input((config.resolution, config.resolution, 1))
    scaled = keras.layers.Lambda(lambda value: value * hidden)(luminance)
    return keras.Model(luminance, keras.layers.Conv2D(2, 3, padding="same")(scaled))


@pytest.fixture(autouse=True, scope="module")
def registered():
    with pytest.MonkeyPatch.context() as patch:
        for network in (normalised, of_one_side, with_a_variable_of_its_own):
            patch.setitem(networks.NETWORKS, network.__name__, network)
        yield


@pytest.fixture(scope="module")
def whole(registered, data_dir, tmp_path_factory) -> Path:
    """The folder of a run that nothing happened to."""
    output = tmp_path_factory.mktemp("whole")
    trainer.train(CONFIG, data_dir, str(output), strategy.make("one"))
    return output


def steps(data_dir: str, count: int, name: str = "one", **fields: object) -> learner.Learner:
    """A learner after `count` steps on a strategy."""
    config = dataclasses.replace(CONFIG, **fields)
    made = strategy.make(name)
    trained = learner.Learner(config, made, losses.make(config), 100)
    batches = inputs.training(data_dir, config, inputs.describe(data_dir, config), 0)
    trained.train(iter(made.distribute_datasets_from_function(batches)), tf.constant(count))
    return trained


def test_a_network_with_batch_normalisation_and_dropout_is_exported_as_it_was_validated(whole):
    network = networks.build(dataclasses.replace(CONFIG, resolution=32))
    network.set_weights(initial.read(str(whole / "saved_model")))
    luminance = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    expected = network(luminance, training=False)
    signature = tf.saved_model.load(str(whole / "saved_model")).signatures["serving_default"]
    np.testing.assert_allclose(signature(luminance=tf.constant(luminance))["chroma"], expected, atol=1e-6)
    mean, variance = network.layers[2].moving_mean.numpy(), network.layers[2].moving_variance.numpy()
    assert np.abs(mean).min() > 0
    assert not np.isclose(variance, 1).any()


def test_half_precision_leaves_moving_statistics_whole(data_dir, tmp_path):
    config = dataclasses.replace(CONFIG, stored="float16")
    network = networks.build(config)
    path = str(tmp_path / "model")
    export.write(path, config, network.get_weights(), inputs.describe(data_dir, config), {})
    found = [weight.numpy().dtype for weight in tf.saved_model.load(path)._kept]
    assert found == [np.float16 if weight.trainable else np.float32 for weight in network.weights]


def test_moving_statistics_are_copied_and_seeds_left_alone(data_dir):
    trained = steps(data_dir, 3)
    seeds = [variable for variable in trained.averaged.variables if "seed" in variable.path]
    assert [seed.numpy().tolist() for seed in seeds] == [[CONFIG.seed, 0]]
    for average, weight in zip(trained.averaged.weights, trained.model.weights, strict=True):
        assert np.array_equal(average.numpy(), weight.numpy()) != weight.trainable


def test_dropout_goes_on_where_it_was_stopped(data_dir, whole, tmp_path):
    first = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), stop=lambda: True)
    assert first.interrupted
    trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))
    assert_same(whole, tmp_path)


# TensorFlow numbers the sums over replicas from the start in each strategy, and one process keeps their shapes: other
# tests of this process sum other networks.
CHILD = """
import sys
import numpy as np
import conftest  # two devices
import test_network_state as tests
tests.networks.NETWORKS["normalised"] = tests.normalised
trained = tests.steps(sys.argv[1], 2, "mirrored")
for network in (trained.model, trained.averaged):
    for weight in network.weights:
        first, second = weight.value.values
        np.testing.assert_array_equal(first.numpy(), second.numpy(), weight.path)
"""


def test_all_replicas_have_the_mean_of_the_moving_statistics(data_dir):
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here}:{here.parents[1]}"}
    command = [sys.executable, "-c", CHILD, data_dir]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_run_starts_from_all_weights_of_an_exported_model(whole):
    path = str(whole / "saved_model")
    started = learner.Learner(CONFIG, strategy.make("one"), losses.make(CONFIG), 100, path)
    for found, expected in zip(started.averaged.get_weights(), initial.read(path), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("network", ["of_one_side", "with_a_variable_of_its_own"])
def test_what_cannot_be_exported_is_refused_before_the_first_step(data_dir, tmp_path, network):
    config = dataclasses.replace(CONFIG, network=network)
    with pytest.raises(UserError, match=f"network {network} cannot be exported") as refused:
        trainer.train(config, data_dir, str(tmp_path / "run"), strategy.make("one"))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()
