"""Training in half precision and with XLA: the same steps as in float32, but for rounding."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_run import CONFIG as SMALL

from model import initial, inputs, learner, losses, networks, precision, strategy, trainer
from model.config import Config

# ab / 128: 2.6 Lab units, of 60 that the network predicts.
TOLERANCE = 0.02
CONFIG = dataclasses.replace(
    SMALL, network="normalised", learning_rate=5e-3, warmup_steps=0, schedule="constant", epochs=1, export_resolution=32
)


def normalised(config: Config) -> keras.Model:
    """A small network with all that a policy of types touches: convolutions, moving statistics, an operation."""

    def convolution(filters: int, **options) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=config.seed)
        return keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=initializer, **options)

    luminance = keras.Input((config.resolution, config.resolution, 1))
    features = keras.layers.BatchNormalization(momentum=0.5)(convolution(8, use_bias=False)(luminance))
    return keras.Model(luminance, convolution(2, activation="tanh")(keras.ops.relu(features)))


@pytest.fixture(autouse=True, scope="module")
def registered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.NETWORKS, "normalised", normalised)
        yield


@pytest.fixture(scope="module")
def made(data_dir):
    """A function: the changed fields → a learner, and its losses in some steps."""

    def steps(count: int, name: str = "one", **fields) -> tuple[learner.Learner, list[float]]:
        config, on = dataclasses.replace(CONFIG, **fields), strategy.make(name)
        trained = learner.Learner(config, on, losses.make(config), 100)
        batches = inputs.training(data_dir, config, inputs.describe(data_dir, config), 0)
        stream, found = iter(on.distribute_datasets_from_function(batches)), []
        for _ in range(count):
            total, _, is_sound = trained.train(stream, tf.constant(1))
            assert is_sound
            found.append(float(total))
        return trained, found

    return steps


@pytest.fixture(scope="module")
def full(made):
    return made(6)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_a_run_in_half_precision_exports_float32(data_dir, tmp_path, name):
    config = dataclasses.replace(CONFIG, precision=name)
    trainer.train(config, data_dir, str(tmp_path), strategy.make("one"))
    exported = initial.read(str(tmp_path / "saved_model"))
    assert {weight.dtype for weight in exported} == {np.dtype(np.float32)}
    # Nor were they rounded to half precision.
    assert any((weight != weight.astype(np.float16)).any() for weight in exported)
    with precision.policy(name):
        network = networks.build(dataclasses.replace(config, resolution=32))
    assert {layer.compute_dtype for layer in network.layers if layer.weights} == {name}
    network.set_weights(exported)
    luminance = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    signature = tf.saved_model.load(str(tmp_path / "saved_model")).signatures["serving_default"]
    found = signature(luminance=tf.constant(luminance))["chroma"]
    np.testing.assert_allclose(np.asarray(network(luminance), np.float32), found, atol=TOLERANCE)


@pytest.mark.parametrize("fields", [{"jit": True}, {"precision": "float16"}, {"precision": "bfloat16"}])
def test_steps_are_those_of_float32_and_lower_the_loss(made, full, fields):
    trained, found = made(6, **fields)
    tolerance = 1e-4 if "jit" in fields else 0.02 * full[1][0]
    np.testing.assert_allclose(found, full[1], atol=tolerance, rtol=0)
    assert found[-1] < 0.6 * found[0]
    assert {weight.dtype for weight in trained.model.weights} == {"float32"}
    for one, other in zip(trained.averaged.get_weights(), full[0].averaged.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 if "jit" in fields else 0.05)


def test_an_overflow_skips_the_step_and_halves_the_scale(data_dir, made):
    trained, _ = made(1, precision="float16")
    scale, good = trained.scaling
    assert (float(scale), int(good)) == (precision.FIRST_SCALE, 1)
    batches = inputs.training(data_dir, CONFIG, inputs.describe(data_dir, CONFIG), 1)(tf.distribute.InputContext())
    scale.assign(2.0**120)
    moved = [weight for network in (trained.model, trained.averaged) for weight in network.trainable_weights]
    before = [weight.numpy() for weight in (*moved, *trained.optimizer.variables)]
    total, steps, is_sound = trained.train(iter(batches), tf.constant(2))
    assert (int(steps), bool(is_sound), bool(np.isfinite(total))) == (2, True, True)
    assert (float(scale), int(good)) == (2.0**118, 0)
    for weight, value in zip((*moved, *trained.optimizer.variables), before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    # Gradients that are not finite at any scale end the run.
    trained.model.trainable_weights[0].assign(np.inf * np.ones((3, 3, 1, 8)))
    assert not trained.train(iter(batches), tf.constant(1))[2]


def test_the_scale_grows_after_steps_without_an_overflow():
    scale, good = precision.next_scale(8.0, precision.GROWTH_STEPS - 2, True)
    assert (float(scale), int(good)) == (8, precision.GROWTH_STEPS - 1)
    scale, good = precision.next_scale(scale, good, True)
    assert (float(scale), int(good)) == (16, 0)
    scale, good = precision.next_scale(scale, 7, False)
    assert (float(scale), int(good)) == (8, 0)


def test_the_scale_is_part_of_a_checkpoint(data_dir, tmp_path):
    config = dataclasses.replace(CONFIG, precision="float16")
    trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), stop=lambda: True)
    stored = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(tmp_path / "checkpoints")))
    assert stored.get_tensor("scaling/0/.ATTRIBUTES/VARIABLE_VALUE") == precision.FIRST_SCALE
    assert stored.get_tensor("scaling/1/.ATTRIBUTES/VARIABLE_VALUE") == 1
