import hashlib
import json
import shutil
from pathlib import Path

import pytest

from model import saved_model
from tfrecords.errors import UserError


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "run" / "saved_model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"weights")
    (folder / "autochrome.json").write_text(json.dumps({"format_version": 1, "name": "unet"}))
    return folder


def test_a_model_is_known_by_its_record(model):
    assert saved_model.check(f"{model}/") == {"format_version": 1, "name": "unet"}


def test_the_released_model_needs_no_path():
    assert saved_model.check("released")["name"]
    assert saved_model.folder("released") == str(Path(saved_model.__file__).parent / "released")
    assert saved_model.folder("here") == "here"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            shutil.rmtree,
            "does not exist; give the saved_model folder that",
        ),
        (lambda folder: (folder / "saved_model.pb").unlink(), r"has no saved_model\.pb"),
        (lambda folder: (folder / "autochrome.json").unlink(), r"has no autochrome\.json; only SavedModels that"),
        (lambda folder: (folder / "autochrome.json").write_text("{"), r"has a damaged autochrome\.json"),
        (lambda folder: (folder / "autochrome.json").write_text('{"format_version": 1}'), "has a damaged"),
        (lambda folder: (folder / "autochrome.json").write_text("[]"), "has a damaged"),
        (
            lambda folder: (folder / "autochrome.json").write_text('{"format_version": 2, "name": "x"}'),
            "has format version 2, this program reads 1; export it again",
        ),
    ],
)
def test_what_is_not_a_model_of_ours_is_told_with_what_to_do(model, broken, message):
    broken(model)
    with pytest.raises(UserError, match=message):
        saved_model.check(str(model))


def test_a_training_folder_is_answered_with_its_model(model):
    with pytest.raises(UserError, match=rf"is a training folder; its model is {model}$"):
        saved_model.check(str(model.parent))


def test_the_digest_is_of_graph_and_weights_in_order_of_name(model):
    expected = hashlib.sha256()
    for name, data in (
        ("saved_model.pb", b"graph"),
        ("variables/variables.data-00000-of-00001", b"weights"),
        ("variables/variables.index", b"index"),
    ):
        expected.update(f"{name}\0{len(data)}\0".encode() + data)
    before = saved_model.digest(str(model))
    assert before == expected.hexdigest()
    (model / "autochrome.json").write_text("{}")
    assert saved_model.digest(str(model)) == before
    (model / "variables" / "variables.index").write_bytes(b"other")
    assert saved_model.digest(str(model)) != before


def test_paths_with_a_scheme_are_read_by_tensorflow(model):
    import tensorflow as tf

    for name in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"):
        path = f"ram://models/{name}"
        tf.io.gfile.makedirs(path.rpartition("/")[0])
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write((model / name).read_bytes())
    assert saved_model.digest("ram://models") == saved_model.digest(str(model))
