"""What run a training folder belongs to: its file `config.json`, with the configuration and the data set."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Protocol

from model import saved_model, whole_files
from model.config import EXPORT_ONLY, Config
from tfrecords.errors import UserError

CONFIG_FILE = "config.json"
# By the file that is written last; `colorize` writes report.json.
_OTHERS = {
    "dataset.json": "records",
    "pack.json": "packs",
    saved_model.RECORD: "a model",
    "report.json": "colorized photos",
}


class Data(Protocol):
    """A data set: the description of a prepared set, or the contents of packs."""

    @property
    def fingerprint(self) -> str:
        """By which it is known."""


def claim(output: str, config: Config, data: Data, *, init: str = "", chief: bool = True) -> None:
    """Make the folder `output` that of this run, or recognise it as such; only the chief writes.

    Args:
        output: training folder.
        config: of the run.
        data: that it is trained on.
        init: digest of the model that the run starts from; '' without one.
        chief: whether this process writes.

    Raises:
        UserError: the folder cannot be written, or see `check`.
    """
    check(output, config, data, init=init)
    if not chief:
        return
    try:
        whole_files.write(_path(output), json.dumps(_run(config, data, init), indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise UserError(f"output {output} cannot be written: {error.strerror or error}") from error


def check(output: str, config: Config, data: Data, *, init: str = "") -> None:
    """Make sure that the folder `output` is free for this run, or holds it; the arguments are those of `claim`.

    The number of epochs may differ, as more of them go on with the run, and what only the export needs.

    Raises:
        UserError: the folder holds a run with another configuration or data set, or something else than a run.
    """
    stored = _read_json(_path(output))
    if stored is not None:
        _compare(output, stored, _run(config, data, init))
        return
    for name, what in _OTHERS.items():
        if whole_files.read(f"{output.rstrip('/')}/{name}") is not None:
            raise UserError(f"output {output} holds {what}; choose another --output")


def _path(output: str) -> str:
    return f"{output.rstrip('/')}/{CONFIG_FILE}"


def _run(config: Config, data: Data, init: str) -> dict[str, Any]:
    return {"config": config.to_dict(), "data": {"fingerprint": data.fingerprint}, "init": init}


def _compare(output: str, stored: dict[str, Any], run: dict[str, Any]) -> None:
    try:
        free = dict.fromkeys(("epochs", *EXPORT_ONLY))
        was, now = {**_added(stored), **stored["config"], **free}, {**run["config"], **free}
        fingerprint = stored["data"]["fingerprint"]
    except (KeyError, TypeError) as error:
        raise UserError(f"{output}/{CONFIG_FILE} is not of a training run; choose another --output") from error
    if fingerprint != run["data"]["fingerprint"]:
        model = f"{output.rstrip('/')}/{saved_model.FOLDER}"
        further = f"to continue from its model, add --init {model} and choose another --output"
        raise UserError(
            f"{output} holds a run on another data set (fingerprint {fingerprint[:12]}, "
            f"now {run['data']['fingerprint'][:12]}); "
            f"{further if saved_model.is_whole(model) else 'choose another --output or the same --data'}"
        )
    was["init"], now["init"] = (one.get("init", "")[:12] or "none" for one in (stored, run))
    names = [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]
    differing = [f"{name} {was.get(name)} (now {now.get(name)})" for name in names]
    if differing:
        raise UserError(
            f"{output} holds a run with {', '.join(differing)}; choose another --output or the same settings"
        )


def _added(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what fields that were added to the configuration later were in an earlier run."""
    added = {field.name: field.default for field in dataclasses.fields(Config)}
    found = {name: value for name, value in added.items() if value is not dataclasses.MISSING}
    # Runs on JAX kept it beside the configuration.
    return found | ({"precision": stored["precision"]} if "precision" in stored else {})


def _read_json(path: str) -> dict[str, Any] | None:
    """Return what a file holds; None if there is none."""
    try:
        text = whole_files.read(path)
        return None if text is None else dict(json.loads(text))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged; choose another --output") from error
