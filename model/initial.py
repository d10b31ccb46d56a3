"""Weights to start from: those of a model that was exported, the released one included."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import saved_model
from model.plain_paths import plain
from tfrecords.errors import UserError


def read(path: str) -> list[NDArray[Any]]:
    """Return the weights of an exported model in the order of `keras.Model.get_weights`, half precision as float32.

    Args:
        path: SavedModel folder, local or gs://, or one of `model.saved_model.SHIPPED`.

    Raises:
        UserError: the folder is missing or holds no model of Autochrome's.
    """
    saved_model.check(path)
    return saved_model.read(path, lambda folder: _read(path, folder))


def _read(path: str, folder: str) -> list[NDArray[Any]]:
    try:
        with plain(folder) as place:
            loaded = tf.saved_model.load(place)
        weights = [weight.numpy() for weight in loaded._kept]
        return [weight.astype(np.float32) if weight.dtype == np.float16 else weight for weight in weights]
    except Exception as error:  # TensorFlow raises anything from OSError to KeyError on a damaged folder.
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"--init {path} cannot be loaded ({first}); export it again") from error


def put(network: keras.Model, weights: list[NDArray[Any]], path: str) -> None:
    """Give a network the weights that `read` returned.

    Raises:
        UserError: the network has other layers than the model at `path`.
    """
    wanted, found = [tuple(weight.shape) for weight in network.weights], [weight.shape for weight in weights]
    if wanted != found:
        place = next(
            (i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(map(len, (wanted, found)))
        )
        raise UserError(
            f"--init {path} holds another network: {len(found)} weights where {len(wanted)} are needed, "
            f"first difference at number {place}; choose the configuration that it was trained with"
        )
    network.set_weights(weights)
