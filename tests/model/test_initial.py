import dataclasses
import json
import shutil
from pathlib import Path

import jax_process
import numpy as np
import pytest
import tensorflow as tf
import tiny

from model import export, initial, networks, saved_model, strategy, trainer
from tfrecords import dataset
from tfrecords.errors import UserError

CONFIG = dataclasses.replace(tiny.CONFIG, learning_rate=1e-9, epochs=1, seed=5)


def weights(path: str) -> list[np.ndarray]:
    loaded = tf.saved_model.load(path)
    return [variable.numpy().astype(np.float32) for variable in loaded.signatures["serving_default"].variables]


@pytest.fixture(scope="module")
def model(data_dir, tmp_path_factory) -> str:
    path = str(tmp_path_factory.mktemp("init") / "saved_model")
    network = networks.build(tiny.CONFIG)
    export.write(path, tiny.CONFIG, network.get_weights(), dataset.read_description(data_dir), {})
    return path


def test_a_run_starts_from_the_weights_of_an_exported_model(model, data_dir, tmp_path):
    result = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), init=model)
    for one, other in zip(weights(model), weights(result.saved_model), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)


def test_another_network_is_refused(model, data_dir, tmp_path):
    config = dataclasses.replace(tiny.CLASSIFIER, epochs=1)
    with pytest.raises(UserError, match="holds another network"):
        trainer.train(config, data_dir, str(tmp_path / "run"), strategy.make("one"), init=model)
    # The folder does not belong to the run that was refused.
    assert not (tmp_path / "run").exists()
    assert trainer.train(config, data_dir, str(tmp_path / "run"), strategy.make("one")).trained


def test_a_run_goes_on_only_with_the_model_it_started_from(model, data_dir, tmp_path):
    trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), init=model)
    with pytest.raises(UserError, match="init"):
        trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))


@pytest.mark.parametrize("path", saved_model.SHIPPED)
def test_weights_are_read_as_tensorflow_reads_them(path):
    kept = tf.saved_model.load(saved_model.folder(path))._kept
    found = initial.read(path)
    assert len(found) == len(kept)
    for one, other in zip(found, kept, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other.numpy().astype(np.float32))


def test_weights_are_read_without_tensorflow(model):
    code = f"from model import initial; assert initial.read({model!r})[0].shape == (5, 5, 1, 4)"
    jax_process.run("-c", code).check_returncode()


@pytest.mark.parametrize("name", ["variables.index", "variables.data-00000-of-00001"])
def test_a_damaged_model_is_one_line(model, tmp_path, name):
    copy = Path(shutil.copytree(model, tmp_path / "model"))
    file = copy / "variables" / name
    whole = file.read_bytes()
    for data in (b"", whole[:-1], whole[:20], whole[:60] + b"\xff\xff" + whole[62:], None):
        file.unlink() if data is None else file.write_bytes(data)
        with pytest.raises(UserError, match=r"cannot be loaded \(.*\); export it again$") as refused:
            initial.read(str(copy))
        assert "\n" not in str(refused.value)
    # Models of earlier versions do not say what their files are.
    record = json.loads((copy / "autochrome.json").read_text())
    del record["identity"]
    (copy / "autochrome.json").write_text(json.dumps(record))
    for data in (b"", whole[:20]):
        file.write_bytes(data)
        with pytest.raises(UserError, match="cannot be loaded"):
            initial.read(str(copy))


def test_a_model_that_lacks_files_is_told(model, data_dir, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    shutil.rmtree(tmp_path / "model" / "variables")
    with pytest.raises(UserError, match=r"model cannot be loaded \(.*No such file or directory.*\); export it again"):
        trainer.train(CONFIG, data_dir, str(tmp_path / "run"), strategy.make("one"), init=str(tmp_path / "model"))
