"""What run a training folder belongs to: its file `config.json`, with the configuration and the data set."""

from __future__ import annotations

import json
from typing import Any

import tensorflow as tf

from model import saved_model, whole_files
from model.config import EXPORT_ONLY, Config
from tfrecords.description import Description
from tfrecords.errors import UserError

CONFIG_FILE = "config.json"


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
        whole_files.write(path, json.dumps(run, indent=2, sort_keys=True) + "\n")
    except tf.errors.OpError as error:
        raise UserError(f"output {output} cannot be written: {error.message.splitlines()[0]}") from error


def _compare(output: str, stored: dict[str, Any], run: dict[str, Any]) -> None:
    try:
        free = dict.fromkeys(("epochs", *EXPORT_ONLY))
        was, now = {**stored["config"], **free}, {**run["config"], **free}
        fingerprint = stored["data"]["fingerprint"]
    except (KeyError, TypeError) as error:
        raise UserError(f"{output}/{CONFIG_FILE} is not of a training run; choose another --output") from error
    if fingerprint != run["data"]["fingerprint"]:
        model = tf.io.gfile.join(output, saved_model.FOLDER)
        further = f"to continue from its model, add --init {model} and choose another --output"
        raise UserError(
            f"{output} holds a run on another data set (fingerprint {fingerprint[:12]}, "
            f"now {run['data']['fingerprint'][:12]}); "
            f"{further if saved_model.is_whole(model) else 'choose another --output or the same --data'}"
        )
    was["init"], now["init"] = stored.get("init", ""), run["init"]
    names = [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]
    differing = [f"{name} {was.get(name)} (now {now.get(name)})" for name in names]
    if differing:
        raise UserError(
            f"{output} holds a run with {', '.join(differing)}; choose another --output or the same settings"
        )


def _read_json(path: str) -> dict[str, Any]:
    if not tf.io.gfile.exists(path):
        return {}
    try:
        with tf.io.gfile.GFile(path) as file:
            return dict(json.loads(file.read()))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged; choose another --output") from error
