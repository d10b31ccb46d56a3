"""Networks in Keras 3: luminance [N, R, R, 1] float32 in [0, 1] → chroma at their own resolution, or classes of it.

`decode` turns what a network gives into chroma ab / 128 [N, S, S, 2] float32 in (-1, 1). R is the configuration's
`resolution` and S its `size`. Nothing here calls TensorFlow: any backend of Keras can train these networks.

The network of the paper (Sayed et al., *Image Colorization Using Convolution Neural Networks*) is `autoencoder`. The
text fixes: 256 x 256 in and out; an encoder of convolutions, downsampling by stride 2, with ReLU; a decoder of
convolutions and upsampling layers with ReLU; a last convolution of 2 filters with tanh; mean squared error; Adam. It
leaves open, and this module and `model.config` choose:

* The scale of the luminance: X = L* / 100. The paper gives none.
* Kernels of 3 x 3 with "same" padding, biases, no normalisation (none is mentioned).
* Three stages of stride 2: 256 → 32 px at the bottom. A convolution of stride 1 precedes each, and three of them narrow
  the 8w features of the bottom to 2w.
* Filters, with width w: w, w, 2w, 2w, 4w, 4w, 8w down; 4w, 2w, w, w/2, 2 up. Here w = 32: 0.97 million parameters and
  3.8 GFLOP an image at 256 px, which one CPU can train; w = 64 is four times both.
* Upsampling repeats the nearest pixel, twofold, three times. The last one stands after the tanh layer, so that the
  2 filters are computed at half resolution, as the eye resolves chroma.
* He-normal initial weights before ReLU; near zero (normal, deviation 0.001) before tanh, so that training starts at
  grey: with Glorot's, half of the outputs of some seeds start in the flat ends of tanh. Each layer's seed follows from
  the configuration's.
* Adam with Keras' defaults, learning rate 1e-3; batches of 16; half of the images mirrored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras

from model import bins, efficientnet, losses
from model.config import Config
from tfrecords.errors import UserError

LEVELS = (1, 2, 4, 7, 10)
"""Filters of the U-Net by level, in widths; each level halves the side."""
OUTPUT_LEVEL = 1
"""Level of the U-Nets at whose side they give their output: a quarter of the input's."""
DECODER = (1, 2, 3, 4)
"""Filters of the decoder behind EfficientNet by level, in widths."""


def autoencoder(config: Config) -> keras.Model:
    """Return the paper's encoder and decoder with `config.width` filters in the first layer.

    Raises:
        UserError: the loss is for classes, which it does not give.
    """
    if config.loss == losses.CLASSIFICATION:
        raise UserError(f"network autoencoder gives ab and no classes; loss {config.loss} needs network unet")
    width = config.width
    seeds = _seeds(config)

    def convolution(filters: int, strides: int = 1) -> keras.layers.Layer:
        initializer = keras.initializers.HeNormal(seed=next(seeds))
        return keras.layers.Conv2D(
            filters, 3, strides=strides, padding="same", activation="relu", kernel_initializer=initializer
        )

    def double() -> keras.layers.Layer:
        return keras.layers.UpSampling2D(2, interpolation="nearest")

    encoder = [
        convolution(width),
        convolution(width, strides=2),
        convolution(2 * width),
        convolution(2 * width, strides=2),
        convolution(4 * width),
        convolution(4 * width, strides=2),
        convolution(8 * width),
    ]
    decoder = [
        convolution(4 * width),
        convolution(2 * width),
        double(),
        convolution(width),
        double(),
        convolution(max(width // 2, 1)),
        keras.layers.Conv2D(
            2,
            3,
            padding="same",
            activation="tanh",
            kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3, seed=next(seeds)),
            name="chroma",
        ),
        double(),
    ]
    luminance = keras.Input((config.resolution, config.resolution, 1), name="luminance", dtype="float32")
    features = luminance
    for layer in (*encoder, *decoder):
        features = layer(features)
    return keras.Model(luminance, features, name=config.name)


def unet(config: Config) -> keras.Model:
    """Return an encoder-decoder with skip connections and `config.width` filters in the first layer.

    Output: ``[N, R / 4, R / 4, C]``: with loss `cross_entropy` the logits of the classes of `model.bins`, else tanh of
    the two channels of chroma.

    Raises:
        UserError: the resolution is not divisible by 32.
    """
    _check_resolution(config)
    seeds = _seeds(config)
    luminance = keras.Input((config.resolution, config.resolution, 1), name="luminance", dtype="float32")
    features, levels = luminance, []
    for multiple in LEVELS:
        features = _convolution(features, multiple * config.width, seeds, strides=2)
        features = _residual(keras.ops.relu(features), seeds)
        levels.append(features)
    levels = levels[OUTPUT_LEVEL:]
    decoded = _decoded(levels, [level.shape[-1] for level in levels], seeds)
    return keras.Model(luminance, _chroma(decoded, config, seeds), name=config.name)


def efficientnet_unet(config: Config) -> keras.Model:
    """Return a U-Net whose encoder is EfficientNet-Lite0 and whose decoder has `config.width` filters at its end.

    Output and errors are those of `unet`.
    """
    _check_resolution(config)
    seeds = _seeds(config)
    luminance = keras.Input((config.resolution, config.resolution, 1), name="luminance", dtype="float32")
    levels = efficientnet.features(luminance, seeds)[OUTPUT_LEVEL:]
    decoded = _decoded(levels, [multiple * config.width for multiple in DECODER], seeds)
    return keras.Model(luminance, _chroma(decoded, config, seeds), name=config.name)


def _check_resolution(config: Config) -> None:
    if config.resolution % 32:
        raise UserError(f"network {config.network} needs a resolution divisible by 32, not {config.resolution}")


def _decoded(levels: list[Any], filters: list[int], seeds: Iterator[int]) -> Any:
    """Return the features of the first of `levels`, with `filters[0]` channels, merged with all deeper levels.

    The mean over the picture is added at the bottom; from there each level is brought up and added to the one above.
    """
    features = levels[-1]
    if features.shape[-1] != filters[-1]:
        features = _convolution(features, filters[-1], seeds, kernel=1)
    context = keras.ops.mean(features, axis=(1, 2), keepdims=True)
    context = keras.ops.relu(_convolution(context, filters[-1], seeds, kernel=1))
    features = _residual(keras.ops.relu(features + _convolution(context, filters[-1], seeds, kernel=1)), seeds)
    for skip, count in zip(levels[-2::-1], filters[-2::-1], strict=True):
        narrow = _convolution(features, count, seeds, kernel=1)
        up = keras.layers.UpSampling2D(2, interpolation="nearest")(narrow)
        features = _residual(keras.ops.relu(up + _convolution(skip, count, seeds, kernel=1)), seeds)
    return features


def _convolution(features: Any, filters: int, seeds: Iterator[int], kernel: int = 3, strides: int = 1) -> Any:
    initializer = keras.initializers.HeNormal(seed=next(seeds))
    return keras.layers.Conv2D(filters, kernel, strides, padding="same", kernel_initializer=initializer)(features)


def _residual(features: Any, seeds: Iterator[int]) -> Any:
    filters = features.shape[-1]
    inner = keras.ops.relu(_convolution(features, filters, seeds))
    branch = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros")(inner)
    return keras.ops.relu(features + branch)


def _chroma(features: Any, config: Config, seeds: Iterator[int]) -> Any:
    """Return the last layer of a U-Net: classes or two channels, near zero at the start."""
    classifies = config.loss == losses.CLASSIFICATION
    layer = keras.layers.Conv2D(
        len(bins.centres()) if classifies else 2,
        1,
        activation=None if classifies else "tanh",
        kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3, seed=next(seeds)),
        name="chroma",
    )
    return layer(features)


def _seeds(config: Config) -> Iterator[int]:
    """Yield a seed for each layer of a network."""
    return iter(range(100 * config.seed, 100 * config.seed + 100))


NETWORKS: dict[str, Callable[[Config], keras.Model]] = {
    function.__name__: function for function in (autoencoder, efficientnet_unet, unet)
}


def build(config: Config) -> keras.Model:
    """Return the freshly initialised network of a configuration; the same seed gives the same weights.

    Raises:
        UserError: `config.network` is unknown, or does not fit the other fields.
    """
    if config.network not in NETWORKS:
        raise UserError(f"there is no network {config.network!r}; choose one of {', '.join(sorted(NETWORKS))}")
    network = NETWORKS[config.network](config)
    if config.pretrained and "stem" not in {layer.name for layer in network.layers}:
        raise UserError(f"pretrained=true needs network efficientnet_unet, not {config.network}; set pretrained=false")
    return network


def grid(config: Config) -> int:
    """Return the side in pixels at which the exported network of a configuration computes chroma.

    It is that of the layer `chroma`, whose output is brought up afterwards, or of the output without such a layer.

    Raises:
        UserError: see `build`.
    """
    seen = config.export_resolution or config.resolution
    network = build(dataclasses.replace(config, resolution=seen))
    layers = {layer.name: layer for layer in network.layers}
    return int(layers["chroma"].output.shape[1] if "chroma" in layers else network.output_shape[1])


def decode(config: Config, output: Any) -> Any:
    """Return the chroma that a network's output means, float32 ``[N, S, S, 2]`` in (-1, 1).

    Classes become their annealed mean: the mean of their centres by the softmax of logits / `config.temperature`
    (Zhang et al. 2016, section 2.3). What is smaller than `config.size` is brought up bilinearly.
    """
    if config.loss == losses.CLASSIFICATION:
        shares = keras.ops.softmax(output / config.temperature, axis=-1)
        output = keras.ops.matmul(shares, keras.ops.convert_to_tensor(bins.centres() / 128))
    if output.shape[1] == config.size:
        return output
    sides = (config.size, config.size)
    return keras.ops.image.resize(output, sides, interpolation="bilinear", data_format="channels_last")
