"""The checkpoints of a run, in the folder `checkpoints` of its training folder (see `model.trainer`).

They hold weights, optimizer, averaged and best weights, step, seconds and validations; the last two are kept.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import whole_files, writing
from model.learner import Learner
from model.plain_paths import plain
from tfrecords import dataset
from tfrecords.errors import UserError

CHECKPOINTS = "checkpoints"
KEPT = 2
# What checkpoints of earlier versions do not have.
_ADDED = "validation"
# A file is damaged, cut or missing. TensorFlow raises an IndexError for OutOfRange where it reads the index.
_TORN = (tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.NotFoundError, IndexError)
_FILE = re.compile(r"ckpt-(?P<number>\d+)\.(?P<ending>index|data-.*)\Z")
# A folder in which TensorFlow writes a checkpoint; that of a killed run is left.
_UNFINISHED = re.compile(r"ckpt-\d+_temp/?\Z")


class Checkpoints:
    """The state of a run and its files: what training needs to go on exactly.

    Attributes:
        step: tf.Variable int64, optimizer steps done.
        seconds: tf.Variable float64, training time so far, over all runs.
        best: tf.Variables, the weights that validated best; those of the start before the first validation.
        best_loss: tf.Variable float64, their validation loss; infinite before the first validation.
        best_step: tf.Variable int64, the step at which they were.
        worse: tf.Variable int64, validations since then.
        due: tf.Variable bool, whether the weights of this step are still to be validated.
        reserve: tf.Variable float64, seconds to keep free for the last validation.
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
        self.due = tf.Variable(False, trainable=False)
        self.reserve = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.torn: list[str] = []
        self._torn: set[int] = set()
        self._folder = tf.io.gfile.join(output, CHECKPOINTS)
        state = {
            "model": learner.model,
            "averaged": learner.averaged,
            "optimizer": learner.optimizer,
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "best_loss": self.best_loss,
            "best_step": self.best_step,
            "worse": self.worse,
            **_seeds(learner.model),
            **({"scaling": [variable.value for variable in learner.scaling]} if learner.scaling else {}),
        }
        self._checkpoint = tf.train.Checkpoint(**state, **{_ADDED: {"due": self.due, "reserve": self.reserve}})
        self._earlier = tf.train.Checkpoint(**state)
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
            prefix = _prefix(self._plain, number)
            has_added = any(name.startswith(f"{_ADDED}/") for name, _ in tf.train.list_variables(prefix))
            checkpoint = self._checkpoint if has_added else self._earlier
            # Every tensor is read and its checksum compared.
            checkpoint.read(prefix).assert_existing_objects_matched()
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

        Raises:
            DeniedError: the folder may not be written.
            OutageError: the disk is full, or the disk or the bucket fails.
        """
        with writing.named(self._folder):
            self._save()

    def _save(self) -> None:
        for name in tf.io.gfile.listdir(self._written) if tf.io.gfile.isdir(self._written) else ():
            if _UNFINISHED.match(name):
                tf.io.gfile.rmtree(tf.io.gfile.join(self._written, name.rstrip("/")))
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
    return str(tf.io.gfile.join(folder, f"ckpt-{number}"))


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
    whole_files.write(tf.io.gfile.join(folder, "checkpoint"), "\n".join(lines) + "\n")
