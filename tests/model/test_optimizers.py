import dataclasses
import math

import keras
import pytest

from model import optimizers
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
    assert type(optimizers.make(mini(autoencoder()), 100, elapsed)) is keras.optimizers.Adam
