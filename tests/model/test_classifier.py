"""The published network: its first layers against plain NumPy, and photographs that it is known to name."""

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from model import classifier, pretrained
from model.classifier import Classifier

CATS = range(281, 286)
ESPRESSO = 967


@pytest.fixture(scope="module")
def judge() -> Classifier:
    return Classifier()


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return pretrained.read(pretrained.path())


def square(photo: np.ndarray, side: int = 256) -> np.ndarray:
    start = (photo.shape[1] - photo.shape[0]) // 2
    return cv2.resize(photo[:, start : start + photo.shape[0]], (side, side), interpolation=cv2.INTER_AREA)


def normalised(values: np.ndarray, arrays: dict[str, np.ndarray], norm: str) -> np.ndarray:
    """Batch normalisation as it was published, not folded into the convolution."""
    mean, variance = arrays[f"{norm}.running_mean"], arrays[f"{norm}.running_var"]
    return (values - mean) / np.sqrt(variance + 1e-3) * arrays[f"{norm}.weight"] + arrays[f"{norm}.bias"]


def relu6(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 6)


def test_the_first_layers_are_those_of_plain_numpy(judge, arrays):
    """With a stride of 2, zeros are added right and below; with a stride of 1, all round."""
    given = classifier.seen(square(skimage.data.coffee())[None])
    padded = np.pad(given[0], ((0, 1), (0, 1), (0, 0)))
    stem = np.zeros((112, 112, 32))
    for row in range(3):
        for column in range(3):
            part = padded[row : row + 224 : 2, column : column + 224 : 2]
            stem += part @ arrays["_conv_stem.weight"][:, :, row, column].T
    stem = relu6(normalised(stem, arrays, "_bn0"))
    around = np.pad(stem, ((1, 1), (1, 1), (0, 0)))
    block = sum(
        around[row : row + 112, column : column + 112] * arrays["_blocks.0._depthwise_conv.weight"][:, 0, row, column]
        for row in range(3)
        for column in range(3)
    )
    block = relu6(normalised(block, arrays, "_blocks.0._bn1"))
    block = normalised(block @ arrays["_blocks.0._project_conv.weight"][:, :, 0, 0].T, arrays, "_blocks.0._bn2")
    layers = keras.Model(judge.network.input, judge.network.get_layer("block_0_project").output)
    np.testing.assert_allclose(layers(given)[0], block, atol=1e-3)


def test_the_last_layers_are_those_of_plain_numpy(judge, arrays):
    given = classifier.seen(square(skimage.data.coffee())[None])
    last = keras.Model(judge.network.input, judge.network.get_layer("head").input)(given)[0].numpy()
    head = relu6(normalised(last @ arrays["_conv_head.weight"][:, :, 0, 0].T, arrays, "_bn1"))
    scores = head.mean(axis=(0, 1)) @ arrays["_fc.weight"].T + arrays["_fc.bias"]
    features, found = judge.network(given)
    np.testing.assert_allclose(found[0], scores, atol=1e-3)
    np.testing.assert_allclose(features[0], last.mean(axis=(0, 1)), atol=1e-5)


@pytest.mark.parametrize("side", [256, 400, 100])
def test_photographs_are_named_right_whatever_their_size(judge, side):
    pictures = np.stack([square(skimage.data.chelsea(), side), square(skimage.data.coffee(), side)])
    features, classes = judge.classify(pictures)
    assert features.shape == (2, classifier.FEATURES)
    assert classes[0] in CATS
    assert classes[1] == ESPRESSO


def test_the_centre_of_a_prepared_picture_is_seen_as_it_is():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), np.uint8)
    seen = classifier.seen(pictures)
    np.testing.assert_allclose(seen * 128 + 127, pictures[:, 16:240, 16:240], atol=1e-4)


def test_without_the_weights_it_is_not_installed(monkeypatch):
    assert classifier.installed()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not classifier.installed()
