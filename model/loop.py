"""The loop of training: one custom loop that runs the same on one device, several GPUs, several machines and TPUs.

Decisions by the clock (when to stop, to report, to save) and by signal follow what the workers agree on after each call
of the step function, so that all of them decide alike. TensorFlow's PreemptionCheckpointHandler would do that for one
strategy only, and leave in the middle of a call.

What a run ends with does not depend on how often it was interrupted: order, crops and flips follow from seed and step,
validations come after a fixed number of steps, and averaged and best weights are part of the checkpoint. Only a time
limit is not exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from model import agreement, checkpoints, inputs, losses, metrics_log, pace, precision, tensorboard
from model import strategy as strategies
from model.config import Config
from model.learner import Learner
from model.progress import Report
from model.validation import Validation
from tfrecords.description import Description
from tfrecords.errors import UserError
from tfrecords.words import first

REPORT_SECONDS = 10.0
NAMED = 8
"""Examples that the message about a loss that is not a number names."""


class Loop:
    """The state of training and the functions that move it.

    Attributes:
        state: what the checkpoints hold.
        last: the last figures that were measured; {} without any.
    """

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
        clock: Callable[[], float],
    ) -> None:
        """Restore the state of a run, or make that of a new one; the arguments are those of `model.trainer.train`."""
        self._config = config
        self._data_dir = data_dir
        self._description = description
        self._strategy = strategy
        self._stop = stop
        self._clock = clock
        self._train_count = description.count("train")
        self._steps = math.ceil(config.epochs * self._train_count / config.batch_size)
        self._limit_s = None if max_minutes is None else 60 * max_minutes
        # One table of 65 MiB in the memory of the first device would be copied to the others in each step.
        is_compact = config.jit or strategy.num_replicas_in_sync > 1
        loss = losses.make(config, description.statistics.get("train", {}).get("chroma"), is_compact=is_compact)
        self._learner = Learner(config, strategy, loss, self._steps, init)
        chief = strategies.is_chief(strategy)
        self.state = checkpoints.Checkpoints(output, self._learner, chief=chief)
        self._resumed = self.state.restore()
        agreement.check_start(strategy, self.step, self._learner.arrays())
        self._validation = Validation(config, data_dir, description, strategy)
        self._metrics = metrics_log.Metrics(output, self.step) if chief else None
        folder = tf.io.gfile.join(output, tensorboard.FOLDER)
        self._events = tensorboard.Events(folder, self.step) if chief and not self.done else None
        self.last: dict[str, Any] = self._metrics.last if self._metrics else {}
        self._contexts: list[tf.distribute.InputContext] = []
        self._started = 0.0

    @property
    def step(self) -> int:
        """Optimizer steps made."""
        return int(self.state.step.numpy())

    @property
    def seconds(self) -> float:
        """Time of training and validation, over all runs."""
        return float(self.state.seconds.numpy())

    @property
    def epoch(self) -> float:
        """Passes over the training examples."""
        return round(self.step * self._config.batch_size / self._train_count, 3)

    @property
    def done(self) -> bool:
        """Whether the run is complete, its last validation included."""
        return self._is_over and not self.state.due.numpy()

    @property
    def _is_over(self) -> bool:
        """Whether no more steps are to be made."""
        late = self._limit_s is not None and self._left() <= 0
        return self.step >= self._steps or late or self.state.worse.numpy() >= self._config.patience

    def _left(self) -> float:
        """Return the seconds until training must end, so that a validation ends within the time limit."""
        assert self._limit_s is not None
        return self._limit_s - float(self.state.reserve.numpy()) - self.seconds

    def report(self, **measured: Any) -> Report:
        """Return the state of the run, with what was `measured` since the last report."""
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
        batches = iter(self._strategy.distribute_datasets_from_function(self._make))
        self._started = self._clock() - self.seconds
        reported = saved = self.seconds
        calls, steps, stopped = pace.Pace(), 1, False
        while not self.done and not stopped:
            if not self.state.due.numpy():
                steps, stopped = self._train(batches, steps, calls)
                self.state.due.assign(self._is_over or self.step % self._config.validate_every == 0)
            validated: dict[str, float] | None = None
            if self.state.due.numpy() and not stopped:
                validated = self._validate()
                stopped = validated is None
            report = None
            if validated is not None or stopped or self.seconds - reported >= REPORT_SECONDS:
                report = self._measured(calls, validated or {})
                reported, calls = self.seconds, pace.Pace()
            if self.done or stopped or self.seconds - saved >= 60 * checkpoint_minutes:
                self.state.save()
                saved = self.seconds
            if report:
                yield report
        if self._events:
            self._events.close()

    def _make(self, context: tf.distribute.InputContext) -> tf.data.Dataset:
        self._contexts.append(context)
        return inputs.training(self._data_dir, self._config, self._description, self.step)(context)

    def _train(self, batches: Any, steps: int, calls: pace.Pace) -> tuple[int, bool]:
        """Make up to some steps in one call; return how many the next call should make, and whether to stop."""
        begun = self._clock()
        used = self.seconds / (self.seconds + self._left()) if self._limit_s else 0.0
        self._learner.elapsed.assign(used)
        steps = min(steps, self._steps_to_validation())
        total, made, is_sound = self._learner.train(batches, tf.constant(steps))
        loss, count = float(total), int(made)
        self.state.step.assign_add(count)
        if not (math.isfinite(loss) and is_sound):
            raise UserError(self._not_a_number(loss))
        is_first = not calls.steps
        took = self._clock() - begun
        calls.add(count, loss, took)
        seconds, seconds_a_step, stopping = agreement.means(
            self._strategy, self._clock() - self._started, took / count, self._stop()
        )
        self.state.seconds.assign(seconds)
        steps = pace.steps_a_call(seconds_a_step)
        if self._limit_s:
            if not is_first and math.isinf(self.state.best_loss.numpy()):
                self._keep_free(pace.VALIDATION * seconds_a_step * self._validation.batches)
            steps = min(steps, pace.steps_within(seconds_a_step, self._left()))
        return steps, stopping > 0

    def _steps_to_validation(self) -> int:
        every = self._config.validate_every
        return min(every - self.step % every, self._steps - self.step)

    def _validate(self) -> dict[str, float] | None:
        """Validate the averaged weights and keep the best; return the loss by its name, or None if told to stop."""
        weights = self._learner.averaged.get_weights
        figures: dict[str, float] = {}
        begun = self._clock()
        if not self._validation.count:
            self.state.keep(weights())
        else:
            loss = self._validation.loss(self._learner, self._clock, self._stop)
            if loss is None:
                return None
            figures["validation_loss"] = loss
            if self._events:
                self._events.image(self.step, "luminance, prediction, truth", self._validation.pictures(self._learner))
        now = self._clock()
        seconds, took = agreement.means(self._strategy, now - self._started, now - begun)
        # A shorter last validation than expected must not make it seem that time is left.
        is_over = self._is_over
        self.state.seconds.assign(seconds)
        self._keep_free(max(took, float(self.state.reserve.numpy())) if is_over else took)
        if figures:
            self.state.validated(figures["validation_loss"], weights())
        self.state.due.assign(False)
        return figures

    def _keep_free(self, seconds: float) -> None:
        """Keep time free for the last validation: at most half of the time limit."""
        self.state.reserve.assign(min(seconds, self._limit_s / 2) if self._limit_s else 0.0)

    def _measured(self, calls: pace.Pace, validated: dict[str, float]) -> Report:
        """Write down the figures since the last report and those of a validation; return them as a report."""
        measured = dict(validated)
        if calls.steps:
            measured |= {"loss": calls.mean_loss, "images_per_s": self._config.batch_size / calls.seconds_a_step}
        rate = {"learning_rate": float(self._learner.optimizer.learning_rate)}
        line = {"step": self.step, "epoch": self.epoch, **measured, **rate, "seconds": self.seconds}
        self.last = line if calls.steps else self.last | line
        if self._metrics:
            self._metrics.add(line)
        if self._events:
            self._events.scalars(self.step, measured | rate)
        return self.report(**measured)

    def _not_a_number(self, loss: float) -> str:
        """Return a message about a step whose loss, or else whose weights are not finite: the step and its examples."""
        step = self.step - 1
        found = [
            name
            for context in self._contexts
            for name in inputs.names(self._data_dir, self._config, self._description, step, context)
        ]
        what = precision.what_failed(self._config.precision) if math.isfinite(loss) else f"the loss is {loss}"
        return (
            f"{what} at step {self.step}, on {first(found, NAMED)}; "
            "start again with a lower learning_rate or another seed, in another --output"
        )
