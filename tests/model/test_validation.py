"""Validation in parts: the same loss whatever the parts, and an answer to a signal between two of them."""

import dataclasses

import pytest
import tensorflow as tf
from training_run import CONFIG

from model import inputs, learner, losses, pace, strategy
from model.validation import SHOWN, Validation

SMALL = dataclasses.replace(CONFIG, batch_size=2)


@pytest.fixture(scope="module")
def data(write_set, tmp_path_factory) -> str:
    """A set with 9 validation examples, which are 5 batches."""
    return write_set(tmp_path_factory.mktemp("data"), 32, validation=9)


@pytest.fixture(scope="module")
def learns() -> learner.Learner:
    return learner.Learner(SMALL, strategy.make("one"), losses.make(SMALL), 100)


@pytest.fixture(scope="module")
def validation(data) -> Validation:
    return Validation(SMALL, data, inputs.describe(data, SMALL), strategy.make("one"))


def ticking(seconds: float):
    """A clock that goes on by some seconds each time it is read."""
    now = [0.0]

    def clock() -> float:
        now[0] += seconds
        return now[0]

    return clock


def test_the_loss_is_the_mean_over_the_examples_whatever_the_parts(data, learns, validation):
    parts = [validation.loss(learns, ticking(seconds), lambda: False) for seconds in (1e-9, 0.2, 1e9)]
    assert parts[0] == parts[1] == parts[2]
    examples = inputs.validation(data, dataclasses.replace(SMALL, batch_size=1), inputs.describe(data, SMALL))
    each = [
        float(losses.make(SMALL)(chroma, learns.averaged(luminance, training=False))[0])
        for luminance, chroma, _ in examples(tf.distribute.InputContext())
    ]
    assert len(each) == validation.count == 9
    assert parts[0] == pytest.approx(sum(each) / 9, rel=1e-5)


def test_a_signal_is_answered_after_the_part_in_which_it_comes(learns, validation):
    """A batch that takes longer than a call should is a part of its own, however many follow."""
    for after in (1, 2, 4):
        asked = []

        def stop(asked: list[int] = asked, after: int = after) -> bool:
            asked.append(1)
            return len(asked) == after

        assert validation.loss(learns, ticking(pace.CALL_SECONDS), stop) is None
        assert len(asked) == after


def test_a_signal_in_the_last_part_comes_too_late_to_lose_the_figure(learns, validation):
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == validation.batches

    assert validation.loss(learns, ticking(1e9), stop) is not None


def test_pictures_are_of_the_first_examples(learns, validation):
    assert validation.pictures(learns).shape == (SHOWN // 2 * SMALL.resolution, 3 * SMALL.resolution, 3)
