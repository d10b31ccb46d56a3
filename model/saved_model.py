"""Autochrome's SavedModel folder as files: what must be in it, its record, and its digest. Works without TensorFlow.

TensorFlow is imported only for paths with a scheme (``gs://…``), which its file systems read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tfrecords.errors import UserError
from tfrecords.uris import is_remote as is_remote

FOLDER = "saved_model"
GRAPH = "saved_model.pb"
RECORD = "autochrome.json"
FORMAT_VERSION = 1
GUIDED = "guided"
"""The signature that takes hints."""
HINT_SIDE = "hint_side"
"""The part of the record with the side in pixels of the hints that the model takes; missing if it takes none."""
RELEASED = "released"
"""What to give for a folder to mean the model that ships with this package, wherever that is on a machine."""
SHIPPED = (RELEASED, "released_2", "released_1")
"""The models that ship: the present one, and those before it, so that archives they coloured can go on as they are."""


_ATTEMPTS = 3
_Result = TypeVar("_Result")


def folder(model: str) -> str:
    """Return the folder to read a model from.

    Args:
        model: folder, local or gs://, or one of `SHIPPED` for a model that ships with this package.

    Returns:
        The folder itself, or that of the previous model while an export replaces it.
    """
    if model in SHIPPED:
        return str(Path(__file__).parent / model)
    is_bucket = is_remote(model) and "/" not in model.partition("://")[2].rstrip("/")
    if is_bucket or is_whole(model):
        return model
    return previous(model) if is_whole(previous(model)) else model


def previous(path: str) -> str:
    """Return the folder that holds the model of `path` while another one replaces it (see `model.replacement`)."""
    head, slash, name = path.rstrip("/").rpartition("/")
    return f"{head}{slash}previous_{name}"


def is_whole(path: str) -> bool:
    """Tell whether a folder contains a model with its record, which is the last file to be written."""
    return _exists(_join(path, RECORD))


def read(path: str, load: Callable[[str], _Result]) -> _Result:
    """Return what `load` returns for the folder of a model; load again if an export replaced the model meanwhile.

    Args:
        path: folder, local or gs://, or one of `SHIPPED`.
        load: takes the folder to read, whose files are all of one model if nothing replaces it.

    Raises:
        UserError: the model was replaced during each of several attempts.
    """
    for _ in range(_ATTEMPTS):
        before = _state(path)
        try:
            result = load(before[0])
        except Exception:
            if _state(path) == before:
                raise
            continue
        if _state(path) == before:
            return result
    raise UserError(f"model {path} was replaced while it was read; start again when its training has finished")


def _state(path: str) -> tuple[str, bytes]:
    """Return where a model is, and its record, which differs for each export; b"" without a record."""
    path = folder(path)
    try:
        return path, _read(_join(path, RECORD)) if is_whole(path) else b""
    except FileNotFoundError:  # removed in between
        return path, b""


def check(path: str) -> dict[str, Any]:
    """Check that `path` is a SavedModel folder that Autochrome made, or one of `SHIPPED`, and return its record.

    Returns:
        The contents of ``autochrome.json``: `format_version`, `name`, `config`, `data`, `training`, `versions`.

    Raises:
        UserError: the folder is missing or forbidden, holds no model, or one that Autochrome did not make; says what
            to do.
        OutageError: its bucket does not answer.
    """
    if is_remote(path):
        from model import google_cloud

        google_cloud.check("--model", path)
    path = folder(path)
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
    """Return the hex sha256 by which a model is known.

    It is the one in the model's record: two exports that compute the same have the same one (see `model.identity`).
    Models of earlier versions, and those whose files were changed after their export, are known by their files.

    Args:
        path: folder, local or gs://, or one of `SHIPPED`.
    """
    path = folder(path)
    files = files_digest(path)
    try:
        identity = json.loads(_read(_join(path, RECORD)))["identity"] if is_whole(path) else {}
        return str(identity["digest"]) if identity["files"] == files else files
    except (ValueError, KeyError, TypeError):
        return files


def files_digest(path: str) -> str:
    """Return the hex sha256 of a folder's ``saved_model.pb`` and ``variables/*``: names, sizes and bytes.

    The record ``autochrome.json`` is not part of it.
    """
    whole = hashlib.sha256()
    for name in [GRAPH, *(f"variables/{name}" for name in sorted(_list(_join(path, "variables"))))]:
        data = _read(_join(path, name))
        whole.update(f"{name}\0{len(data)}\0".encode())
        whole.update(data)
    return whole.hexdigest()


def file(path: str, name: str) -> bytes:
    """Return the bytes of one of a folder's files.

    Raises:
        FileNotFoundError: there is none.
    """
    return _read(_join(path, name))


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

    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return bytes(file.read())
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(path) from error
