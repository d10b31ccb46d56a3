"""Losses in Keras 3: (true chroma [N, S, S, 2], the network's output [N, s, s, C]) → one loss an example, [N] float32.

The truth is averaged down to the side of the output. The trainer sums the losses over a replica and divides by the
global batch, so a loss must not average over the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from model import bins
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


def soft_encode(chroma: Any) -> Any:
    """Return the soft classes of chroma ``[..., 2]`` in (-1, 1): ``[..., Q]``, adding up to 1.

    The 5 nearest classes share a pixel by a Gaussian of sigma 5 of their distance (Zhang et al. 2016, section 2.1).
    """
    centres = bins.centres()
    ab = chroma * 128.0
    squares = keras.ops.sum(keras.ops.square(ab), axis=-1, keepdims=True)
    crossed = keras.ops.matmul(ab, keras.ops.convert_to_tensor(centres.T))
    distances = squares - 2.0 * crossed + keras.ops.convert_to_tensor((centres**2).sum(axis=1))
    farthest = -keras.ops.top_k(-distances, bins.NEIGHBOURS)[0][..., -1:]
    nearest = keras.ops.cast(distances <= farthest, "float32")
    # Relative to the nearest, so that a colour far from all classes keeps a sum above 0.
    relative = distances - keras.ops.min(distances, axis=-1, keepdims=True)
    shares = nearest * keras.ops.exp(-relative / (2.0 * bins.SIGMA**2))
    return shares / keras.ops.sum(shares, axis=-1, keepdims=True)


def cross_entropy(truth: Any, logits: Any, weights: Any = None) -> Any:
    """Return the mean cross entropy of each example between soft-encoded truth and logits ``[N, s, s, Q]``, [N].

    Args:
        truth: chroma ``[N, s, s, 2]``.
        logits: of the classes of `model.bins`.
        weights: of a pixel by its most likely class, float32 ``[Q]``; None weighs all alike.
    """
    target = soft_encode(truth)
    each = -keras.ops.sum(target * keras.ops.log_softmax(logits, axis=-1), axis=-1)
    if weights is not None:
        each = each * keras.ops.take(keras.ops.convert_to_tensor(weights), keras.ops.argmax(target, axis=-1))
    return keras.ops.mean(each, axis=(1, 2))


LOSSES: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (mean_squared_error, mean_absolute_error, huber, cross_entropy)
}


def make(config: Config, histogram: Sequence[Sequence[int]] | None = None) -> Loss:
    """Return the loss of a configuration.

    Args:
        config: gives the loss and by how much to rebalance it.
        histogram: pixels of the training set by a and b, as in ``dataset.json``; needed to rebalance only.

    Raises:
        UserError: the loss is unknown, or cannot be rebalanced.
    """
    if config.loss not in LOSSES:
        raise UserError(f"there is no loss {config.loss!r}; choose one of {', '.join(sorted(LOSSES))}")
    function, options = LOSSES[config.loss], {}
    if config.rebalance:
        if config.loss != CLASSIFICATION:
            raise UserError(f"rebalance {config.rebalance:g} needs loss {CLASSIFICATION}, not {config.loss}")
        if not histogram:
            raise UserError("the data set has no histogram of chroma to rebalance by; prepare it again or rebalance=0")
        options["weights"] = bins.weights(histogram, config.rebalance)

    def loss(truth: Any, output: Any) -> Any:
        factor = truth.shape[1] // output.shape[1]
        small = keras.ops.average_pool(truth, (factor, factor), strides=(factor, factor)) if factor > 1 else truth
        return function(small, output, **options)

    return loss
