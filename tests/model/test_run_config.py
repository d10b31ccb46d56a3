import dataclasses
import json

import pytest

from model.config import autoencoder, mini
from model.run_config import claim
from tfrecords.description import Description
from tfrecords.errors import UserError

CONFIG = mini(autoencoder())
DATA = Description(size=CONFIG.size, splits={}, settings={}, outcomes={})


def test_a_folder_is_claimed_once_and_recognised(tmp_path):
    claim(str(tmp_path / "run"), CONFIG, DATA)
    first = (tmp_path / "run" / "config.json").read_bytes()
    claim(str(tmp_path / "run"), CONFIG, DATA)
    assert (tmp_path / "run" / "config.json").read_bytes() == first
    claim(str(tmp_path / "run"), dataclasses.replace(CONFIG, epochs=CONFIG.epochs + 1), DATA)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_a_folder_of_another_run_is_refused_and_named(tmp_path):
    claim(str(tmp_path), CONFIG, DATA)
    with pytest.raises(UserError, match=r"holds a run with batch_size \d+ \(now 7\); choose another --output"):
        claim(str(tmp_path), dataclasses.replace(CONFIG, batch_size=7), DATA)
    with pytest.raises(UserError, match=r"holds a run with init none \(now abc\);"):
        claim(str(tmp_path), CONFIG, DATA, init="abc")
    with pytest.raises(UserError, match=r"on another data set .* choose another --output or the same --data$"):
        claim(str(tmp_path), CONFIG, dataclasses.replace(DATA, size=8))


def test_a_run_from_before_a_field_was_added_goes_on(tmp_path):
    claim(str(tmp_path), CONFIG, DATA)
    path = tmp_path / "config.json"
    stored = json.loads(path.read_text())
    del stored["config"]["precision"], stored["config"]["jit"], stored["config"]["mounts"]
    path.write_text(json.dumps(stored))
    with pytest.raises(UserError, match=r"holds a run with precision float32 \(now float16\);"):
        claim(str(tmp_path), dataclasses.replace(CONFIG, precision="float16"), DATA)
    # Runs on JAX kept it beside the configuration.
    path.write_text(json.dumps(stored | {"precision": "bfloat16"}))
    with pytest.raises(UserError, match=r"precision bfloat16 \(now float32\)"):
        claim(str(tmp_path), CONFIG, DATA)
    claim(str(tmp_path), dataclasses.replace(CONFIG, precision="bfloat16"), DATA)


@pytest.mark.parametrize("init", ["", "abc"])
def test_a_set_that_has_grown_is_answered_with_a_new_run_from_the_model(tmp_path, init):
    output = tmp_path / "run"
    claim(str(output), CONFIG, DATA)
    (output / "saved_model").mkdir()
    (output / "saved_model" / "autochrome.json").write_text("{}")
    before = (output / "config.json").read_bytes()
    grown = dataclasses.replace(DATA, size=8)
    answer = rf"to continue from its model, add --init {output}/saved_model and choose another --output$"
    with pytest.raises(UserError, match=answer) as raised:
        claim(str(output), CONFIG, grown, init=init)
    assert "\n" not in str(raised.value)
    assert (output / "config.json").read_bytes() == before
    claim(str(tmp_path / "more"), CONFIG, grown, init="abc")
    claim(str(tmp_path / "more"), CONFIG, grown, init="abc")


@pytest.mark.parametrize(("text", "message"), [("{", "is damaged"), ('{"a": 1}', "is not of a training run")])
def test_a_config_that_is_not_ours_is_refused(tmp_path, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=message):
        claim(str(tmp_path), CONFIG, DATA)


def test_a_worker_claims_nothing(tmp_path):
    claim(str(tmp_path / "run"), CONFIG, DATA, chief=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["dataset.json", "pack.json", "autochrome.json", "report.json"])
def test_a_folder_that_holds_something_else_is_refused(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=r"output .* holds .*; choose another --output"):
        claim(str(tmp_path), CONFIG, DATA)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_description_of_nothing_is_of_no_run(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="is not of a training run"):
        claim(str(tmp_path), CONFIG, DATA)
