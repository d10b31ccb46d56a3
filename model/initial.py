"""Weights to start from: those of a model that was exported, the released one included, or of a weights file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import saved_model, weights
from model.plain_paths import plain
from tfrecords.errors import UserError


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
        UserError: the path is missing or holds no model of Autochrome's.
    """
    if weights.is_weights(path):
        weights.read(path)
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return saved_model.digest(path)


def _read(path: str, folder: str) -> list[NDArray[Any]]:
    try:
        with plain(folder) as place:
            loaded = tf.saved_model.load(place)
        kept = [weight.numpy() for weight in loaded._kept]
        return [weight.astype(np.float32) if weight.dtype == np.float16 else weight for weight in kept]
    except Exception as error:  # TensorFlow raises anything from OSError to KeyError on a damaged folder.
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} cannot be loaded ({first}); export it again") from error
