import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from model import optimizers, pretrained, strategy
from model.config import autoencoder, mini, unet

CONFIG = dataclasses.replace(mini(unet()), learning_rate=1e-3, warmup_steps=10)


def rates(config, steps: list[int], elapsed: float = 0.0) -> list[float]:
    schedule = optimizers.Schedule(config, 100, keras.Variable(elapsed))
    return [float(schedule(step)) for step in steps]


def test_a_warm_up_and_a_cosine_to_one_percent():
    found = rates(CONFIG, [0, 4, 9, 50, 100, 1000])
    half = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi / 2))
    assert found[3:] == pytest.approx([half * 1e-3, 1e-5, 1e-5], rel=1e-4)
    assert found[:3] == pytest.approx([1e-4, 5e-4, 1e-3], rel=0.03)


def test_a_time_limit_that_is_used_up_ends_the_cosine_before_the_last_step():
    early = rates(CONFIG, [50], elapsed=0.9)
    assert early == pytest.approx(rates(CONFIG, [90]))
    assert rates(CONFIG, [50], elapsed=0.2) == rates(CONFIG, [50])


def test_the_paper_s_rate_is_constant():
    assert rates(mini(autoencoder()), [0, 50, 1000]) == pytest.approx([1e-3] * 3)


def test_the_optimizers():
    elapsed = keras.Variable(0.0)
    adamw = optimizers.make(CONFIG, 100, elapsed)
    assert isinstance(adamw, keras.optimizers.AdamW)
    assert adamw.weight_decay == CONFIG.weight_decay
    assert type(optimizers.make(mini(autoencoder()), 100, elapsed)) is optimizers.Adam


def test_an_optimizer_follows_the_time_limit_while_it_runs():
    elapsed = keras.Variable(0.0)
    made = optimizers.make(dataclasses.replace(CONFIG, warmup_steps=0), 100, elapsed)
    rate = tf.function(lambda: made.learning_rate)
    found = []
    for used in (0.0, 0.5, 1.0):
        elapsed.assign(used)
        found.append(float(rate()))
    assert found == pytest.approx([1e-3, 0.505e-3, 1e-5], rel=1e-3)


def test_published_weights_move_more_slowly_and_do_not_decay():
    config = dataclasses.replace(CONFIG, pretrained=True, warmup_steps=0, schedule="constant", weight_decay=0.1)
    published, own = (keras.Variable(np.ones(3, np.float32), name=name) for name in ("block_7_expand", "chroma"))
    tuned = optimizers.make(config, 100, keras.Variable(0.0))
    tuned.build([published, own])
    tuned.apply([np.full(3, 0.5, np.float32)] * 2)
    # Adam's first step is as long as the learning rate.
    np.testing.assert_allclose(1 - published.numpy(), pretrained.RATE * 1e-3, rtol=1e-3)
    np.testing.assert_allclose(1 - own.numpy(), 1e-3 * (1 + 0.1), rtol=1e-3)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_gradients_that_are_sums_over_replicas_are_not_summed_again(name):
    """Adam's steps would hardly show it: twice the gradient makes the same step."""
    mirrored = strategy.make("mirrored")
    config = dataclasses.replace(mini(autoencoder()), optimizer=name)
    with mirrored.scope():
        variable, elapsed = keras.Variable(np.zeros(2)), keras.Variable(0.0, trainable=False)
        optimizer = optimizers.make(config, 10, elapsed)
        optimizer.build([variable])
    mirrored.run(lambda: optimizer.apply([np.float32([1, 2])], [variable]))
    [momentum] = [slot for slot in optimizer.variables if "momentum" in slot.path]
    np.testing.assert_allclose(momentum.numpy(), [0.1, 0.2], rtol=1e-6)
