"""The steps of JAX are those of TensorFlow: the same losses and weights from the same start, on the same batches."""

import dataclasses
import json
import math
from pathlib import Path

import jax_process
import numpy as np
import pytest
import small_networks
import tensorflow as tf

from model import bins, draws, losses, networks, strategy
from model.config import Config, autoencoder, mini, released
from model.learner import Learner

STEPS = 20
TOLERANCE = 1e-4
# Classes, rare colours, crops, film, mounts, hints, attention, a schedule, clipping, running means.
CLASSES = mini(released()).override(["rebalance=0.5", "clip_norm=0.5", "film=0.5", "mounts=0.5", "hints=0.5"])
CONFIGS = {
    "released": dataclasses.replace(CLASSES, warmup_steps=5),
    "paper": dataclasses.replace(mini(autoencoder()), learning_rate=3e-3),
}
HISTOGRAM = np.outer(*[np.exp(-(np.linspace(-3, 3, 23) ** 2)) * 1000 + 1] * 2).astype(int).tolist()


def batches(config: Config) -> list[np.ndarray]:
    """Pictures of all steps, smooth as photos are, and their places in the stream."""
    side = math.ceil(config.resolution / config.crop)
    coarse = np.random.default_rng(0).integers(60, 200, (STEPS, config.batch_size, side // 4, side // 4, 3), np.uint8)
    places = draws.halves(np.arange(STEPS * config.batch_size)).reshape(STEPS, config.batch_size, 2)
    return [coarse.repeat(4, axis=2).repeat(4, axis=3), places]


def with_tensorflow(config: Config, given: list[np.ndarray], start: list[np.ndarray]) -> Learner:
    learner = Learner(config, strategy.make("one"), losses.make(config, HISTOGRAM), STEPS)
    for network in (learner.model, learner.averaged):
        network.set_weights(start)
    return learner


@pytest.mark.parametrize("name", CONFIGS)
def test_twenty_steps_are_those_of_tensorflow(name, tmp_path, monkeypatch):
    small_networks.shrink(monkeypatch.setattr)
    config = dataclasses.replace(CONFIGS[name], averaging=0.9)
    given = batches(config)
    # From weights that are not zero, so that all parts of the network matter.
    generator = np.random.default_rng(1)
    start = [
        weight + 0.02 * generator.standard_normal(weight.shape).astype(np.float32)
        for weight in networks.build(config).get_weights()
    ]
    learner = with_tensorflow(config, given, start)
    found = []
    stream = iter(tf.data.Dataset.from_tensor_slices(tuple(given)))
    for number in range(STEPS):
        learner.elapsed.assign((number + 5) / 25)  # further than the steps
        total, made, is_sound = learner.train(stream, tf.constant(1))
        assert (int(made), bool(is_sound)) == (1, True)
        found.append(float(total))

    stored = {f"batch_{part}": array for part, array in enumerate(given)}
    stored |= {f"weight_{place}": weight for place, weight in enumerate(start)}
    np.savez(tmp_path / "in.npz", histogram=HISTOGRAM, **stored)
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    paths = [tmp_path / name for name in ("in.npz", "out.npz", "config.json")]
    done = jax_process.run(Path(__file__).with_name("jax_parity.py"), *paths)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as made:
        np.testing.assert_allclose(made["losses"], found, atol=TOLERANCE, rtol=0)
        for kind, network in (("weight", learner.model), ("mean", learner.averaged)):
            for place, weight in enumerate(network.get_weights()):
                np.testing.assert_allclose(made[f"{kind}_{place}"], weight, atol=TOLERANCE, rtol=0, err_msg=place)
    assert found[-1] < found[0]
    assert max(np.abs(one - two).max() for one, two in zip(learner.model.get_weights(), start, strict=True)) > 1e-3


def test_computed_soft_classes_are_those_of_the_table():
    numbers, parts = bins.neighbours()
    table = bins.shares()
    np.testing.assert_array_equal(np.take_along_axis(table, numbers.astype(int), axis=1), parts)
    config = CONFIGS["released"]
    generator = np.random.default_rng(0)
    truth = generator.uniform(-0.5, 0.5, (2, 8, 8, 2)).astype(np.float32)
    logits = generator.standard_normal((2, 8, 8, table.shape[1])).astype(np.float32)
    one, other = (losses.make(config, HISTOGRAM, is_compact=compact)(truth, logits) for compact in (False, True))
    np.testing.assert_array_equal(one, other)
