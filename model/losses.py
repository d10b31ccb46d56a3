"""Losses in Keras 3: (truth, prediction), both [N, S, S, 2] float32 in (-1, 1) → one loss an example, [N] float32.

The trainer sums them over a replica and divides by the global batch, so a loss must not average over the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from tfrecords.errors import UserError

Loss = Callable[[Any, Any], Any]


def mean_squared_error(truth: Any, prediction: Any) -> Any:
    """Return the mean squared error of each example over its pixels and both channels (the paper's loss), [N]."""
    return keras.ops.mean(keras.ops.square(prediction - truth), axis=(1, 2, 3))


LOSSES: dict[str, Loss] = {"mean_squared_error": mean_squared_error}


def by_name(name: str) -> Loss:
    """Return the loss called `name`.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    if name not in LOSSES:
        raise UserError(f"there is no loss {name!r}; choose one of {', '.join(sorted(LOSSES))}")
    return LOSSES[name]
