import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny

from model import commands, exporting, initial, networks, weights
from model.weights import Weights
from pipelines import pack
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError
from tfrecords.statistics import CHROMA_CENTRES, Statistics

CONFIG = tiny.CLASSIFIER


@pytest.fixture(scope="module")
def records(data_dir, tmp_path_factory) -> str:
    """A prepared set with a histogram of chroma."""
    folder = Path(shutil.copytree(data_dir, tmp_path_factory.mktemp("export") / "records"))
    description = Description.from_json((folder / FILE_NAME).read_text())
    counts = np.exp(-np.square(np.array(CHROMA_CENTRES) / 20.0))
    histogram = (1e6 * np.outer(counts, counts)).astype(int).tolist()
    statistics = {"train": Statistics().to_dict() | {"chroma": histogram}}
    (folder / FILE_NAME).write_text(dataclasses.replace(description, statistics=statistics).to_json())
    return str(folder)


@pytest.fixture(scope="module")
def packed(records) -> str:
    output = str(Path(records).parent / "packs")
    pack.pack(records, output, side=32, quality=90, file_mib=1, seed=0)
    return output


@pytest.fixture(scope="module")
def run(packed) -> Path:
    """A training folder of JAX's."""
    contents = pack.packs.describe(packed)
    folder = Path(packed).parent / "run"
    folder.mkdir()
    data = {"fingerprint": contents.fingerprint, "source": contents.source["fingerprint"], "size": 32, "examples": {}}
    generator = np.random.default_rng(0)
    arrays = [0.1 * generator.standard_normal(one.shape, np.float32) for one in networks.build(CONFIG).get_weights()]
    weights.write(folder / weights.FILE, Weights(config=CONFIG, arrays=arrays, data=data, training={"steps": 7}))
    return folder


@pytest.fixture(scope="module")
def exported(run, packed) -> Path:
    output = run.parent / "exported"
    assert exporting.main([f"--weights={run}", f"--data={packed}", f"--output={output}"]) == 0
    return output


def chroma(model: Path) -> np.ndarray:
    luminance = np.random.default_rng(2).random((2, 32, 32, 1)).astype(np.float32)
    return tf.saved_model.load(str(model)).signatures["serving_default"](tf.constant(luminance))["chroma"].numpy()


def record(model: Path) -> dict:
    return json.loads((model / "autochrome.json").read_text())


def test_weights_become_a_model_that_knows_its_data(run, exported, packed):
    found = record(exported)
    assert found["config"] == CONFIG.to_dict()
    assert found["data"]["fingerprint"] == pack.packs.describe(packed).fingerprint
    assert found["data"]["examples"] == {"train": 9, "validation": 3}
    assert found["training"] == {"steps": 7}
    for one, other in zip(initial.read(str(exported)), weights.read(run / weights.FILE).arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    network = networks.build(CONFIG)
    network.set_weights(initial.read(str(run / weights.FILE)))
    luminance = np.random.default_rng(2).random((2, 32, 32, 1)).astype(np.float32)
    np.testing.assert_allclose(chroma(exported), networks.decode(CONFIG, network(luminance)), atol=1e-5)


def test_a_model_is_exported_again_with_another_decoding(exported, records, packed, tmp_path):
    output = tmp_path / "vivid"
    words = [f"--weights={exported}", f"--data={packed}", f"--output={output}"]
    fields = {"prior_adjustment": 0.5, "temperature": 0.5, "most_spread": 400.0, "stored": "float16"}
    assert exporting.main([*words, *(f"--set={name}={value}" for name, value in fields.items())]) == 0
    assert {name: record(output)["config"][name] for name in fields} == fields
    assert record(output)["training"] == {"steps": 7}
    assert np.abs(chroma(output)).mean() > 1.1 * np.abs(chroma(exported)).mean()


def test_the_records_behind_the_packs_name_the_data_too(run, records, tmp_path):
    words = [f"--weights={run}/{weights.FILE}", f"--data={records}", f"--output={tmp_path}/model"]
    assert exporting.main([*words, "--set=prior_adjustment=0.3"]) == 0
    description = Description.from_json((Path(records) / FILE_NAME).read_text())
    assert record(tmp_path / "model")["data"]["fingerprint"] == description.fingerprint


def test_mistakes_are_one_line(run, packed, write_set, tmp_path, capsys):
    other = write_set(tmp_path / "other", 40)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "photo.jpg").touch()
    right = {"weights": str(run), "data": packed, "output": str(tmp_path / "model")}
    for change, what in (
        ({"set": "crop=0.5"}, "--set crop=0.5: crop shapes the training; an export sets size, temperature"),
        ({"set": "colour=1"}, "there is no field colour"),
        ({"set": "prior_adjustment=2"}, "prior_adjustment must be from 0 to 1"),
        ({"data": other}, "is another set than the one that these weights were trained on"),
        ({"output": str(taken)}, "is not a model and not empty"),
        ({"output": str(taken / "photo.jpg" / "model")}, "photo.jpg/model cannot be written: photo.jpg is a file"),
        ({"weights": str(taken)}, "has no saved_model.pb"),
        ({"weights": f"{taken}/weights.npz"}, "does not exist"),
        ({"data": str(taken)}, "has no dataset.json"),
    ):
        words = [f"--{flag}={value}" for flag, value in (right | change).items()]
        assert commands.run(lambda words=words: exporting.main(words)) == 2
        said = capsys.readouterr().err
        assert what in said
        assert said.count("\n") == 1
    assert not (tmp_path / "model").exists()


def test_a_field_is_only_set_where_the_export_reads_it():
    assert exporting.decoding(CONFIG, ["temperature=0.4"]).temperature == 0.4
    with pytest.raises(UserError, match="learning_rate shapes the training"):
        exporting.decoding(CONFIG, ["learning_rate=1"])


def test_a_model_whose_record_lacks_its_configuration_is_refused(exported, records, tmp_path):
    model = Path(shutil.copytree(exported, tmp_path / "model"))
    (model / "autochrome.json").write_text('{"format_version": 1, "name": "x"}')
    with pytest.raises(UserError, match=r"model has a damaged autochrome\.json; export it again"):
        exporting.main([f"--weights={model}", f"--data={records}", f"--output={tmp_path / 'other'}"])
