"""Networks that take hints are exported with the signature `guided`; without hints they are what they were."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from model import export, networks, saved_model
from model.colorizer import Colorizer
from model.config import Config, mini, unet
from tfrecords.description import Description

CONFIG = dataclasses.replace(mini(unet()), network="hinted", loss="huber", size=64, resolution=32, hints=0.3)
EMPTY = Description(size=64, splits={}, settings={}, outcomes={})


def hinted(config: Config) -> keras.Model:
    """A network that adds what it makes of hints to what it makes of luminance."""
    luminance = keras.Input((config.resolution, config.resolution, 1))
    hints = keras.Input((config.resolution, config.resolution, networks.HINTS))
    convolutions = [keras.layers.Conv2D(4, 3, padding="same", use_bias=bias) for bias in (True, False)]
    features = keras.ops.relu(convolutions[0](luminance) + convolutions[1](hints))
    chroma = keras.layers.Conv2D(2, 1, activation="tanh", name="chroma")(features)
    return keras.Model([luminance, hints], chroma)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folders of the same weights, exported with and without the signature."""
    root = tmp_path_factory.mktemp("guided")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.NETWORKS, "hinted", hinted)
        draw = np.random.default_rng(0)
        weights = [draw.normal(0, 0.5, one.shape).astype(np.float32) for one in hinted(CONFIG).get_weights()]
        for name, config in (("guided", CONFIG), ("plain", dataclasses.replace(CONFIG, hints=0))):
            export.write(str(root / name), config, weights, EMPTY, {})
    return root


def pictures(number: int) -> np.ndarray:
    return np.random.default_rng(1).random((number, 64, 64, 1), np.float32)


def test_a_model_with_the_signature_has_the_digest_of_the_same_model_without(exported):
    records = {name: saved_model.check(str(exported / name)) for name in ("guided", "plain")}
    assert {name: record.get("hint_side") for name, record in records.items()} == {"guided": 32, "plain": None}
    assert records["guided"]["identity"]["digest"] == records["plain"]["identity"]["digest"]
    assert "guided" not in tf.saved_model.load(str(exported / "plain")).signatures


@pytest.mark.parametrize("batches", [False, True], ids=["LiteRT", "TensorFlow"])
def test_without_hints_it_is_the_same_model_to_the_bit(exported, batches):
    guided, plain = (Colorizer.load(str(exported / name), batches=batches) for name in ("guided", "plain"))
    assert (guided.takes_hints, plain.takes_hints) == (True, False)
    seen = pictures(2)
    np.testing.assert_array_equal(guided.predict(seen), plain.predict(seen))
    np.testing.assert_array_equal(guided.predict(seen, np.zeros((2, 40, 60, 3), np.float32)), plain.predict(seen))
    with pytest.raises(ValueError, match="takes no hints"):
        plain.predict(seen, np.zeros((2, 40, 60, 3), np.float32))


def test_both_engines_do_the_same_with_hints(exported):
    light, graph = (Colorizer.load(str(exported / "guided"), batches=batches) for batches in (False, True))
    seen = pictures(1)
    given = np.zeros((1, 50, 70, 3), np.float32)
    given[0, 25, 35] = 60, -40, 1
    found = light.predict(seen, given)
    np.testing.assert_allclose(found, graph.predict(seen, given), atol=1e-2)
    changed = np.abs(found - light.predict(seen)).max(axis=-1)[0] > 1
    ys, xs = np.nonzero(changed)
    assert changed.any()
    assert (abs(ys - 32) < 6).all()
    assert (abs(xs - 32) < 6).all()


def test_pictures_with_hints_are_predicted_alone_on_a_device(exported):
    from model.batches import Batches
    from model.graph_engine import Engine

    engine = Engine("guided", str(exported / "guided"))
    given = np.random.default_rng(0).random((2, 32, 32, 3)).astype(np.float32)
    found = Batches(engine).predict(pictures(2), given)
    np.testing.assert_allclose(found, engine.predict(pictures(2), given), atol=1e-6)
