"""Layers that several networks are made of, in Keras 3; features are ``[N, H, W, C]``, of any range.

Each takes an iterator of seeds, and uses one for each layer with random initial weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras


def convolution(features: Any, filters: int, seeds: Iterator[int], kernel: int = 3, strides: int = 1) -> Any:
    """Return a convolution with "same" padding and a bias, without activation: ``[N, H / strides, …, filters]``."""
    initializer = keras.initializers.HeNormal(seed=next(seeds))
    return keras.layers.Conv2D(filters, kernel, strides, padding="same", kernel_initializer=initializer)(features)


def residual(features: Any, seeds: Iterator[int]) -> Any:
    """Return features plus what two convolutions make of them, which is zero at the start; then ReLU."""
    filters = features.shape[-1]
    inner = keras.ops.relu(convolution(features, filters, seeds))
    branch = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros")(inner)
    return keras.ops.relu(features + branch)


def attention(features: Any, heads: int, seeds: Iterator[int]) -> Any:
    """Return features after one block of a vision transformer, which changes nothing at the start.

    A depthwise convolution tells places apart; then self-attention over all places, and two dense layers, each on
    normalised features and added to what came in (Dosovitskiy et al., "An image is worth 16x16 words", 2021; the
    convolution is Chu et al.'s, "Conditional positional encodings", 2023).

    Args:
        features: ``[N, H, W, C]``; C divisible by `heads`.
        heads: of the attention.
        seeds: of the initial weights.
    """
    _, height, width, filters = features.shape
    features = features + keras.layers.DepthwiseConv2D(3, padding="same", depthwise_initializer="zeros")(features)
    hidden = keras.ops.reshape(features, (-1, height * width, filters))
    hidden = hidden + _attended(keras.layers.LayerNormalization(epsilon=1e-5)(hidden), heads, seeds)
    normal = keras.layers.LayerNormalization(epsilon=1e-5)(hidden)
    wide = keras.ops.gelu(_dense(normal, 2 * filters, seeds))
    hidden = hidden + keras.layers.Dense(filters, kernel_initializer="zeros")(wide)
    return keras.ops.reshape(hidden, (-1, height, width, filters))


def _attended(hidden: Any, heads: int, seeds: Iterator[int]) -> Any:
    """Return scaled dot-product self-attention over ``[N, T, C]`` (Vaswani et al. 2017, section 3.2), ``[N, T, C]``."""
    _, places, filters = hidden.shape
    each = filters // heads
    mixed = keras.ops.reshape(_dense(hidden, 3 * filters, seeds), (-1, places, 3, heads, each))
    query, key, value = (keras.ops.transpose(mixed[:, :, part], (0, 2, 1, 3)) for part in range(3))
    scores = keras.ops.matmul(query * each**-0.5, keras.ops.transpose(key, (0, 1, 3, 2)))
    shares = keras.ops.cast(keras.ops.softmax(keras.ops.cast(scores, "float32"), axis=-1), value.dtype)
    gathered = keras.ops.transpose(keras.ops.matmul(shares, value), (0, 2, 1, 3))
    gathered = keras.ops.reshape(gathered, (-1, places, filters))
    return keras.layers.Dense(filters, kernel_initializer="zeros")(gathered)


def _dense(hidden: Any, filters: int, seeds: Iterator[int]) -> Any:
    initializer = keras.initializers.GlorotUniform(seed=next(seeds))
    return keras.layers.Dense(filters, kernel_initializer=initializer)(hidden)
