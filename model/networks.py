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

from model import bins, decoding, efficientnet, layers, losses, references
from model.config import Config
from tfrecords.errors import UserError

LEVELS = (1, 2, 4, 7, 10)
"""Filters of the U-Net by level, in widths; each level halves the side."""
OUTPUT_LEVEL = 1
"""Level of the U-Nets at whose side they give their output: a quarter of the input's."""
DECODER = (1, 2, 3, 4)
"""Filters of the decoder behind EfficientNet by level, in widths."""
ATTENTION_BLOCKS, ATTENTION_HEADS = 3, 6
"""Of the transformer at the bottom of `efficientnet_attention`, whose filters are `ATTENTION_WIDTH` for each head."""
ATTENTION_WIDTH = 40
HINTS = 3
"""Channels of hints: a / 128 and b / 128 where a colour is given, 0 elsewhere; and 1 where it is given, 0 elsewhere."""


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
        features = layers.convolution(features, multiple * config.width, seeds, strides=2)
        features = layers.residual(keras.ops.relu(features), seeds)
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


def efficientnet_attention(config: Config) -> keras.Model:
    """Return a U-Net on EfficientNet-Lite2 with a transformer at its bottom, which takes hints besides luminance.

    Attention over the whole picture at a sixteenth of its side lets far places agree on a colour. The decoder has
    `config.width` filters at its end. The second input holds hints (see `HINTS`), ``[N, R, R, 3]``; all zero means
    none. Their weights are zero at the start.

    Output and errors are those of `unet`.
    """
    _check_resolution(config)
    seeds = _seeds(config)
    luminance = keras.Input((config.resolution, config.resolution, 1), name="luminance", dtype="float32")
    hints = keras.Input((config.resolution, config.resolution, HINTS), name="hints", dtype="float32")
    added = _unseen(hints, efficientnet.STEM, 2)
    _, quarter, eighth, sixteenth, bottom = efficientnet.features(luminance, seeds, efficientnet.LITE2, added)
    filters = ATTENTION_HEADS * ATTENTION_WIDTH
    features = keras.layers.UpSampling2D(2)(layers.convolution(bottom, filters, seeds, kernel=1))
    features = features + layers.convolution(sixteenth, filters, seeds, kernel=1)
    for _ in range(ATTENTION_BLOCKS):
        features = layers.attention(features, ATTENTION_HEADS, seeds)
    features = keras.layers.LayerNormalization(epsilon=1e-5)(features)
    near = _unseen(keras.ops.average_pool(hints, 4, 4), config.width, 1)
    for skip, count, more in ((eighth, 2 * config.width, None), (quarter, config.width, near)):
        up = keras.layers.UpSampling2D(2)(layers.convolution(features, count, seeds, kernel=1))
        features = up + layers.convolution(skip, count, seeds, kernel=1)
        features = layers.residual(keras.ops.relu(features if more is None else features + more), seeds)
    return keras.Model([luminance, hints], _chroma(features, config, seeds), name=config.name)


def _unseen(hints: Any, filters: int, strides: int) -> Any:
    """Return a convolution of hints whose weights are zero at the start, without a bias."""
    layer = keras.layers.Conv2D(filters, 3, strides, padding="same", use_bias=False, kernel_initializer="zeros")
    return layer(hints)


def _check_resolution(config: Config) -> None:
    if config.resolution % 32:
        raise UserError(f"network {config.network} needs a resolution divisible by 32, not {config.resolution}")


def _decoded(levels: list[Any], filters: list[int], seeds: Iterator[int]) -> Any:
    """Return the features of the first of `levels`, with `filters[0]` channels, merged with all deeper levels.

    The mean over the picture is added at the bottom; from there each level is brought up and added to the one above.
    """
    features = levels[-1]
    if features.shape[-1] != filters[-1]:
        features = layers.convolution(features, filters[-1], seeds, kernel=1)
    context = keras.ops.mean(features, axis=(1, 2), keepdims=True)
    context = keras.ops.relu(layers.convolution(context, filters[-1], seeds, kernel=1))
    features = layers.residual(
        keras.ops.relu(features + layers.convolution(context, filters[-1], seeds, kernel=1)), seeds
    )
    for skip, count in zip(levels[-2::-1], filters[-2::-1], strict=True):
        narrow = layers.convolution(features, count, seeds, kernel=1)
        up = keras.layers.UpSampling2D(2, interpolation="nearest")(narrow)
        features = layers.residual(keras.ops.relu(up + layers.convolution(skip, count, seeds, kernel=1)), seeds)
    return features


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
    function.__name__: function for function in (autoencoder, efficientnet_attention, efficientnet_unet, unet)
}


def build(config: Config) -> keras.Model:
    """Return the freshly initialised network of a configuration; the same seed gives the same weights.

    Raises:
        UserError: `config.network` is unknown, or does not fit the other fields.
    """
    if references.is_one(config.network):
        channels = len(bins.centres()) if config.loss == losses.CLASSIFICATION else 2
        network = references.network(config, channels, HINTS)
    elif config.network in NETWORKS:
        network = NETWORKS[config.network](config)
    else:
        raise UserError(f"there is no network {config.network!r}; choose one of {', '.join(sorted(NETWORKS))}")
    if config.pretrained and "stem" not in {layer.name for layer in network.layers}:
        raise UserError(
            f"pretrained=true needs a network on EfficientNet, not {config.network}; use --set pretrained=false"
        )
    if config.hints and len(network.inputs) == 1:
        raise UserError(
            f"hints={config.hints} needs a network that takes hints, not {config.network}; use --set hints=0"
        )
    return network


def arguments(network: keras.Model, luminance: Any, hints: Any = None) -> Any:
    """Return what a network is called with: luminance, and hints where it takes them; None stands for no hints."""
    if len(network.inputs) == 1:
        return luminance
    luminance = keras.ops.convert_to_tensor(luminance)
    if hints is None:
        hints = keras.ops.repeat(keras.ops.zeros_like(luminance), HINTS, axis=-1)
    return [luminance, keras.ops.convert_to_tensor(hints)]


def grid(config: Config) -> int:
    """Return the side in pixels at which the exported network of a configuration computes chroma.

    It is that of the layer `chroma`, whose output is brought up afterwards, or of the output without such a layer.

    Raises:
        UserError: see `build`.
    """
    seen = config.export_resolution or config.resolution
    network = build(dataclasses.replace(config, resolution=seen))
    named = {layer.name: layer for layer in network.layers}
    return int(named["chroma"].output.shape[1] if "chroma" in named else network.output_shape[1])


def decode(config: Config, output: Any) -> Any:
    """Return the chroma that a network's output means, float32 ``[N, S, S, 2]`` in (-1, 1).

    Classes become their annealed mean: the mean of their centres by the softmax of logits / `config.temperature`
    (Zhang et al. 2016, section 2.3), faded where `config.most_spread` asks for it (`model.decoding`). What is smaller
    than `config.size` is brought up bilinearly.
    """
    if config.loss == losses.CLASSIFICATION:
        shares = keras.ops.softmax(output / config.temperature, axis=-1)
        output = decoding.faded_mean(shares, config.most_spread) if config.most_spread else decoding.mean(shares)
    if output.shape[1] == config.size:
        return output
    sides = (config.size, config.size)
    return keras.ops.image.resize(output, sides, interpolation="bilinear", data_format="channels_last")
