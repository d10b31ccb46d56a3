"""Networks in Keras 3: luminance [N, S, S, 1] float32 in [0, 1] → chroma ab / 128 [N, S, S, 2] float32 in (-1, 1).

The network of the paper (Sayed et al., *Image Colorization Using Convolution Neural Networks*) is `autoencoder`. The
text fixes: 256 x 256 in and out; an encoder of convolutions, downsampling by stride 2, with ReLU; a decoder of
convolutions and upsampling layers with ReLU; a last convolution of 2 filters with tanh; mean squared error; Adam. It
leaves open, and this module and `model.config` choose:

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

from collections.abc import Callable

import keras

from model.config import Config
from tfrecords.errors import UserError


def autoencoder(config: Config) -> keras.Model:
    """Return the paper's encoder and decoder with `config.width` filters in the first layer."""
    width = config.width
    seeds = iter(range(100 * config.seed, 100 * config.seed + 100))

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
    luminance = keras.Input((config.size, config.size, 1), name="luminance", dtype="float32")
    features = luminance
    for layer in (*encoder, *decoder):
        features = layer(features)
    return keras.Model(luminance, features, name=config.name)


NETWORKS: dict[str, Callable[[Config], keras.Model]] = {"autoencoder": autoencoder}


def build(config: Config) -> keras.Model:
    """Return the freshly initialised network of a configuration; the same seed gives the same weights.

    Raises:
        UserError: `config.network` is unknown.
    """
    if config.network not in NETWORKS:
        raise UserError(f"there is no network {config.network!r}; choose one of {', '.join(sorted(NETWORKS))}")
    return NETWORKS[config.network](config)
