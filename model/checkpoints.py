"""The training folder: what run it belongs to, its checkpoints, and its log of figures.

OUTPUT/config.json     the configuration and the data set; a run with others is refused
OUTPUT/checkpoints/    weights, optimizer, averaged and best weights, step, seconds, validations; the last two
OUTPUT/metrics.jsonl   one line a report
OUTPUT/tensorboard/    the same figures and pictures (`model.tensorboard`)
OUTPUT/saved_model/    the export (`model.export`)
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import saved_model
from model.config import EXPORT_ONLY, Config
from model.learner import Learner
from model.plain_paths import plain
from tfrecords import dataset
from tfrecords.description import Description
from tfrecords.errors import UserError

CONFIG_FILE = "config.json"
METRICS_FILE = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
KEPT = 2
# A file is damaged, cut or missing. TensorFlow raises an IndexError for OutOfRange where it reads the index.
_TORN = (tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.NotFoundError, IndexError)
_FILE = re.compile(r"ckpt-(?P<number>\d+)\.(?P<ending>index|data-.*)\Z")


def claim(output: str, config: Config, description: Description, *, init: str = "", chief: bool = True) -> None:
    """Make the folder `output` that of this run, or recognise it as such; only the chief writes.

    The number of epochs may differ, as more of them go on with the run, and what only the export needs.

    Args:
        output: training folder.
        config: of the run.
        description: of the data set.
        init: digest of the model that the run starts from; '' without one.
        chief: whether this process writes.

    Raises:
        UserError: the folder cannot be written, or holds a run with another configuration or data set.
    """
    path = tf.io.gfile.join(output, CONFIG_FILE)
    run = {"config": config.to_dict(), "data": {"fingerprint": description.fingerprint}, "init": init}
    if stored := _read_json(path):
        _compare(output, stored, run)
    if not chief:
        return
    try:
        tf.io.gfile.makedirs(output)
        _write_whole(path, json.dumps(run, indent=2, sort_keys=True) + "\n")
    except tf.errors.OpError as error:
        raise UserError(f"output {output} cannot be written: {error.message.splitlines()[0]}") from error


def _compare(output: str, stored: dict[str, Any], run: dict[str, Any]) -> None:
    try:
        free = dict.fromkeys(("epochs", *EXPORT_ONLY))
        was, now = {**stored["config"], **free}, {**run["config"], **free}
        fingerprint = stored["data"]["fingerprint"]
    except (KeyError, TypeError) as error:
        raise UserError(f"{output}/{CONFIG_FILE} is not of a training run; choose another --output") from error
    was["init"], now["init"] = stored.get("init", ""), run["init"]
    names = [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]
    differing = [f"{name} {was.get(name)} (now {now.get(name)})" for name in names]
    if differing:
        raise UserError(
            f"{output} holds a run with {', '.join(differing)}; choose another --output or the same settings"
        )
    if fingerprint != run["data"]["fingerprint"]:
        raise UserError(
            f"{output} holds a run on another data set (fingerprint {fingerprint[:12]}, "
            f"now {run['data']['fingerprint'][:12]}); choose another --output or the same --data"
        )


class Checkpoints:
    """The state of a run and its files: what training needs to go on exactly.

    Attributes:
        step: tf.Variable int64, optimizer steps done.
        seconds: tf.Variable float64, training time so far, over all runs.
        best: tf.Variables, the weights that validated best; those of the start before the first validation.
        best_loss: tf.Variable float64, their validation loss; infinite before the first validation.
        best_step: tf.Variable int64, the step at which they were.
        worse: tf.Variable int64, validations since then.
        torn: paths of checkpoints that `restore` could not read.
    """

    def __init__(self, output: str, learner: Learner, *, chief: bool) -> None:
        """Make the state of a run in the folder `output`; `chief` is the process whose files count."""
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.best = [tf.Variable(weight, trainable=False) for weight in learner.averaged.get_weights()]
        self.best_loss = tf.Variable(np.inf, dtype=tf.float64, trainable=False)
        self.best_step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.worse = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.torn: list[str] = []
        self._torn: set[int] = set()
        self._folder = tf.io.gfile.join(output, CHECKPOINTS)
        self._checkpoint = tf.train.Checkpoint(
            model=learner.model,
            averaged=learner.averaged,
            optimizer=learner.optimizer,
            step=self.step,
            seconds=self.seconds,
            best=self.best,
            best_loss=self.best_loss,
            best_step=self.best_step,
            worse=self.worse,
            **_seeds(learner.model),
        )
        # All workers have to take part in saving, but only the chief's files count.
        self._scratch = None if chief else tempfile.TemporaryDirectory(prefix="autochrome-worker-")
        self._links = contextlib.ExitStack()
        self._plain = self._links.enter_context(plain(self._folder))
        self._written = self._scratch.name if self._scratch else self._folder

    def restore(self) -> bool:
        """Restore the chief's last whole checkpoint; return whether there was one.

        Raises:
            UserError: there are checkpoints, and all are torn, or one holds other variables.
            DeniedError: access to the folder or a file is denied.
            OutageError: the disk or the bucket does not answer.
        """
        try:
            for number in sorted(_numbers(self._folder), reverse=True):
                if self._read(number):
                    return True
                self._torn.add(number)
                self.torn.append(_prefix(self._folder, number))
        except tf.errors.OpError as error:
            raise dataset.of_the_world(self._folder, error) from error
        if self.torn:
            raise UserError(f"no checkpoint in {self._folder} can be read; remove the folder to start again")
        return False

    def _read(self, number: int) -> bool:
        """Read a checkpoint; return False if it is torn."""
        try:
            _open(self._folder, number)
            # Every tensor is read and its checksum compared.
            self._checkpoint.read(_prefix(self._plain, number)).assert_existing_objects_matched()
        except _TORN:
            return False
        except tf.errors.OpError as error:
            # The type that the index's reader gives to all errors. The index could be opened, so it is damaged.
            if type(error) is tf.errors.OpError:
                return False
            raise
        except (AssertionError, ValueError) as error:
            raise UserError(
                f"{_prefix(self._folder, number)} was written by another version of the network; "
                "choose another --output or install that version"
            ) from error
        return True

    def save(self) -> None:
        """Save a checkpoint of the current step; torn ones and older ones than the last two are deleted.

        `tf.train.CheckpointManager` would delete by glob: in a folder named `run[1]`, the checkpoints of `run1`.
        """
        step = int(self.step.numpy())
        self._checkpoint.write(_prefix(self._written, step))
        self._torn.discard(step)
        numbers = sorted(number for number in _numbers(self._written) - self._torn if number <= step)
        _tell_tensorflow(self._written, numbers[-KEPT:])
        for name in tf.io.gfile.listdir(self._written):
            if (found := _FILE.match(name)) and int(found["number"]) not in numbers[-KEPT:]:
                tf.io.gfile.remove(tf.io.gfile.join(self._written, name))

    def validated(self, loss: float, weights: Sequence[NDArray[Any]]) -> None:
        """Take in a validation at the current step: keep the weights if their loss is the lowest so far."""
        if loss < float(self.best_loss.numpy()):
            self.keep(weights)
            self.best_loss.assign(loss)
            self.worse.assign(0)
        else:
            self.worse.assign_add(1)

    def keep(self, weights: Sequence[NDArray[Any]]) -> None:
        """Take the weights for the best ones."""
        for kept, weight in zip(self.best, weights, strict=True):
            kept.assign(weight)
        self.best_step.assign(self.step)


def _seeds(network: keras.Model) -> dict[str, list[tf.Variable]]:
    """Return the state of a network's random numbers, which TensorFlow does not find by itself; {} if it has none."""
    weights = {id(weight) for weight in network.weights}
    found = [variable.value for variable in network.variables if id(variable) not in weights]
    return {"seeds": found} if found else {}


def _prefix(folder: str, number: int) -> str:
    return tf.io.gfile.join(folder, f"ckpt-{number}")


def _numbers(folder: str) -> set[int]:
    """Return the numbers of the checkpoints in a folder that have been written to their end."""
    try:
        tf.io.gfile.stat(folder)  # `isdir` is also false when the disk or the bucket does not answer
    except tf.errors.NotFoundError:
        return set()
    found = (_FILE.match(name) for name in tf.io.gfile.listdir(folder))
    return {int(match["number"]) for match in found if match and match["ending"] == "index"}


def _open(folder: str, number: int) -> None:
    """Read the index of a checkpoint and the start of its data, to raise what keeps the files from being read."""
    for name in tf.io.gfile.listdir(folder):
        found = _FILE.match(name)
        if found and int(found["number"]) == number:
            with tf.io.gfile.GFile(tf.io.gfile.join(folder, name), "rb") as file:
                file.read(-1 if found["ending"] == "index" else 1)


def _tell_tensorflow(folder: str, numbers: Sequence[int]) -> None:
    """Write the file by which `tf.train.latest_checkpoint` finds the last one."""
    lines = [f'model_checkpoint_path: "ckpt-{numbers[-1]}"']
    lines += [f'all_model_checkpoint_paths: "ckpt-{number}"' for number in numbers]
    _write_whole(tf.io.gfile.join(folder, "checkpoint"), "\n".join(lines) + "\n")


class Metrics:
    """`metrics.jsonl`: one JSON object a report, in order of its `step`, without what a killed run wrote too much."""

    def __init__(self, output: str, step: int) -> None:
        """Continue the log of `output` after `step`; later lines are dropped, they will be measured again."""
        self._path = tf.io.gfile.join(output, METRICS_FILE)
        self._lines = [line for line in read_metrics(output) if line["step"] <= step]
        self._write()

    @property
    def last(self) -> dict[str, Any]:
        """The last line, {} when there is none."""
        return self._lines[-1] if self._lines else {}

    def add(self, line: dict[str, Any]) -> None:
        """Append one line."""
        self._lines.append(line)
        if saved_model.is_remote(self._path):  # Objects in a bucket cannot be appended to.
            self._write()
        else:
            with tf.io.gfile.GFile(self._path, "a") as file:
                file.write(json.dumps(line) + "\n")

    def _write(self) -> None:
        _write_whole(self._path, "".join(json.dumps(line) + "\n" for line in self._lines))


def read_metrics(output: str) -> list[dict[str, Any]]:
    """Return the lines of a training folder's `metrics.jsonl`, [] when there is none; a torn last line is left out."""
    path = tf.io.gfile.join(output, METRICS_FILE)
    if not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("}\n")]


def _read_json(path: str) -> dict[str, Any]:
    if not tf.io.gfile.exists(path):
        return {}
    try:
        with tf.io.gfile.GFile(path) as file:
            return dict(json.loads(file.read()))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged; choose another --output") from error


def _write_whole(path: str, text: str) -> None:
    if saved_model.is_remote(path):  # An object appears when it is complete.
        with tf.io.gfile.GFile(path, "w") as file:
            file.write(text)
        return
    with tf.io.gfile.GFile(f"{path}.partial", "w") as file:
        file.write(text)
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
