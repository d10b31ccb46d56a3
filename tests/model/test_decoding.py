"""The decoding of classes fades what is uncertain, on each engine that runs an exported model."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from model import bins, decoding, export, lite, networks, saved_model
from model.colorizer import Colorizer
from model.config import Config, autoencoder, mini, unet
from tfrecords.description import Description
from tfrecords.errors import UserError

MOST = 22.0
CONFIG = dataclasses.replace(
    mini(unet()), network="hinted", size=64, resolution=32, hints=0.3, temperature=0.45, most_spread=60.0
)


def hinted(config: Config) -> keras.Model:
    """A network that takes hints and classifies."""
    sides = config.resolution, config.resolution
    inputs = [keras.Input((*sides, channels)) for channels in (1, networks.HINTS)]
    features = keras.ops.relu(sum(keras.layers.Conv2D(8, 3, padding="same")(one) for one in inputs))
    return keras.Model(inputs, keras.layers.Conv2D(len(bins.centres()), 1, name="chroma")(features))


def shares_of(*colours: tuple[float, tuple[int, int]]) -> np.ndarray:
    """Shares of the classes for one place."""
    centres = bins.centres().tolist()
    shares = np.zeros(len(centres), np.float32)
    for share, colour in colours:
        shares[centres.index(list(colour))] = share
    return shares


def faded(shares: np.ndarray) -> np.ndarray:
    """Chroma in Lab units."""
    return 128 * np.asarray(decoding.faded_mean(keras.ops.convert_to_tensor(shares), MOST))


def test_colours_near_each_other_stay_as_they_are():
    skin = shares_of((0.5, (10, 20)), (0.3, (20, 20)), (0.2, (10, 10)))
    picture = np.broadcast_to(skin, (1, 12, 12, len(skin))).copy()
    found = faded(picture)
    np.testing.assert_allclose(found, 128 * np.asarray(decoding.mean(picture)), atol=1e-4)
    np.testing.assert_allclose(found[0, 5, 5], [13, 18], atol=1e-4)


def test_colours_far_from_each_other_become_grey():
    either = shares_of((0.7, (60, 40)), (0.3, (0, -20)))
    found = faded(np.broadcast_to(either, (1, 12, 12, len(either))).copy())
    np.testing.assert_array_equal(found, 0)


def test_colours_between_fade():
    """Red or grey, with a spread of 0.85 of the largest, where half of the chroma is left."""
    distance = np.hypot(50, 30)
    share = (1 + np.sqrt(1 - (2 * 0.85 * MOST / distance) ** 2)) / 2
    one = shares_of((share, (50, 30)), (1 - share, (0, 0)))
    found = faded(np.broadcast_to(one, (1, 9, 9, len(one))).copy())
    np.testing.assert_allclose(found[0, 4, 4], 0.5 * share * np.array([50, 30]), rtol=1e-3)


def test_a_patch_fades_as_one_and_what_is_far_from_it_keeps_its_colour():
    picture = np.broadcast_to(shares_of((1.0, (0, 10))), (1, 40, 40, len(bins.centres()))).copy()
    picture[0, 20:26, 20:26] = shares_of((0.7, (60, 40)), (0.3, (0, -20)))
    picture[0, 21:25, 21] = shares_of((1.0, (40, 30)))  # a little of it is sure
    found = np.linalg.norm(faded(picture)[0], axis=-1)
    assert found[20:26, 20:26].max() < 20
    np.testing.assert_allclose(found[:7], 10, atol=1e-4)


def test_a_surface_near_the_limit_fades_evenly():
    """Where its places are judged by themselves, some would be red and others grey."""
    centres, draw = bins.centres(), np.random.default_rng(0)
    distance = np.hypot(50, 30)
    picture = np.zeros((1, 48, 48, len(centres)), np.float32)
    for y in range(0, 48, 8):
        for x in range(0, 48, 8):
            limit = MOST * draw.uniform(0.7, 1)
            share = (1 + np.sqrt(1 - (2 * limit / distance) ** 2)) / 2
            picture[0, y : y + 8, x : x + 8] = shares_of((share, (50, 30)), (1 - share, (0, 0)))
    plain = 128 * np.asarray(decoding.mean(picture))
    kept = np.linalg.norm(faded(picture)[0], axis=-1) / np.linalg.norm(plain[0], axis=-1)
    assert 0.3 < kept.mean() < 0.7
    assert kept.std() < 0.12


def test_it_is_the_formula_of_the_module():
    draw = np.random.default_rng(0)
    logits = draw.normal(0, 3, (1, 25, 25, len(bins.centres())))
    shares = (np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)).astype(np.float32)
    colours = bins.centres().astype(np.float64)
    mean = shares[0] @ colours
    spread = np.sqrt((shares[0, ..., None] * (colours - mean[:, :, None]) ** 2).sum(axis=(2, 3)))

    def averaged(values: np.ndarray, reach: int) -> np.ndarray:
        found = np.zeros_like(values)
        for y in range(25):
            for x in range(25):
                near = np.s_[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
                found[y, x] = np.average(values[near], weights=(mean[near] ** 2).sum(axis=-1) + 1)
        return found

    left = averaged(np.clip((60 - averaged(spread, 3)) / (0.3 * 60), 0, 1), 10)
    assert 0.1 < left.mean() < 0.9
    found = 128 * np.asarray(decoding.faded_mean(shares, 60.0))[0]
    np.testing.assert_allclose(found, left[..., None] * mean, atol=1e-3)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of the same random weights, exported with and without fading."""
    root, draw = tmp_path_factory.mktemp("decoding"), np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.NETWORKS, "hinted", hinted)
        weights = [draw.normal(0, 0.7, one.shape).astype(np.float32) for one in hinted(CONFIG).get_weights()]
        data = Description(size=CONFIG.size, splits={}, settings={}, outcomes={})
        for name, config in (("fading", CONFIG), ("plain", dataclasses.replace(CONFIG, most_spread=0.0))):
            export.write(str(root / name), config, weights, data, {})
    return root


@pytest.fixture
def fading(models) -> str:
    return str(models / "fading")


def pictures(number: int) -> np.ndarray:
    return np.random.default_rng(1).random((number, CONFIG.size, CONFIG.size, 1), np.float32)


def given(number: int) -> np.ndarray:
    """Hints in Lab units."""
    hints = np.zeros((number, CONFIG.resolution, CONFIG.resolution, 3), np.float32)
    hints[:, 8:12, 8:12] = 40, -30, 1
    return hints


def test_the_record_names_it_and_colours_fade(fading, models):
    assert saved_model.check(fading)["config"]["most_spread"] == 60
    plain, seen = Colorizer.load(str(models / "plain")), pictures(4)
    vivid, left = (np.linalg.norm(one.predict(seen), axis=-1) for one in (plain, Colorizer.load(fading)))
    assert 0.05 < left.mean() / vivid.mean() < 0.95
    assert plain.digest != saved_model.digest(fading)


@pytest.mark.parametrize("hints", [False, True], ids=["plain", "guided"])
def test_lite_rt_and_xla_give_what_tensorflow_gives(fading, hints):
    seen, colours = pictures(3), given(3) if hints else None
    light, graph = (Colorizer.load(fading, batches=batches) for batches in (False, True))
    assert isinstance(light._engine, lite.Engine)
    expected = graph.predict(seen, colours)
    assert np.ptp(expected) > 10
    np.testing.assert_allclose(light.predict(seen, colours), expected, atol=0.1)
    loaded = tf.saved_model.load(fading)
    signature = loaded.signatures[saved_model.GUIDED if hints else "serving_default"]
    inputs = {"luminance": seen} | ({} if colours is None else {"hints": colours / np.float32([128, 128, 1])})
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    compiled = tf.function(lambda: signature(**inputs)["chroma"], jit_compile=True)()
    np.testing.assert_allclose(128 * compiled, expected, atol=5e-3)


def test_mistakes_are_one_line():
    with pytest.raises(UserError, match="most_spread must be 0 or more, not -1"):
        dataclasses.replace(CONFIG, most_spread=-1.0)
    with pytest.raises(UserError, match="most_spread 22 needs loss cross_entropy"):
        dataclasses.replace(mini(autoencoder()), most_spread=22.0)
