"""The trainer: one custom loop that runs the same on one device, several GPUs, several machines and TPUs.

Each replica sums its losses and divides by the global batch, and gradients are summed over replicas, so N replicas
make the step that one device makes on the same global batch. Decisions by the clock (when to stop, to report, to save)
follow the mean of the workers' clocks, so that all of them decide alike.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from model import checkpoints, export, inputs, losses, networks, saved_model
from model import strategy as strategies
from model.config import Config
from tfrecords.description import Description
from tfrecords.errors import UserError

REPORT_SECONDS = 10.0
VALIDATION_SECONDS = 30.0
# Several steps run in one call where they are short; a call should take about this long.
CALL_SECONDS = 0.5
MOST_STEPS_A_CALL = 100


@dataclasses.dataclass(frozen=True)
class Report:
    """How training stands.

    Attributes:
        step, steps: optimizer steps done and to do (a time limit may come first).
        epoch, epochs: passes over the data, done (with fraction) and to do.
        loss: mean over the examples since the last report; None before the first.
        images_per_s: training speed since the last report, validation left out; None before the first.
        seconds: training time so far, over all runs.
        limit_s: the time limit, if any.
        validation_loss: mean over the validation examples, where it was measured at this step.
        resumed: whether an earlier run's checkpoint was continued.
    """

    step: int
    steps: int
    epoch: float
    epochs: int
    loss: float | None
    images_per_s: float | None
    seconds: float
    limit_s: float | None
    validation_loss: float | None
    resumed: bool


@dataclasses.dataclass(frozen=True)
class Result:
    """What training ended with: the model's path, the last figures, and whether there was anything left to train."""

    saved_model: str
    step: int
    epoch: float
    seconds: float
    loss: float | None
    validation_loss: float | None
    trained: bool


def train(
    config: Config,
    data_dir: str,
    output: str,
    strategy: tf.distribute.Strategy,
    *,
    max_minutes: float | None = None,
    checkpoint_minutes: float = 5.0,
    on_report: Callable[[Report], None] = lambda report: None,
) -> Result:
    """Train `config` on the prepared set `data_dir`, or go on with what is in `output`, and export a SavedModel.

    Args:
        config: what to train.
        data_dir: folder that `prepare` wrote.
        output: training folder (see `model.checkpoints`).
        strategy: from `model.strategy.make`.
        max_minutes: training time after which to stop, over all runs in this folder; None: after `config.epochs`.
        checkpoint_minutes: how often to save; at the end always.
        on_report: called about every 10 seconds, and at the start and the end.

    Returns:
        The model's path and the last figures.

    Raises:
        UserError: the data folder is none, the output cannot be written or holds another run, the batch cannot be
            divided among the replicas, or the loss is no longer a number.
    """
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise UserError(f"batch_size {config.batch_size} cannot be divided among {replicas} replicas")
    description = inputs.describe(data_dir, config)
    chief = strategies.is_chief(strategy)
    checkpoints.claim(output, config, description, chief=chief)
    loop = _Loop(config, data_dir, description, strategy, output, max_minutes)
    trained = not loop.done
    on_report(loop.report())
    for report in loop.run(checkpoint_minutes):
        on_report(report)
    path = tf.io.gfile.join(output, saved_model.FOLDER)
    result = Result(
        saved_model=path,
        step=loop.step,
        epoch=loop.epoch,
        seconds=loop.seconds,
        loss=loop.last.get("loss"),
        validation_loss=loop.last.get("validation_loss"),
        trained=trained,
    )
    if chief:
        figures: dict[str, Any] = {"steps": result.step, "epochs": result.epoch, "seconds": round(result.seconds, 1)}
        figures |= {"loss": result.loss, "validation_loss": result.validation_loss, "replicas": replicas}
        export.write(path, config, loop.model.get_weights(), description, figures)
    return result


class _Loop:
    """The state of training and the functions that move it."""

    def __init__(
        self,
        config: Config,
        data_dir: str,
        description: Description,
        strategy: tf.distribute.Strategy,
        output: str,
        max_minutes: float | None,
    ) -> None:
        self._config = config
        self._data_dir = data_dir
        self._strategy = strategy
        self._train_count = description.count("train")
        self._validation_count = description.count("validation")
        self._steps = math.ceil(config.epochs * self._train_count / config.batch_size)
        self._limit_s = None if max_minutes is None else 60 * max_minutes
        self._loss = losses.by_name(config.loss)
        with strategy.scope():
            self.model = networks.build(config)
            self._optimizer = keras.optimizers.Adam(config.learning_rate)
            self._optimizer.build(self.model.trainable_variables)
            step = tf.Variable(0, dtype=tf.int64, trainable=False)
            seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        chief = strategies.is_chief(strategy)
        self._state = checkpoints.Checkpoints(output, self.model, self._optimizer, step, seconds, chief)
        self._resumed = self._state.restore()
        self._metrics = checkpoints.Metrics(output, self.step) if chief else None
        self.last: dict[str, Any] = self._metrics.last if self._metrics else {}

    @property
    def step(self) -> int:
        return int(self._state.step.numpy())

    @property
    def seconds(self) -> float:
        return float(self._state.seconds.numpy())

    @property
    def epoch(self) -> float:
        return round(self.step * self._config.batch_size / self._train_count, 3)

    @property
    def done(self) -> bool:
        return self.step >= self._steps or (self._limit_s is not None and self.seconds >= self._limit_s)

    def report(self, **measured: Any) -> Report:
        """How training stands, with what was `measured` since the last report."""
        figures = {"loss": None, "images_per_s": None, "validation_loss": None, **measured}
        return Report(
            step=self.step,
            steps=self._steps,
            epoch=self.epoch,
            epochs=self._config.epochs,
            seconds=self.seconds,
            limit_s=self._limit_s,
            resumed=self._resumed,
            **figures,
        )

    def run(self, checkpoint_minutes: float) -> Iterator[Report]:
        """Train until `done`; yield a report now and then."""
        if self.done:
            return
        make = inputs.training(self._data_dir, self._config, self._train_count, self.step)
        iterator = iter(self._strategy.distribute_datasets_from_function(make))
        started = time.monotonic() - self.seconds
        reported = validated = saved = self.seconds
        calls = _Calls()
        steps_a_call = 1
        while not self.done:
            begun, epoch = time.monotonic(), self._epochs_done
            count = min(steps_a_call, self._steps_to_epoch_end())
            loss = float(self._train_steps(iterator, tf.constant(count)))
            self._state.step.assign_add(count)
            if not math.isfinite(loss):
                raise UserError(
                    f"the loss is {loss} at step {self.step}; start again with another --seed or --batch_size"
                )
            self._state.seconds.assign(self._agreed(time.monotonic() - started))
            calls.add(count, loss, time.monotonic() - begun)
            steps_a_call = _steps_a_call(self._agreed(calls.seconds_a_step))
            validate = self.done or (self._epochs_done > epoch and self.seconds - validated >= VALIDATION_SECONDS)
            report = None
            if validate or self.seconds - reported >= REPORT_SECONDS:
                report = self._measure(calls, validate)
                validated = self.seconds if validate else validated
                reported, calls = self.seconds, _Calls()
            if self.done or self.seconds - saved >= 60 * checkpoint_minutes:
                self._state.save()
                saved = self.seconds
            if report:
                yield report

    @property
    def _epochs_done(self) -> int:
        return self.step * self._config.batch_size // self._train_count

    def _steps_to_epoch_end(self) -> int:
        """Steps until the pass over the data is complete in which the next step begins, or until the last step."""
        end = math.ceil((self._epochs_done + 1) * self._train_count / self._config.batch_size)
        return max(1, min(end, self._steps) - self.step)

    def _measure(self, calls: _Calls, validate: bool) -> Report:
        measured = {"loss": calls.mean_loss, "images_per_s": self._config.batch_size / calls.seconds_a_step}
        if validate and self._validation_count:
            measured["validation_loss"] = self._validate()
        self.last = {"step": self.step, "epoch": self.epoch, **measured, "seconds": self.seconds}
        if self._metrics:
            self._metrics.add(self.last)
        return self.report(**measured)

    def _agreed(self, number: float) -> float:
        """The mean of a number over the workers, so that all of them decide alike by it."""
        if not isinstance(self._strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return number
        local = self._strategy.run(tf.identity, args=(tf.constant(number, tf.float64),))
        return float(self._strategy.reduce(tf.distribute.ReduceOp.MEAN, local, axis=None))

    @tf.function
    def _train_steps(self, iterator: Any, count: tf.Tensor) -> tf.Tensor:
        """Make `count` optimizer steps; return the sum of their losses."""
        total = tf.constant(0.0)
        for _ in tf.range(count):
            per_replica = self._strategy.run(self._train_step, args=(next(iterator),))
            total += self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)
        return total

    def _train_step(self, batch: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """One replica's share of a step; returns its share of the loss."""
        luminance, chroma = batch
        with tf.GradientTape() as tape:
            each = self._loss(chroma, self.model(luminance, training=True))
            loss = tf.reduce_sum(each) / self._config.batch_size
        weights = self.model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def _validate(self) -> float:
        """The mean loss over the validation examples, each counted once."""
        make = inputs.validation(self._data_dir, self._config, self._validation_count)
        iterator = iter(self._strategy.distribute_datasets_from_function(make))
        batches = math.ceil(self._validation_count / self._config.batch_size)
        return float(self._validation_steps(iterator, tf.constant(batches))) / self._validation_count

    @tf.function
    def _validation_steps(self, iterator: Any, count: tf.Tensor) -> tf.Tensor:
        total = tf.constant(0.0)
        for _ in tf.range(count):
            per_replica = self._strategy.run(self._validation_step, args=(next(iterator),))
            total += self._strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)
        return total

    def _validation_step(self, batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        luminance, chroma, weight = batch
        return tf.reduce_sum(weight * self._loss(chroma, self.model(luminance, training=False)))


@dataclasses.dataclass
class _Calls:
    """What the calls of the step function since the last report took and gave."""

    steps: int = 0
    loss: float = 0.0
    seconds: float = 0.0

    def add(self, steps: int, loss: float, seconds: float) -> None:
        self.steps += steps
        self.loss += loss
        self.seconds += seconds

    @property
    def mean_loss(self) -> float:
        return self.loss / self.steps

    @property
    def seconds_a_step(self) -> float:
        return self.seconds / self.steps


def _steps_a_call(seconds_a_step: float) -> int:
    return max(1, min(MOST_STEPS_A_CALL, int(CALL_SECONDS / seconds_a_step)))
