"""The trainer: from a prepared set and a configuration to an exported model, in a training folder.

OUTPUT/config.json     the configuration and the data set; a run with others is refused (`model.run_config`)
OUTPUT/checkpoints/    the state of the run (`model.checkpoints`)
OUTPUT/metrics.jsonl   one line a report (`model.metrics_log`)
OUTPUT/tensorboard/    the same figures and pictures (`model.tensorboard`)
OUTPUT/saved_model/    the export (`model.export`)
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from model import export, initial, inputs, replacement, run_config, run_lock, saved_model
from model import strategy as strategies
from model.config import Config
from model.loop import Loop
from model.progress import Report
from tfrecords import dataset
from tfrecords.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
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
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Train `config` on the prepared set `data_dir`, or go on with what is in `output`, and export a SavedModel.

    Args:
        config: what to train.
        data_dir: folder that `prepare` wrote.
        output: training folder (see above).
        strategy: from `model.strategy.make`.
        init: an exported model whose weights the run starts from; '' starts as `config` says.
        max_minutes: time after which to stop, over all runs in this folder; None: after `config.epochs`. Training and
            validations count, and the last one ends in time, except where half of the time is too short for it. The
            start and the export come on top.
        checkpoint_minutes: how often to save; at the end always.
        on_report: called about every 10 seconds, at the start, at each validation and at the end.
        stop: asked about twice a second, in validations too; when it says so, the run saves and ends (see
            `model.preemption`).
        clock: gives seconds.

    Returns:
        The model's path and the last figures.

    Raises:
        UserError: the data folder is none, the output cannot be written, holds another run or is used by one now, the
            batch cannot be divided among the replicas, the configuration does not hold together, a shard is damaged,
            the network cannot be exported, the workers do not start from one state, or the loss or a weight is not
            finite.
        DeniedError: access to the checkpoints is denied, or the output may not be written any more.
        OutageError: the disk or the bucket of the checkpoints does not answer, or the disk is full.
    """
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise UserError(f"batch_size {config.batch_size} cannot be divided among {replicas} devices; choose a multiple")
    description = inputs.describe(data_dir, config)
    export.check(config, description)
    chief = strategies.is_chief(strategy)
    start = initial.digest(init) if init else ""
    path = tf.io.gfile.join(output, saved_model.FOLDER)
    with run_lock.held(output, chief=chief):
        run_config.check(output, config, description, init=start)
        if chief:
            replacement.recover(path)
        loop = Loop(config, data_dir, description, strategy, output, init, max_minutes, stop, clock)
        # Only now, when the weights to start from are known to fit: the folder then belongs to this run.
        run_config.claim(output, config, description, init=start, chief=chief)
        trained = not loop.done
        on_report(loop.report())
        with dataset.damage_named(data_dir):
            for report in loop.run(checkpoint_minutes):
                on_report(report)
        result = _result(path, loop, trained=trained)
        if chief and loop.done:
            weights = [weight.numpy() for weight in loop.state.best]
            export.write(path, config, weights, description, _figures(result) | {"replicas": replicas})
    return result


def _result(path: str, loop: Loop, *, trained: bool) -> Result:
    best_loss = float(loop.state.best_loss.numpy())
    return Result(
        saved_model=path,
        step=loop.step,
        epoch=loop.epoch,
        seconds=loop.seconds,
        loss=loop.last.get("loss"),
        validation_loss=best_loss if math.isfinite(best_loss) else None,
        best_step=int(loop.state.best_step.numpy()),
        trained=trained,
        interrupted=not loop.done,
    )


def _figures(result: Result) -> dict[str, Any]:
    """Return the figures of a run for the record of its model."""
    figures: dict[str, Any] = {"steps": result.step, "epochs": result.epoch, "seconds": round(result.seconds, 1)}
    return figures | {
        "loss": result.loss,
        "validation_loss": result.validation_loss,
        "best_step": result.best_step,
    }
