"""Weights files: a trained network as NumPy arrays, between machines with and without TensorFlow.

``weights.npz`` holds the arrays of `keras.Model.get_weights`, in this order, and a record in JSON: the configuration,
the data set, and figures of the training. This module imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import writing
from model.config import Config
from tfrecords.errors import UserError

if TYPE_CHECKING:
    import keras

FILE = "weights.npz"
SUFFIX = ".npz"
FORMAT_VERSION = 1

_RECORD = "autochrome.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """A trained network.

    Attributes:
        config: that it was trained with.
        arrays: as `keras.Model.get_weights` gives them.
        data: `fingerprint` and `size` of the set, `examples` by split.
        training: figures: steps, epochs, seconds, losses.
    """

    config: Config
    arrays: list[NDArray[Any]]
    data: dict[str, Any]
    training: dict[str, Any]


def is_weights(path: str) -> bool:
    """Tell whether a path has the name of a weights file."""
    return path.endswith(SUFFIX)


def write(path: str | Path, weights: Weights) -> None:
    """Write a weights file, which appears whole; equal weights give equal bytes.

    Raises:
        DeniedError: it may not be written.
        OutageError: the disk is full or fails.
    """
    record = {
        "format_version": FORMAT_VERSION,
        "config": weights.config.to_dict(),
        "data": weights.data,
        "training": weights.training,
    }
    stored: dict[str, Any] = {_RECORD: np.frombuffer(json.dumps(record, sort_keys=True).encode(), np.uint8)}
    stored |= {f"weight_{number:04d}": array for number, array in enumerate(weights.arrays)}
    partial = Path(f"{path}.partial")
    with writing.named(str(path)):
        with partial.open("wb") as file:
            np.savez(file, **stored)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)


def read(path: str | Path) -> Weights:
    """Return what a weights file holds; half precision becomes float32.

    Raises:
        UserError: the file is missing, damaged or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            record = json.loads(stored[_RECORD].tobytes())
            arrays = [stored[name] for name in sorted(set(stored.files) - {_RECORD})]
        version = record["format_version"]
        found = record["config"], record["data"], record["training"]
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; give the {FILE} that `python -m model.jax_train` wrote") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged or is not a weights file; copy it again") from error
    if version != FORMAT_VERSION:
        raise UserError(f"{path} has format version {version}, this program reads {FORMAT_VERSION}")
    floats = [array.astype(np.float32) if array.dtype == np.float16 else array for array in arrays]
    return Weights(config=Config.from_dict(found[0]), arrays=floats, data=found[1], training=found[2])


def put(network: keras.Model, arrays: list[NDArray[Any]], path: str) -> None:
    """Give a network the weights that were read from `path`.

    Raises:
        UserError: the network has other layers.
    """
    wanted, found = [tuple(weight.shape) for weight in network.weights], [array.shape for array in arrays]
    if wanted != found:
        place = next(
            (i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(map(len, (wanted, found)))
        )
        raise UserError(
            f"--init {path} holds another network: {len(found)} weights where {len(wanted)} are needed, "
            f"first difference at number {place}; choose the configuration that it was trained with"
        )
    network.set_weights(arrays)
