"""The digest of a model is that of what it computes, whatever TensorFlow calls its functions."""

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny

from model import export, networks, saved_model
from model.config import Config
from tfrecords import dataset

CONFIG = tiny.CLASSIFIER


@pytest.fixture(scope="module")
def weights() -> list[np.ndarray]:
    return networks.build(CONFIG).get_weights()


@pytest.fixture(scope="module")
def exported(data_dir, tmp_path_factory, weights) -> Path:
    """An export that tests only read."""
    path = tmp_path_factory.mktemp("identity") / "model"
    export.write(str(path), CONFIG, weights, dataset.read_description(data_dir), {})
    return path


@pytest.fixture
def digest_of(data_dir, tmp_path, weights):
    """The digest of an export into a folder of its own: (config, weights) -> digest."""

    def digest(config: Config, given: list[np.ndarray] = weights) -> str:
        path = str(tmp_path / str(len(list(tmp_path.iterdir()))))
        export.write(path, config, given, dataset.read_description(data_dir), {})
        return saved_model.digest(path)

    return digest


def test_a_model_that_is_exported_again_has_the_same_digest(digest_of, exported):
    first = saved_model.digest(str(exported))
    assert digest_of(CONFIG) == first
    assert digest_of(dataclasses.replace(CONFIG, epochs=99, batch_size=8)) == first


def test_what_changes_the_colours_changes_the_digest(digest_of, exported, weights):
    found = {saved_model.digest(str(exported))}
    for place in (0, -1):
        changed = [weight.copy() for weight in weights]
        changed[place].flat[0] += 1e-3
        found.add(digest_of(CONFIG, changed))
    changes = ({"temperature": 0.9}, {"size": 64}, {"stored": "float16"})
    found |= {digest_of(dataclasses.replace(CONFIG, **fields)) for fields in changes}
    assert len(found) == 3 + len(changes)


@pytest.mark.parametrize("activations", [("relu", "gelu"), ("relu", "relu6")])
def test_networks_that_differ_only_in_an_activation_have_different_digests(
    data_dir, tmp_path, monkeypatch, activations
):
    found = set()
    for activation in activations:

        def network(config: Config, activation: str = activation) -> keras.Model:
            luminance = keras.Input((config.resolution, config.resolution, 1))
            hidden = keras.layers.Conv2D(2, 3, padding="same", activation=activation)(luminance)
            return keras.Model(luminance, keras.layers.Conv2D(2, 3, padding="same")(hidden))

        monkeypatch.setitem(networks.NETWORKS, "own", network)
        config = dataclasses.replace(CONFIG, network="own", loss="huber")
        ones = [np.ones_like(weight) for weight in networks.build(config).get_weights()]
        export.write(str(tmp_path / activation), config, ones, dataset.read_description(data_dir), {})
        found.add(saved_model.digest(str(tmp_path / activation)))
    assert len(found) == 2


def without_identity(path: Path) -> str:
    """Make a model one of an earlier version, whose digest is that of its files; return it."""
    record = json.loads((path / "autochrome.json").read_text())
    del record["identity"]
    (path / "autochrome.json").write_text(json.dumps(record))
    return saved_model.digest(str(path))


def test_an_export_in_the_place_of_the_same_model_keeps_its_earlier_digest(data_dir, exported, tmp_path, weights):
    path, description = shutil.copytree(exported, tmp_path / "model"), dataset.read_description(data_dir)
    new = saved_model.digest(str(path))
    earlier = without_identity(path)
    assert earlier != new
    for _ in range(2):
        export.write(str(path), CONFIG, weights, description, {})
        assert saved_model.digest(str(path)) == earlier
    export.write(str(path), dataclasses.replace(CONFIG, temperature=0.5), weights, description, {})
    assert saved_model.digest(str(path)) not in {earlier, new}


def test_a_model_whose_files_were_changed_after_its_export_has_another_digest(exported, tmp_path):
    path = shutil.copytree(exported, tmp_path / "model")
    before = saved_model.digest(str(path))
    with (path / "saved_model.pb").open("ab") as file:
        file.write(b"\x00")
    assert saved_model.digest(str(path)) != before
