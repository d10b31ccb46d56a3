"""The smallest network and its configurations, for tests of what surrounds a network: `--config=tiny:CONFIG`.

It is built in a tenth of the time that the smallest one of the product takes.
"""

import dataclasses

import keras

from model import bins
from model.config import Config, autoencoder, mini, unet


def network(config: Config) -> keras.Model:
    """Two convolutions: chroma, or classes of it, at a quarter of the resolution."""
    luminance = keras.Input((config.resolution, config.resolution, 1), name="luminance")
    is_classifier = config.loss == "cross_entropy"

    def convolution(filters: int, size: int, strides: int, activation: str | None, name: str) -> keras.layers.Layer:
        kernel = keras.initializers.HeNormal(seed=config.seed + size)
        return keras.layers.Conv2D(
            filters, size, strides, padding="same", activation=activation, kernel_initializer=kernel, name=name
        )

    features = convolution(4, 5, 4, "relu", "features")(luminance)
    channels, activation = (len(bins.centres()), None) if is_classifier else (2, "tanh")
    return keras.Model(luminance, convolution(channels, 1, 1, activation, "chroma")(features), name=config.name)


CONFIG = dataclasses.replace(mini(autoencoder()), name="tiny", network="tiny:network")
CLASSIFIER = dataclasses.replace(mini(unet()), name="tiny_classifier", network="tiny:network")
