"""Autochrome's SavedModel folder as files: what must be in it, its record, and its digest. Works without TensorFlow.

TensorFlow is imported only for paths with a scheme (``gs://…``), which its file systems read.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tfrecords.errors import UserError
from tfrecords.uris import is_remote as is_remote

FOLDER = "saved_model"
GRAPH = "saved_model.pb"
RECORD = "autochrome.json"
FORMAT_VERSION = 1
RELEASED = "released"
"""What to give for a folder to mean the model that ships with this package, wherever that is on a machine."""


def folder(model: str) -> str:
    """Return the folder that `model` names: itself, or that of the model that ships with this package."""
    return str(Path(__file__).parent / RELEASED) if model == RELEASED else model


def check(path: str) -> dict[str, Any]:
    """Check that `path` is a SavedModel folder that Autochrome made, or `RELEASED`, and return its record.

    Returns:
        The contents of ``autochrome.json``: `format_version`, `name`, `config`, `data`, `training`, `versions`.

    Raises:
        UserError: the folder is missing or forbidden, holds no model, or one that Autochrome did not make; says what
            to do.
        OutageError: its bucket does not answer.
    """
    path = folder(path)
    if is_remote(path):
        from model import google_cloud

        google_cloud.check("--model", path)
    if not _exists(_join(path, GRAPH)):
        if _exists(_join(path, FOLDER, GRAPH)):
            raise UserError(f"{path} is a training folder; its model is {_join(path, FOLDER)}")
        reason = f"has no {GRAPH}" if _exists(path) else "does not exist"
        raise UserError(f"model {path} {reason}; give the {FOLDER} folder that `autochrome train` wrote")
    if not _exists(_join(path, RECORD)):
        raise UserError(f"model {path} has no {RECORD}; only SavedModels that `autochrome train` wrote can be used")
    try:
        record = json.loads(_read(_join(path, RECORD)))
        version, _ = record["format_version"], record["name"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"model {path} has a damaged {RECORD}; export it again with `autochrome train`") from error
    if version != FORMAT_VERSION:
        raise UserError(
            f"model {path} has format version {version}, this program reads {FORMAT_VERSION}; export it again"
        )
    return dict(record)


def digest(path: str) -> str:
    """Return the hex sha256 of the model's files, ``saved_model.pb`` and ``variables/*``: names, sizes and bytes.

    The record ``autochrome.json`` is not part of it.
    """
    path = folder(path)
    whole = hashlib.sha256()
    for name in [GRAPH, *(f"variables/{name}" for name in sorted(_list(_join(path, "variables"))))]:
        data = _read(_join(path, name))
        whole.update(f"{name}\0{len(data)}\0".encode())
        whole.update(data)
    return whole.hexdigest()


def _join(path: str, *names: str) -> str:
    return "/".join([path.rstrip("/") or "/", *names])


def _exists(path: str) -> bool:
    if not is_remote(path):
        return Path(path).exists()
    import tensorflow as tf

    return bool(tf.io.gfile.exists(path))


def _list(path: str) -> list[str]:
    if not is_remote(path):
        return [entry.name for entry in Path(path).iterdir()]
    import tensorflow as tf

    return [name.rstrip("/") for name in tf.io.gfile.listdir(path)]


def _read(path: str) -> bytes:
    if not is_remote(path):
        return Path(path).read_bytes()
    import tensorflow as tf

    with tf.io.gfile.GFile(path, "rb") as file:
        return bytes(file.read())
