import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from model import export, networks, saved_model
from model.colorizer import Colorizer
from model.config import autoencoder, mini
from tfrecords import dataset
from tfrecords.errors import UserError

CONFIG = mini(autoencoder())


@pytest.fixture(scope="module")
def exported(data_dir, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("run") / "saved_model"
    export.write(str(path), CONFIG, networks.build(CONFIG).get_weights(), dataset.read_description(data_dir), {})
    return path


@pytest.fixture
def copied(exported, tmp_path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "saved_model"))


def test_it_predicts_in_lab_units(exported):
    colorizer = Colorizer.load(str(exported))
    assert (colorizer.name, colorizer.size, colorizer.parameters) == ("autoencoder_mini", 32, 15_384)
    luminance = np.random.default_rng(0).random((5, 32, 32, 1), np.float32)
    chroma = colorizer.predict(luminance)
    assert chroma.dtype == np.float32
    np.testing.assert_allclose(chroma, 128 * np.asarray(networks.build(CONFIG)(luminance)), atol=1e-3)


def test_it_pickles_as_its_path(exported):
    colorizer = Colorizer.load(str(exported))
    pickled = pickle.dumps(colorizer)
    assert len(pickled) < 500
    again = pickle.loads(pickled)
    assert again.digest == colorizer.digest
    luminance = np.full((1, 32, 32, 1), 0.5, np.float32)
    np.testing.assert_array_equal(again.predict(luminance), colorizer.predict(luminance))


def test_the_digest_is_of_the_model_and_not_of_how_it_was_trained(exported, copied):
    before = saved_model.digest(str(exported))
    assert saved_model.digest(str(copied)) == before
    record = json.loads((copied / "autochrome.json").read_text())
    (copied / "autochrome.json").write_text(json.dumps(record | {"training": {"steps": 1}}))
    assert saved_model.digest(str(copied)) == before
    variables = copied / "variables" / "variables.data-00000-of-00001"
    variables.write_bytes(variables.read_bytes()[:-1] + b"\x01")
    assert saved_model.digest(str(copied)) != before


def test_a_model_of_another_digest_than_expected_is_refused(exported, copied, data_dir):
    digest = saved_model.digest(str(exported))
    assert Colorizer.load(str(copied), digest).digest == digest
    variables = copied / "variables" / "variables.data-00000-of-00001"
    whole = variables.read_bytes()
    variables.write_bytes(whole[: len(whole) // 2])
    for _ in ("cut short", "another model"):
        with pytest.raises(UserError, match=r"^the model in .* changed while the job ran; start") as raised:
            Colorizer.load(str(copied), digest)
        assert "\n" not in str(raised.value)
        weights = [2 * weight for weight in networks.build(CONFIG).get_weights()]
        shutil.rmtree(copied)
        export.write(str(copied), CONFIG, weights, dataset.read_description(data_dir), {})
    assert Colorizer.load(str(copied)).digest != digest


def test_a_missing_folder_and_one_without_a_model(tmp_path):
    with pytest.raises(UserError, match=r"nowhere does not exist.*autochrome train"):
        Colorizer.load(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"has no saved_model\.pb"):
        Colorizer.load(str(tmp_path))


def test_a_training_folder_names_the_model_in_it(exported):
    with pytest.raises(UserError, match=f"its model is {exported}"):
        Colorizer.load(str(exported.parent))


def test_a_foreign_saved_model(copied):
    (copied / "autochrome.json").unlink()
    with pytest.raises(UserError, match=r"no autochrome\.json"):
        Colorizer.load(str(copied))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": 1}'])
def test_a_damaged_record(copied, text):
    (copied / "autochrome.json").write_text(text)
    with pytest.raises(UserError, match="damaged"):
        Colorizer.load(str(copied))


def test_another_format_version(copied):
    record = json.loads((copied / "autochrome.json").read_text()) | {"format_version": 99}
    (copied / "autochrome.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="format version 99"):
        Colorizer.load(str(copied))


def test_a_damaged_graph_and_missing_variables(copied):
    shutil.rmtree(copied / "variables")
    with pytest.raises(UserError, match="variables"):
        Colorizer.load(str(copied))
    (copied / "variables").mkdir()
    (copied / "saved_model.pb").write_bytes(b"not a graph")
    with pytest.raises(UserError, match="cannot be loaded"):
        Colorizer.load(str(copied))


def test_a_flipped_bit_in_the_weights(copied):
    """Read by TensorFlow, whose message names its operation before and behind the reason."""
    path = copied / "variables" / "variables.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        UserError, match=r"cannot be loaded \(TensorBundle at .*Checksum does not match[^\[{]*\); export"
    ):
        Colorizer.load(str(copied), batches=True)


@pytest.mark.parametrize(
    ("shape", "name", "channels", "found"),
    [
        ([None, 32, 32, 3], "luminance", 2, r"luminance float32 \[N,32,32,3\] → chroma"),
        ([None, 32, 64, 1], "luminance", 2, r"luminance float32 \[N,32,64,1\] → chroma"),
        ([None, 32, 32, 1], "image", 2, "image float32"),
        ([None, 32, 32, 1], "luminance", 3, r"→ chroma float32 \[N,32,32,3\]"),
    ],
)
def test_a_wrong_signature_says_what_was_expected_and_found(exported, tmp_path, shape, name, channels, found):
    module = tf.Module()
    module.serve = tf.function(
        lambda image: {"chroma": tf.repeat(image[..., :1], channels, axis=-1)},
        input_signature=[tf.TensorSpec(shape, tf.float32, name=name)],
    )
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.serve})
    shutil.copy(exported / "autochrome.json", tmp_path)
    with pytest.raises(UserError, match=rf"must be luminance float32 \[N,S,S,1\].*found .*{found}"):
        Colorizer.load(str(tmp_path))


def test_no_signature_at_all(exported, tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    shutil.copy(exported / "autochrome.json", tmp_path)
    with pytest.raises(UserError, match="found none"):
        Colorizer.load(str(tmp_path))
