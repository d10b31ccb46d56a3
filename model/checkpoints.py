"""The training folder: what run it belongs to, its checkpoints, and its log of figures.

OUTPUT/config.json     the configuration and the data set; a run with others is refused
OUTPUT/checkpoints/    weights, optimizer, step and seconds; the last two
OUTPUT/metrics.jsonl   one line a report
OUTPUT/saved_model/    the export (`model.export`)
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from typing import Any

import keras
import tensorflow as tf

from model.config import Config
from tfrecords.description import Description
from tfrecords.errors import UserError

CONFIG_FILE = "config.json"
METRICS_FILE = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
KEPT = 2


def claim(output: str, config: Config, description: Description, *, chief: bool = True) -> None:
    """Make the folder `output` that of this run, or recognise it as such; only the chief writes.

    The number of epochs may differ: more of them go on with the run.

    Raises:
        UserError: the folder cannot be written, or holds a run with another configuration or data set.
    """
    path = tf.io.gfile.join(output, CONFIG_FILE)
    run = {"config": config.to_dict(), "data": {"fingerprint": description.fingerprint}}
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
        was, now = {**stored["config"], "epochs": None}, {**run["config"], "epochs": None}
        fingerprint = stored["data"]["fingerprint"]
    except (KeyError, TypeError) as error:
        raise UserError(f"{output}/{CONFIG_FILE} is not of a training run; choose another --output") from error
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


@dataclasses.dataclass
class Checkpoints:
    """Saves and restores what training needs to go on exactly: weights, optimizer, step and seconds.

    Attributes:
        output: the training folder.
        step: tf.Variable int64, optimizer steps done.
        seconds: tf.Variable float64, training time so far, over all runs.
        chief: whether this process is the one whose files count.
    """

    output: str
    model: keras.Model
    optimizer: keras.Optimizer
    step: tf.Variable
    seconds: tf.Variable
    chief: bool

    def __post_init__(self) -> None:
        self._folder = tf.io.gfile.join(self.output, CHECKPOINTS)
        checkpoint = tf.train.Checkpoint(
            model=self.model, optimizer=self.optimizer, step=self.step, seconds=self.seconds
        )
        # All workers have to take part in saving, but only the chief's files count.
        self._scratch = None if self.chief else tempfile.TemporaryDirectory(prefix="autochrome-worker-")
        folder = self._scratch.name if self._scratch else self._folder
        self._manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=KEPT)

    def restore(self) -> bool:
        """Restore the chief's last checkpoint; return whether there was one."""
        latest = tf.train.latest_checkpoint(self._folder)
        if latest is None:
            return False
        self._manager.checkpoint.restore(latest).assert_existing_objects_matched()
        return True

    def save(self) -> None:
        """Save a checkpoint of the current step; older ones than the last two are deleted."""
        self._manager.save(checkpoint_number=int(self.step.numpy()))


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
        if "://" in self._path:  # Objects in a bucket cannot be appended to.
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
    with tf.io.gfile.GFile(f"{path}.partial", "w") as file:
        file.write(text)
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
