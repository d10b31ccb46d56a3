"""Networks for LiteRT: they give the colours of their SavedModel, without TensorFlow, and only of that SavedModel."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from model import export, layers, lite, lite_conversion, networks, saved_model, shrinking
from model.colorizer import Colorizer
from model.config import Config, autoencoder, mini
from tfrecords.description import Description


def exported(path: Path, config: Config, seed: int = 0) -> Path:
    """An exported network with random weights."""
    draw = np.random.default_rng(seed)
    weights = [
        weight + draw.normal(0, 0.1, weight.shape).astype(np.float32) for weight in networks.build(config).get_weights()
    ]
    export.write(str(path), config, weights, Description(size=config.size, splits={}, settings={}, outcomes={}), {})
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return exported(tmp_path_factory.mktemp("model") / "saved_model", mini(autoencoder()))


@pytest.fixture
def copied(model, tmp_path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "saved_model"))


def pictures(number: int, size: int) -> np.ndarray:
    return np.random.default_rng(1).random((number, size, size, 1), np.float32)


def is_lite(colorizer: Colorizer) -> bool:
    return isinstance(colorizer._engine, lite.Engine)


def test_it_gives_the_colours_of_the_saved_model(model):
    light, graph = Colorizer.load(str(model)), Colorizer.load(str(model), batches=True)
    assert (is_lite(light), is_lite(graph)) == (True, False)
    assert (light.size, light.digest, light.parameters) == (graph.size, graph.digest, graph.parameters)
    seen = pictures(3, light.size)
    np.testing.assert_allclose(light.predict(seen), graph.predict(seen), atol=1e-3)
    assert np.ptp(graph.predict(seen)) > 1


PREDICT = """
import sys
import numpy as np
from model.colorizer import Colorizer
colorizer = Colorizer.load(sys.argv[1])
colorizer.predict(np.zeros((1, colorizer.size, colorizer.size, 1), np.float32))
print(colorizer.colorize(np.zeros((9, 9), np.uint8)).shape)
print([name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras", "apache_beam")])
"""


def test_predicting_imports_no_tensorflow_and_says_nothing(model):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PREDICT, str(model)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("(9, 9, 3)\n[]\n", "")


def test_several_threads_give_the_same_bits(model):
    colorizer = Colorizer.load(str(model))
    seen = pictures(40, colorizer.size)
    expected = colorizer.predict(seen)
    with ThreadPoolExecutor(8) as pool:
        found = np.concatenate(list(pool.map(lambda one: colorizer.predict(one[None]), seen)))
    np.testing.assert_array_equal(found, expected)


def test_a_file_of_another_model_or_a_damaged_one_is_not_used(copied, model, tmp_path):
    other = exported(tmp_path / "other", mini(autoencoder()), seed=2)
    file = copied / lite.FILE
    for spoil in (
        lambda: shutil.copy(other / lite.FILE, file),
        lambda: file.write_bytes(file.read_bytes()[:-100]),
        file.unlink,
    ):
        spoil()
        assert not is_lite(Colorizer.load(str(copied)))
    # The weights of another model, beside the file of this one.
    shutil.copytree(other / "variables", copied / "variables", dirs_exist_ok=True)
    shutil.copy(model / lite.FILE, file)
    assert not is_lite(Colorizer.load(str(copied)))


def test_models_of_earlier_versions_work(copied):
    before = Colorizer.load(str(copied))
    shutil.rmtree((copied / lite.FILE).parent)
    record = json.loads((copied / saved_model.RECORD).read_text())
    del record[lite.KEY]
    (copied / saved_model.RECORD).write_text(json.dumps(record))
    again = Colorizer.load(str(copied))
    assert (is_lite(again), again.digest) == (False, before.digest)
    seen = pictures(1, again.size)
    np.testing.assert_allclose(again.predict(seen), before.predict(seen), atol=1e-3)


class Attentive(tf.Module):
    """A network with strided and depthwise convolutions, attention and half precision, as the next one will be."""

    def __init__(self, size: int, resolution: int) -> None:
        super().__init__()
        seen = keras.Input((resolution, resolution, 1))
        seeds = iter(range(100))
        features = layers.convolution(seen, 16, seeds, strides=2)
        features = keras.layers.DepthwiseConv2D(3, 2, padding="same")(keras.ops.relu(features))
        features = layers.attention(keras.ops.relu(features), 2, seeds)
        features = keras.layers.UpSampling2D(2, interpolation="nearest")(features)
        hints = keras.ops.repeat(keras.ops.zeros_like(seen), 3, axis=-1)
        features = features + keras.layers.Conv2D(16, 3, 2, padding="same")(hints)
        features = keras.ops.softmax(keras.layers.Dense(20)(keras.layers.LayerNormalization()(features)))
        self._network = keras.Model(seen, keras.ops.tanh(keras.layers.Dense(2)(features)))
        draw = np.random.default_rng(0)
        for weight in self._network.weights:
            value = draw.normal(0, 0.3, weight.shape)
            weight.assign(value.astype(np.float16).astype(np.float32))
        self._kept = [tf.Variable(weight.numpy(), dtype=tf.float16) for weight in self._network.weights]
        self._sides = size, resolution

    def predict(self, luminance: tf.Tensor) -> dict[str, tf.Tensor]:
        size, resolution = self._sides
        small = shrinking.shrunk(luminance, resolution)
        weights = [tf.cast(one, tf.float32) for one in self._kept]
        chroma, _ = self._network.stateless_call(weights, [], small)
        return {"chroma": tf.image.resize(chroma, [size, size])}


@pytest.mark.parametrize(("size", "resolution"), [(64, 32), (64, 40)])
def test_attention_and_fractions_of_the_resolution_are_converted_in_half_precision(tmp_path, size, resolution):
    network = Attentive(size, resolution)
    spec = tf.TensorSpec([None, size, size, 1], tf.float32, name="luminance")
    predict = tf.function(network.predict, input_signature=[spec])
    tf.saved_model.save(network, str(tmp_path / "m"), {"serving_default": predict})
    lite_conversion.write(str(tmp_path / "m"))
    engine = lite.Engine((tmp_path / "m" / lite.FILE).read_bytes())
    assert (engine.size, engine.resolution) == (size, size)
    seen = pictures(2, size)
    expected = predict(tf.constant(seen))["chroma"].numpy()
    assert np.ptp(expected) > 0.02
    np.testing.assert_allclose(engine.predict(seen), expected, atol=1e-3 / 128)
    weights = sum(weight.shape.num_elements() for weight in network._kept)
    assert (tmp_path / "m" / lite.FILE).stat().st_size < 3 * weights + 60_000


def test_a_network_that_litert_cannot_run_is_exported_for_tensorflow(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lite_conversion, "MOST_DIFFERENT", -1.0)  # so that no conversion is near enough
    colorizer = Colorizer.load(str(exported(tmp_path / "m", mini(autoencoder()))))
    assert not is_lite(colorizer)
    assert not (tmp_path / "m" / lite.FILE).exists()
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("autochrome: ")]
    assert line.startswith("autochrome: the model has no network for LiteRT (its chroma differs by up to ")
