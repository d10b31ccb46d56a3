"""EfficientNet-Lite0 as it was published, with its classifier: which of ImageNet's classes a colour picture shows.

It judges models: it was trained by others on true colours (top-1 75.1 % on ImageNet's validation photos, by those who
published it), and never saw a colorized picture.
"""

from __future__ import annotations

import itertools

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import efficientnet, pretrained
from tfrecords.color import Bytes
from tfrecords.errors import UserError

NAME = "EfficientNet-Lite0"
SIDE = 224
"""Side in pixels of what the network sees."""
CROP = 7 / 8
"""Side of the centre that it sees, as a part of the picture's: 224 of 256."""
FEATURES = 320
"""Channels of its last block."""
_HEAD = 1280
_MEAN, _DEVIATION = 127.0, 128.0


class Classifier:
    """The network with its published weights."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            UserError: the package that holds them is not installed.
        """
        self.network = _network()
        arrays = pretrained.read(pretrained.path())
        for layer, norm, name in (("stem", "_bn0", "_conv_stem"), ("head", "_bn1", "_conv_head")):
            self.network.get_layer(layer).set_weights(list(pretrained.folded(arrays, name, norm)))
        pretrained.load_blocks(self.network, arrays)
        self.network.get_layer("classes").set_weights([arrays["_fc.weight"].T, arrays["_fc.bias"]])
        spec = tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32)
        self._run = tf.function(lambda pictures: self.network(pictures, training=False), input_signature=[spec])

    def classify(self, pictures: Bytes) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return what the network finds in pictures.

        Args:
            pictures: sRGB uint8 ``[N, S, S, 3]``, of any side S.

        Returns:
            the mean of its last block over the picture, float32 ``[N, FEATURES]``; and the class with the highest
            score, int64 ``[N]`` from 0 to 999, in the order of `model.synsets`.
        """
        features, scores = self._run(tf.constant(seen(pictures)))
        return features.numpy(), scores.numpy().argmax(axis=-1)


def installed() -> bool:
    """Tell whether the published weights are installed."""
    try:
        pretrained.path()
    except UserError:
        return False
    return True


def seen(pictures: Bytes) -> NDArray[np.float32]:
    """Return what the network sees of pictures: their centres at its size, float32 ``[N, SIDE, SIDE, 3]``."""
    side = pictures.shape[1]
    cut = max(1, round(CROP * side))
    start = (side - cut) // 2
    centres = pictures[:, start : start + cut, start : start + cut].astype(np.float32)
    if cut != SIDE:
        method = cv2.INTER_AREA if cut > SIDE else cv2.INTER_CUBIC
        centres = np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=method) for one in centres])
    return (centres - np.float32(_MEAN)) / np.float32(_DEVIATION)


def _network() -> keras.Model:
    pictures = keras.Input((SIDE, SIDE, 3), dtype="float32")
    last = efficientnet.features(pictures, itertools.count())[-1]
    head = keras.ops.relu6(keras.layers.Conv2D(_HEAD, 1, name="head")(last))
    scores = keras.layers.Dense(1000, name="classes")(keras.ops.mean(head, axis=(1, 2)))
    return keras.Model(pictures, [keras.ops.mean(last, axis=(1, 2)), scores])
