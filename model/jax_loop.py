"""The loop of training on JAX: steps, validations, reports and checkpoints, as `model.loop` orders them.

What a run ends with does not depend on how often it was interrupted: order and random numbers follow from seed and
step, and averaged and best weights are part of the checkpoint. Only a time limit is not exact.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from model import jax_checkpoints, jax_pictures, metrics_log, pace, packs, precision
from model.config import Config
from model.jax_learner import Learner, State
from model.progress import Report
from tfrecords.errors import UserError
from tfrecords.words import first

REPORT_SECONDS = 10.0
MOST_STEPS = 20
"""Steps in one call at most."""
NAMED = 8
"""Pictures that the message about a loss that is not a number names."""


class Loop:
    """A run: its state, and what moves it.

    Attributes:
        figures: how it stands.
        best: weights that validated best, in the order of `keras.Model.get_weights`.
        last: the last line of the log.
    """

    def __init__(
        self,
        config: Config,
        folder: str,
        contents: packs.Contents,
        learner: Learner,
        output: str,
        steps: int,
        max_minutes: float | None,
        stop: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the pictures, and restore the last checkpoint of the training folder `output`, if there is one."""
        self._config = config
        self._learner = learner
        self._steps = steps
        self._limit_s = None if max_minutes is None else 60 * max_minutes
        self._stop = stop
        self._clock = clock
        self.figures = jax_checkpoints.Figures()
        self._state: State = learner.state
        self.best = learner.weights(self._state)
        self._checkpoints = jax_checkpoints.Checkpoints(output)
        found = self._checkpoints.restore([*jax.tree.leaves(self._state), *self.best])
        self._resumed = found is not None
        if found:
            self.figures, arrays = found
            tree, count = jax.tree.structure(self._state), len(arrays) - len(self.best)
            self._state = learner.put(jax.tree.unflatten(tree, arrays[:count]))
            self.best = arrays[count:]
        self._metrics = metrics_log.Metrics(output, self.figures.step)
        self.last: dict[str, Any] = self._metrics.last
        memory = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
        self._pictures = jax_pictures.Training(folder, contents, config, MOST_STEPS, memory)
        self._pool: Any = None
        self._held_out: Any = None
        if not self.done:
            resident = self._pictures.resident()
            self._pool = None if resident is None else jax.device_put(resident, learner.replicated)
            held_out = jax_pictures.validation(folder, contents, config)
            self._held_out = jax.device_put(held_out, learner.replicated) if len(held_out) else None

    @property
    def epoch(self) -> float:
        """Passes over the pictures so far."""
        return round(self.figures.step * self._config.batch_size / self._pictures.count, 3)

    @property
    def done(self) -> bool:
        """Whether the run is complete, its last validation included."""
        return self._is_over and not self.figures.due

    @property
    def _is_over(self) -> bool:
        late = self._limit_s is not None and self._left() <= 0
        return self.figures.step >= self._steps or late or self.figures.worse >= self._config.patience

    def _left(self) -> float:
        """Return the seconds until training must end, so that a validation ends within the time limit."""
        assert self._limit_s is not None
        return self._limit_s - min(self.figures.reserve, self._limit_s / 2) - self.figures.seconds

    def report(self, **measured: Any) -> Report:
        """Return the state of the run, with what was `measured` since the last report."""
        figures = {"loss": None, "images_per_s": None, "validation_loss": None, **measured}
        return Report(
            step=self.figures.step,
            steps=self._steps,
            epoch=self.epoch,
            epochs=self._config.epochs,
            seconds=self.figures.seconds,
            limit_s=self._limit_s,
            resumed=self._resumed,
            torn=tuple(self._checkpoints.torn),
            **figures,
        )

    def run(self, checkpoint_minutes: float) -> Iterator[Report]:
        """Train until `done` or told to stop; yield a report now and then."""
        begun = self._clock() - self.figures.seconds
        reported = saved = self.figures.seconds
        calls, steps, stopped = pace.Pace(), 1, False
        while not self.done and not stopped:
            if not self.figures.due:
                steps = self._train(steps, calls)
                self.figures.seconds = self._clock() - begun
                self.figures.due = self._is_over or self.figures.step % self._config.validate_every == 0
            stopped = self._stop()
            validated: dict[str, float] | None = None
            if self.figures.due and not stopped:
                validated = self._validate()
                stopped = validated is None
                self.figures.seconds = self._clock() - begun
            report = None
            if validated is not None or stopped or self.figures.seconds - reported >= REPORT_SECONDS:
                report = self._measured(calls, validated or {})
                reported, calls = self.figures.seconds, pace.Pace()
            if self.done or stopped or self.figures.seconds - saved >= 60 * checkpoint_minutes:
                self._checkpoints.save(self.figures, [*jax.tree.leaves(self._state), *self.best])
                saved = self.figures.seconds
            if report:
                yield report
        self._pictures.close()

    def _used(self) -> float:
        """Return the used part of the time limit."""
        return self.figures.seconds / (self.figures.seconds + max(self._left(), 0.0)) if self._limit_s else 0.0

    def _train(self, steps: int, calls: pace.Pace) -> int:
        """Make up to some steps in one call; return how many the next call should make."""
        begun = self._clock()
        first, every = self.figures.step, self._config.validate_every
        count = min(steps, MOST_STEPS, every - first % every, self._steps - first)
        pool, places = self._pool, self._pictures.places(first)
        if pool is None:
            pool = self._pictures.streamed(first, count)
            places = np.arange(places.size, dtype=np.int32).reshape(places.shape)
        self._state, losses, bad = self._learner.advance(
            self._state, pool, places, self._pictures.stream(first), np.int32(count), np.float32(self._used())
        )
        found, wrong = np.asarray(losses)[:count], int(bad)
        if wrong < count:
            raise UserError(self._not_a_number(first + wrong, float(found[wrong])))
        self.figures.step += count
        took = self._clock() - begun
        is_first = not calls.steps and not first
        calls.add(count, float(found.sum()), took)
        if is_first:  # compiles
            return 1
        next_steps = pace.steps_a_call(took / count)
        return min(next_steps, pace.steps_within(took / count, self._left())) if self._limit_s else next_steps

    def _validate(self) -> dict[str, float] | None:
        """Validate the averaged weights and keep the best; return the loss by its name, or None if told to stop."""
        begun = self._clock()
        figures: dict[str, float] = {}
        if self._held_out is None:
            self._keep()
        else:
            total, count = 0.0, len(self._held_out)
            for places, counted in jax_pictures.evenly(count, self._config.batch_size):
                total += float(self._learner.validate(self._state, self._held_out, places, np.int32(counted)))
                if self._stop():
                    return None
            figures["validation_loss"] = total / count
            if total / count < self.figures.best_loss:
                self._keep()
                self.figures.best_loss, self.figures.worse = total / count, 0
            else:
                self.figures.worse += 1
        self.figures.due = False
        self.figures.reserve = self._clock() - begun
        return figures

    def _keep(self) -> None:
        """Take the present weights for the best ones."""
        self.best = self._learner.weights(self._state)
        self.figures.best_step = self.figures.step

    def _measured(self, calls: pace.Pace, validated: dict[str, float]) -> Report:
        """Write down the figures since the last report, and return them."""
        measured: dict[str, float] = dict(validated)
        if calls.steps:
            measured["loss"] = calls.mean_loss
            measured["images_per_s"] = self._config.batch_size / calls.seconds_a_step
        rate = {"learning_rate": self._learner.learning_rate(self._state, self._used())}
        self.last = {"step": self.figures.step, "epoch": self.epoch, **measured, **rate}
        self.last["seconds"] = self.figures.seconds
        self._metrics.add(self.last)
        return self.report(**measured)

    def _not_a_number(self, step: int, loss: float) -> str:
        """Return a message about a step after which the loss, or else a weight, is not finite."""
        found = self._pictures.names(step)
        what = precision.what_failed(self._config.precision) if math.isfinite(loss) else f"the loss is {loss}"
        return (
            f"{what} at step {step + 1}, on pictures {first(found, NAMED)}; "
            "start again with a lower learning_rate or another seed, in another --output"
        )


def figures(loop: Loop) -> dict[str, Any]:
    """Return the figures of a run for the record of its model."""
    stands = dataclasses.asdict(loop.figures)
    best = loop.figures.best_loss
    return {
        "steps": stands["step"],
        "epochs": loop.epoch,
        "seconds": round(loop.figures.seconds, 1),
        "loss": loop.last.get("loss"),
        "validation_loss": best if math.isfinite(best) else None,
        "best_step": stands["best_step"],
        "replicas": len(jax.local_devices()),
    }
