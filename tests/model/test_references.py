"""A configuration, a network and a loss from a module outside the package; the module is the one of the guide."""

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from model import commands, config, evaluate, losses, networks, references, saved_model, train
from model.colorizer import Colorizer
from tfrecords.errors import UserError

GUIDE = Path(__file__).parents[2] / "docs" / "own-network.md"
SMALL = ["--set=resolution=32", "--set=size=32", "--set=width=4", "--batch_size=4", "--epochs=2"]


@pytest.fixture
def module(tmp_path, monkeypatch) -> Callable[..., str]:
    """Write a module into the current folder: (text, name="photolab") -> name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    written = []

    def write(text: str, name: str = "photolab") -> str:
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def example(module) -> str:
    [text] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return module(text)


def test_the_guide_s_module_is_trained_evaluated_and_used_without_it(example, data_dir, tmp_path, capsys):
    options = [f"--data={data_dir}", f"--output={tmp_path / 'run'}", f"--config={example}:config", *SMALL]
    assert train.main(options) == 0
    model = str(tmp_path / "run" / "saved_model")
    stored = saved_model.check(model)["config"]
    assert (stored["name"], stored["network"], stored["loss"]) == ("photolab", "photolab:network", "photolab:loss")
    assert config.Config.from_dict(stored).width == 4
    assert train.main(options) == 0
    assert "already complete" in capsys.readouterr().out
    assert evaluate.main([f"--model={model}", f"--data={data_dir}"]) == 0
    assert "truth at" in capsys.readouterr().out
    (tmp_path / "photolab.py").unlink()
    del sys.modules["photolab"]
    chroma = Colorizer.load(model).predict(np.random.default_rng(0).random((1, 32, 32, 1), np.float32))
    assert chroma.shape == (1, 32, 32, 2)
    assert evaluate.main([f"--model={model}", f"--data={data_dir}"]) == 0
    assert "truth at" not in capsys.readouterr().out


def test_a_configuration_may_be_a_value_and_its_fields_may_be_set(module):
    module("from model.config import unet_small\nready = unet_small()\n")
    found = config.by_name("photolab:ready").override(["network=photolab:network"])
    assert (found.name, found.network) == ("unet_small", "photolab:network")


FAULTS = {
    "absent:config": r"--config absent:config: there is no module absent; install it, or start in the folder",
    "absent.deeper:config": "there is no module absent; install it",
    ":config": "must be written as module:name",
    "photolab:": "must be written as module:name",
    "photolab:config": "module photolab has no config",
    "photolab:number": "or a function that returns one, and is of type int",
    "photolab:wrong": "and is of type str",
    "photolab:fails": r"--config photolab:fails fails \(ValueError: no good\)",
    "broken:config": r"broken cannot be imported \(SyntaxError",
    "needs:config": r"there is no module nowhere, which needs imports",
}


@pytest.mark.parametrize("reference", FAULTS)
def test_what_is_no_configuration_is_refused_in_one_line(module, reference, data_dir, tmp_path, capsys):
    module("number = 3\ndef wrong(): return 'x'\ndef fails(): raise ValueError('no good\\nat all')\n")
    module("def", "broken")
    module("import nowhere", "needs")
    options = [f"--data={data_dir}", f"--output={tmp_path / 'run'}", f"--config={reference}"]
    assert commands.run(lambda: train.main(options)) == 2
    out, err = capsys.readouterr()
    assert re.search(FAULTS[reference], err), err
    assert (out, err.count("\n")) == ("", 1)
    assert not (tmp_path / "run").exists()


NETWORKS = """
import keras
def made(sides=(32, 32), channels=1, filters=2, strides=1):
    luminance = keras.Input((*sides, channels))
    return keras.Model(luminance, keras.layers.Conv2D(filters, 3, strides, padding="same")(luminance))
def good(config): return made()
def nothing(config): return None
def takes_colour(config): return made(channels=3)
def gives_one(config): return made(filters=1)
def gives_thirds(config): return made(strides=3)
def fails(config): raise KeyError("width")
number = 3
"""
WRONG = {
    "nothing": "must return a keras.Model, not of type NoneType",
    "takes_colour": r"must take luminance \[None, 32, 32, 1\], .* not \[None, 32, 32, 3\]",
    "gives_one": r"must give \[None, s, s, 2\] .* not \[None, 32, 32, 1\]",
    "gives_thirds": r"must give \[None, s, s, 2\] with s a divisor of 32 .* not \[None, 11, 11, 2\]",
    "fails": r"network photolab:fails fails \(KeyError",
    "number": "network photolab:number must be a function, and is of type int",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_network_for_the_configuration_is_refused(module, name):
    module(NETWORKS)
    small = config.mini(config.autoencoder())
    networks.build(small.override(["network=photolab:good"]))
    with pytest.raises(UserError, match=WRONG[name]):
        networks.build(small.override([f"network=photolab:{name}"]))


def test_a_network_that_gives_no_classes_is_refused_for_a_loss_of_classes(module):
    module(NETWORKS)
    with pytest.raises(UserError, match=r"must give \[None, s, s, 261\] .*loss cross_entropy"):
        networks.build(config.mini(config.unet()).override(["network=photolab:good"]))


def test_a_loss_that_averages_over_the_batch_is_refused(module, data_dir, tmp_path, capsys):
    module("import keras\ndef mean(truth, output): return keras.ops.mean(output - truth)\nnumber = 3\n")
    options = [f"--data={data_dir}", f"--output={tmp_path / 'run'}", "--config=autoencoder_mini"]
    assert commands.run(lambda: train.main([*options, "--set=loss=photolab:mean"])) == 2
    err = capsys.readouterr().err
    assert err == ("autochrome: error: loss photolab:mean must return one number an example, [N], not of shape []\n")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="loss photolab:number must be a function, and is of type int"):
        losses.make(config.mini(config.autoencoder()).override(["loss=photolab:number"]))
    with pytest.raises(UserError, match="loss absent:loss: there is no module absent"):
        references.loss("absent:loss")


def test_a_loss_of_one_s_own_sees_the_truth_at_the_side_of_the_output(module):
    module("def shapes(truth, output):\n    assert truth.shape == output.shape\n    return truth[:, 0, 0, 0]\n")
    made = losses.make(config.mini(config.autoencoder()).override(["loss=photolab:shapes"]))
    assert made(tf.ones([3, 8, 8, 2]), tf.zeros([3, 4, 4, 2])).numpy().tolist() == [1, 1, 1]
