"""Weights to start from: those of a model that was exported, the released one included, or of a weights file.

This module imports neither TensorFlow nor Keras, except for paths with a scheme.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import bundles, saved_model, weights
from tfrecords.errors import UserError

_KEY = "_kept/{}/.ATTRIBUTES/VARIABLE_VALUE"
"""Of the weights of an exported model, in the order of `keras.Model.get_weights`."""


def read(path: str) -> list[NDArray[Any]]:
    """Return weights in the order of `keras.Model.get_weights`, half precision as float32.

    Args:
        path: SavedModel folder, local or gs://, or one of `model.saved_model.SHIPPED`; or a local file of
            `model.weights`.

    Raises:
        UserError: the path is missing or holds no model of Autochrome's.
    """
    if weights.is_weights(path):
        return weights.read(path).arrays
    saved_model.check(path)
    return saved_model.read(path, lambda folder: _read(path, folder))


def digest(path: str) -> str:
    """Return the hex sha256 by which a run knows what it started from.

    Raises:
        UserError: the path is missing, damaged or holds no model of Autochrome's.
    """
    if weights.is_weights(path):
        weights.read(path)
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    saved_model.check(path)
    try:
        return saved_model.digest(path)
    except OSError as error:
        raise UserError(f"{path} cannot be loaded ({error}); export it again") from error


def _read(path: str, folder: str) -> list[NDArray[Any]]:
    try:
        identity = json.loads(saved_model.file(folder, saved_model.RECORD)).get("identity", {})
        if identity and saved_model.files_digest(folder) != identity["files"]:
            raise ValueError("its files are not those that were exported")
        files = (saved_model.file(folder, f"variables/variables.{end}") for end in ("index", "data-00000-of-00001"))
        found = bundles.read(*files)
        kept = [found[_KEY.format(number)] for number in range(sum(key.startswith("_kept/") for key in found))]
        if not kept:
            raise ValueError("it has no weights of a network")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{path} cannot be loaded ({error}); export it again") from error
    return [weight.astype(np.float32) if weight.dtype == np.float16 else weight for weight in kept]
