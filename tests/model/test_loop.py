"""The loop under a clock of the test's own: a time limit holds under load, and a signal ends a validation."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
from training_run import CONFIG, lines

from model import inputs, pace, strategy, trainer
from model.config import Config
from model.loop import Loop

ENDLESS = dataclasses.replace(tiny.CONFIG, epochs=10**6, validate_every=10**6, schedule="cosine")


@pytest.fixture(scope="module")
def data(write_set, tmp_path_factory) -> str:
    """A set with 6 validation examples: in batches of one, a validation is long compared with a step."""
    return write_set(tmp_path_factory.mktemp("data"), 32, validation=6)


class Clock:
    """Goes on by some seconds each time it is read, and by more of them under load.

    Attributes:
        now: the time.
        reads: how often it was read.
    """

    def __init__(self, seconds: float = 1.0, loaded_after: float = math.inf) -> None:
        self.now, self.reads = 0.0, 0
        self._seconds, self._loaded_after = seconds, loaded_after

    def __call__(self) -> float:
        self.reads += 1
        self.now += self._seconds * (5 if self.now >= self._loaded_after else 1)
        return self.now


def run(
    config: Config,
    data: str,
    output: Path,
    clock: Clock,
    minutes: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Loop:
    """A run of the loop alone: nothing is exported."""
    output.mkdir(exist_ok=True)
    description = inputs.describe(data, config)
    ran = Loop(config, data, description, strategy.make("one"), str(output), "", minutes, stop, clock)
    for _ in ran.run(checkpoint_minutes=1e9):
        pass
    return ran


@pytest.mark.parametrize("loaded_after", [math.inf, 420.0])
@pytest.mark.parametrize("validate_every", [7, 10**6])
def test_the_time_limit_holds_with_its_last_validation_under_load(data, tmp_path, loaded_after, validate_every):
    config = dataclasses.replace(ENDLESS, batch_size=1, validate_every=validate_every)
    clock = Clock(loaded_after=loaded_after)
    ran = run(config, data, tmp_path, clock, minutes=10)
    assert ran.done
    assert lines(tmp_path)[-1]["validation_loss"] > 0
    assert lines(tmp_path)[-1]["learning_rate"] < 0.1 * config.learning_rate
    # A step and the readings around it may be under way when the time is over. Before the first validation its time is
    # estimated from that of a step, and is four times as long by this clock.
    unknown = 45 if validate_every > 7 else 0
    assert 400 < clock.now < 600 + 5 * 8 + unknown
    again = run(config, data, tmp_path, clock, minutes=10)
    assert again.step == ran.step


def test_a_time_limit_that_is_shorter_than_a_validation_leaves_half_of_it_for_training(data, tmp_path):
    ran = run(dataclasses.replace(ENDLESS, batch_size=1), data, tmp_path, Clock(), minutes=10 / 60)
    assert 0 < ran.step < 10
    assert "validation_loss" in ran.last


def signals_at(number: int):
    """What stops a run when it is asked for the n-th time."""
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == number

    return stop


def test_a_run_stopped_in_validations_goes_on_to_the_same_weights(data, tmp_path):
    """A validation that was stopped is made again from its start, and the figures are those of an undisturbed run."""
    config = dataclasses.replace(CONFIG, batch_size=1, epochs=1, validate_every=2)
    slow = Clock(seconds=pace.CALL_SECONDS)
    whole = run(config, data, tmp_path / "whole", slow)
    stops = 0
    # Two steps, then six batches of a validation: asked after each.
    for number in (4, 2, 9):
        assert not run(config, data, tmp_path / "stopped", slow, stop=signals_at(number)).done
        stops += "validation_loss" not in lines(tmp_path / "stopped")[-1]
    assert stops >= 2
    stopped = run(config, data, tmp_path / "stopped", slow)
    assert stopped.done
    for one, other in zip(stopped.state.best, whole.state.best, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    first, second = (
        {line["step"]: line["validation_loss"] for line in lines(tmp_path / name) if "validation_loss" in line}
        for name in ("whole", "stopped")
    )
    assert first == second
    assert list(first) == [2, 4, 6]


def test_a_run_stopped_in_its_last_validation_is_not_complete(data, tmp_path):
    config = dataclasses.replace(CONFIG, batch_size=1, epochs=1, validate_every=100)
    slow = {"clock": Clock(seconds=pace.CALL_SECONDS)}
    result = trainer.train(config, data, str(tmp_path), strategy.make("one"), stop=signals_at(8), **slow)
    assert (result.step, result.interrupted, result.validation_loss) == (6, True, None)
    assert not (tmp_path / "saved_model").exists()
    result = trainer.train(config, data, str(tmp_path), strategy.make("one"), **slow)
    assert (result.step, result.interrupted, result.trained) == (6, False, True)
    assert result.validation_loss == lines(tmp_path)[-1]["validation_loss"]
    assert lines(tmp_path)[-1]["loss"] == result.loss
