"""Losses in Keras 3: (true chroma [N, S, S, 2], the network's output [N, s, s, C]) → one loss an example, [N] float32.

The truth is averaged down to the side of the output. The trainer sums the losses over a replica and divides by the
global batch, so a loss must not average over the batch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras

from model import bins, references
from model.config import Config
from tfrecords.errors import UserError

Loss = Callable[[Any, Any], Any]

CLASSIFICATION = "cross_entropy"
# Where Huber's loss turns from squares to straight lines: 5 Lab units.
HUBER_DELTA = 5 / 128


def mean_squared_error(truth: Any, prediction: Any) -> Any:
    """Return the mean squared error of each example over its pixels and both channels (the paper's loss), [N]."""
    return keras.ops.mean(keras.ops.square(prediction - truth), axis=(1, 2, 3))


def mean_absolute_error(truth: Any, prediction: Any) -> Any:
    """Return the mean absolute error (L1) of each example over its pixels and both channels, [N]."""
    return keras.ops.mean(keras.ops.abs(prediction - truth), axis=(1, 2, 3))


def huber(truth: Any, prediction: Any) -> Any:
    """Return Huber's loss with delta = 5 Lab units of each example over its pixels and both channels, [N]."""
    error = keras.ops.abs(prediction - truth)
    capped = keras.ops.minimum(error, HUBER_DELTA)
    return keras.ops.mean(capped * (error - 0.5 * capped), axis=(1, 2, 3))


def cross_entropy(truth: Any, logits: Any, shares: Any, weights: Any = None) -> Any:
    """Return the mean cross entropy of each example between soft classes of the truth and logits ``[N, s, s, Q]``, [N].

    Args:
        truth: chroma ``[N, s, s, 2]``; its soft classes are those of the nearest whole a and b.
        logits: of the classes of `model.bins`.
        shares: what `bins.shares` returns, as a tensor; or the two of `bins.neighbours`, which compiled programs hold.
        weights: of a pixel by its most likely class, float32 ``[Q]``; None weighs all alike.
    """
    codes = keras.ops.cast(keras.ops.round(truth * 128.0), "int32") + 128
    target = _soft_classes(codes[..., 0] * 256 + codes[..., 1], shares, logits.shape[-1])
    each = keras.ops.categorical_crossentropy(target, logits, from_logits=True)
    if weights is not None:
        each = each * keras.ops.take(keras.ops.convert_to_tensor(weights), keras.ops.argmax(target, axis=-1))
    return keras.ops.mean(each, axis=(1, 2))


def _soft_classes(codes: Any, shares: Any, classes: int) -> Any:
    """Return the soft classes of colours ``[N, s, s]`` by their number in `bins.shares`, ``[N, s, s, Q]``."""
    if not isinstance(shares, tuple):
        return keras.ops.take(shares, codes, axis=0)
    numbers, parts = (keras.ops.take(table, codes, axis=0) for table in shares)
    every = keras.ops.arange(classes, dtype="int32")
    found = (
        keras.ops.where(numbers[..., place : place + 1] == every, parts[..., place : place + 1], 0.0)
        for place in range(bins.NEIGHBOURS)
    )
    return functools.reduce(keras.ops.add, found)


LOSSES: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (mean_squared_error, mean_absolute_error, huber, cross_entropy)
}


def make(config: Config, histogram: Sequence[Sequence[int]] | None = None, *, is_compact: bool = False) -> Loss:
    """Return the loss of a configuration.

    Args:
        config: gives the loss and by how much to rebalance it.
        histogram: pixels of the training set by a and b, as in ``dataset.json``; needed to rebalance only.
        is_compact: compute soft classes in place of looking them up in a table of 80 MB, which a compiled program would
            hold a copy of.

    Raises:
        UserError: the loss is unknown, or cannot be rebalanced.
    """
    if not references.is_one(config.loss) and config.loss not in LOSSES:
        raise UserError(f"there is no loss {config.loss!r}; choose one of {', '.join(sorted(LOSSES))}")
    function = references.loss(config.loss) if references.is_one(config.loss) else LOSSES[config.loss]
    options: dict[str, Any] = {}
    if config.loss == CLASSIFICATION:
        # Here and not in the step function, whose graph would hold a copy of it.
        tables = map(keras.ops.convert_to_tensor, bins.neighbours() if is_compact else [bins.shares()])
        options["shares"] = tuple(tables) if is_compact else next(tables)
    if config.rebalance:
        if not histogram:
            raise UserError(
                "the data set has no histogram of chroma to rebalance by; prepare it again, or use --set rebalance=0"
            )
        options["weights"] = bins.weights(histogram, config.rebalance)

    def loss(truth: Any, output: Any) -> Any:
        factor = truth.shape[1] // output.shape[1]
        small = keras.ops.average_pool(truth, (factor, factor), strides=(factor, factor)) if factor > 1 else truth
        return function(small, output, **options)

    return loss


def check(config: Config, network: keras.Model) -> None:
    """Make sure that a loss from outside this package fits the network of its configuration.

    Raises:
        UserError: it does not return one number an example.
    """
    if references.is_one(config.loss):
        output = keras.ops.zeros((2, *network.output_shape[1:]))
        references.check_loss(config.loss, keras.ops.zeros((*output.shape[:3], 2)), output)
