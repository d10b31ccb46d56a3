"""The trainer: one custom loop that runs the same on one device, several GPUs, several machines and TPUs.

Decisions by the clock (when to stop, to report, to save) and by signal follow what the workers agree on after each call
of the step function, so that all of them decide alike. TensorFlow's PreemptionCheckpointHandler would do that for one
strategy only, and leave in the middle of a call.

What a run ends with does not depend on how often it was interrupted: order, crops and flips follow from seed and step,
validations come after a fixed number of steps, and averaged and best weights are part of the checkpoint. Only a time
limit is not exact.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from model import agreement, checkpoints, export, inputs, losses, networks, pace, replacement, saved_model, tensorboard
from model import strategy as strategies
from model.config import Config
from model.learner import Learner
from model.progress import Report
from tfrecords import dataset
from tfrecords.description import Description
from tfrecords.errors import UserError

REPORT_SECONDS = 10.0
SHOWN = 4
"""Validation examples in the pictures for TensorBoard."""
NAMED = 8
"""Examples that the message about a loss that is not a number names."""


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of training.

    Attributes:
        saved_model: the model's path.
        step, epoch, seconds: how far it went.
        loss: the last one; None where nothing was ever measured.
        validation_loss: of the weights that were exported, the best; None without validation examples.
        best_step: the step at which these weights were.
        trained: whether there was anything left to train.
        interrupted: whether `stop` ended it before its time: there is a checkpoint and no new export.
    """

    saved_model: str
    step: int
    epoch: float
    seconds: float
    loss: float | None
    validation_loss: float | None
    best_step: int
    trained: bool
    interrupted: bool


def train(
    config: Config,
    data_dir: str,
    output: str,
    strategy: tf.distribute.Strategy,
    *,
    init: str = "",
    max_minutes: float | None = None,
    checkpoint_minutes: float = 5.0,
    on_report: Callable[[Report], None] = lambda report: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Train `config` on the prepared set `data_dir`, or go on with what is in `output`, and export a SavedModel.

    Args:
        config: what to train.
        data_dir: folder that `prepare` wrote.
        output: training folder (see `model.checkpoints`).
        strategy: from `model.strategy.make`.
        init: an exported model whose weights the run starts from; '' starts as `config` says.
        max_minutes: training time after which to stop, over all runs in this folder; None: after `config.epochs`.
        checkpoint_minutes: how often to save; at the end always.
        on_report: called about every 10 seconds, at the start, at each validation and at the end.
        stop: asked after each call of some steps; when it says so, the run saves and ends (see `model.preemption`).

    Returns:
        The model's path and the last figures.

    Raises:
        UserError: the data folder is none, the output cannot be written or holds another run, the batch cannot be
            divided among the replicas, the configuration does not hold together, a shard is damaged, the network cannot
            be exported, the workers do not start from one state, or the loss or a weight is not finite.
        DeniedError: access to the checkpoints is denied.
        OutageError: the disk or the bucket of the checkpoints does not answer.
    """
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise UserError(f"batch_size {config.batch_size} cannot be divided among {replicas} devices; choose a multiple")
    description = inputs.describe(data_dir, config)
    export.check(config, description)
    chief = strategies.is_chief(strategy)
    checkpoints.claim(output, config, description, init=saved_model.digest(init) if init else "", chief=chief)
    if chief:
        replacement.recover(tf.io.gfile.join(output, saved_model.FOLDER))
    loop = _Loop(config, data_dir, description, strategy, output, init, max_minutes, stop)
    trained = not loop.done
    on_report(loop.report())
    with dataset.damage_named(data_dir):
        for report in loop.run(checkpoint_minutes):
            on_report(report)
    path = tf.io.gfile.join(output, saved_model.FOLDER)
    state = loop.state
    result = Result(
        saved_model=path,
        step=loop.step,
        epoch=loop.epoch,
        seconds=loop.seconds,
        loss=loop.last.get("loss"),
        validation_loss=float(state.best_loss.numpy()) if math.isfinite(state.best_loss.numpy()) else None,
        best_step=int(state.best_step.numpy()),
        trained=trained,
        interrupted=not loop.done,
    )
    if chief and loop.done:
        figures: dict[str, Any] = {"steps": result.step, "epochs": result.epoch, "seconds": round(result.seconds, 1)}
        figures |= {"loss": result.loss, "validation_loss": result.validation_loss, "best_step": result.best_step}
        figures |= {"replicas": replicas}
        export.write(path, config, [weight.numpy() for weight in state.best], description, figures)
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
        init: str,
        max_minutes: float | None,
        stop: Callable[[], bool],
    ) -> None:
        self._config = config
        self._data_dir = data_dir
        self._description = description
        self._strategy = strategy
        self._stop = stop
        self._train_count = description.count("train")
        self._validation_count = inputs.validation_count(description)
        self._steps = math.ceil(config.epochs * self._train_count / config.batch_size)
        self._limit_s = None if max_minutes is None else 60 * max_minutes
        loss = losses.make(config, description.statistics.get("train", {}).get("chroma"))
        self._learner = Learner(config, strategy, loss, self._steps, init)
        chief = strategies.is_chief(strategy)
        self.state = checkpoints.Checkpoints(output, self._learner, chief=chief)
        self._resumed = self.state.restore()
        agreement.check_start(strategy, self.step, self._learner.arrays())
        self._metrics = checkpoints.Metrics(output, self.step) if chief else None
        folder = tf.io.gfile.join(output, tensorboard.FOLDER)
        self._events = tensorboard.Events(folder, self.step) if chief and not self.done else None
        self.last: dict[str, Any] = self._metrics.last if self._metrics else {}
        self._contexts: list[tf.distribute.InputContext] = []

    @property
    def step(self) -> int:
        return int(self.state.step.numpy())

    @property
    def seconds(self) -> float:
        return float(self.state.seconds.numpy())

    @property
    def epoch(self) -> float:
        return round(self.step * self._config.batch_size / self._train_count, 3)

    @property
    def done(self) -> bool:
        late = self._limit_s is not None and self.seconds >= self._limit_s
        return self.step >= self._steps or late or self.state.worse.numpy() >= self._config.patience

    def report(self, **measured: Any) -> Report:
        """Return the state of training, with what was `measured` since the last report."""
        figures = {"loss": None, "images_per_s": None, "validation_loss": None, **measured}
        return Report(
            step=self.step,
            steps=self._steps,
            epoch=self.epoch,
            epochs=self._config.epochs,
            seconds=self.seconds,
            limit_s=self._limit_s,
            resumed=self._resumed,
            torn=tuple(self.state.torn),
            **figures,
        )

    def run(self, checkpoint_minutes: float) -> Iterator[Report]:
        """Train until `done` or told to stop; yield a report now and then."""
        if self.done:
            return
        make = inputs.training(self._data_dir, self._config, self._description, self.step)

        def noted(context: tf.distribute.InputContext) -> tf.data.Dataset:
            self._contexts.append(context)
            return make(context)

        iterator = iter(self._strategy.distribute_datasets_from_function(noted))
        held_out = self._strategy.distribute_datasets_from_function(
            inputs.validation(self._data_dir, self._config, self._description)
        )
        started = time.monotonic() - self.seconds
        reported = saved = self.seconds
        calls = pace.Pace()
        steps_a_call, stopped = 1, False
        while not self.done and not stopped:
            begun = time.monotonic()
            self._learner.elapsed.assign(self.seconds / self._limit_s if self._limit_s else 0.0)
            total, made, is_sound = self._learner.train(
                iterator, tf.constant(min(steps_a_call, self._steps_to_validation()))
            )
            loss, count = float(total), int(made)
            self.state.step.assign_add(count)
            if not (math.isfinite(loss) and is_sound):
                raise UserError(self._not_a_number(loss))
            calls.add(count, loss, time.monotonic() - begun)
            seconds, seconds_a_step, stopping = agreement.means(
                self._strategy, time.monotonic() - started, calls.seconds_a_step, self._stop()
            )
            self.state.seconds.assign(seconds)
            steps_a_call, stopped = pace.steps_a_call(seconds_a_step), stopping > 0
            validate = self.done or self.step % self._config.validate_every == 0
            report = None
            if validate or stopped or self.seconds - reported >= REPORT_SECONDS:
                report = self._measure(calls, held_out if validate else None)
                reported, calls = self.seconds, pace.Pace()
            if self.done or stopped or self.seconds - saved >= 60 * checkpoint_minutes:
                self.state.save()
                saved = self.seconds
            if report:
                yield report
        if self._events:
            self._events.close()

    def _steps_to_validation(self) -> int:
        every = self._config.validate_every
        return min(every - self.step % every, self._steps - self.step)

    def _measure(self, calls: pace.Pace, held_out: Any) -> Report:
        """Take the figures since the last report, validate on `held_out` if given, and write both down."""
        measured = {"loss": calls.mean_loss, "images_per_s": self._config.batch_size / calls.seconds_a_step}
        learner = self._learner
        if held_out is not None and self._validation_count:
            measured["validation_loss"] = self._validate(held_out)
            self.state.validated(measured["validation_loss"], learner.averaged.get_weights())
        elif held_out is not None:
            self.state.keep(learner.averaged.get_weights())
        rate = {"learning_rate": float(learner.optimizer.learning_rate)}
        self.last = {"step": self.step, "epoch": self.epoch, **measured, **rate, "seconds": self.seconds}
        if self._metrics:
            self._metrics.add(self.last)
        if self._events:
            self._events.scalars(self.step, measured | rate)
            if "validation_loss" in measured:
                self._events.image(self.step, "luminance, prediction, truth", self._pictures())
        return self.report(**measured)

    def _validate(self, held_out: Any) -> float:
        """Return the mean loss over the validation examples, each counted once."""
        batches = math.ceil(self._validation_count / self._config.batch_size)
        return float(self._learner.validate(iter(held_out), tf.constant(batches))) / self._validation_count

    def _pictures(self) -> Any:
        """Return the first validation examples as a sheet: luminance, prediction, truth."""
        make = inputs.validation(self._data_dir, self._config, self._description)
        luminance, truth, _ = next(iter(make(tf.distribute.InputContext()).take(1)))
        shown = min(SHOWN, self._validation_count)
        small = dataclasses.replace(self._config, size=self._config.resolution, export_resolution=0)
        averaged = self._learner.averaged
        output = averaged(networks.arguments(averaged, luminance[:shown]), training=False)
        chroma = networks.decode(small, output)
        return tensorboard.grid(luminance[:shown].numpy(), chroma.numpy(), truth[:shown].numpy())

    def _not_a_number(self, loss: float) -> str:
        """Return a message about a step whose loss, or else whose weights are not finite: the step and its examples."""
        step = self.step - 1
        found = [
            name
            for context in self._contexts
            for name in inputs.names(self._data_dir, self._config, self._description, step, context)
        ]
        what = "the weights are not finite" if math.isfinite(loss) else f"the loss is {loss}"
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        return (
            f"{what} at step {self.step}, on {', '.join(found[:NAMED])}{more}; "
            "start again with a lower learning_rate or another seed"
        )
