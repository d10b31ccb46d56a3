import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from model import strategy, trainer
from model.config import autoencoder_mini
from tfrecords.errors import UserError

CONFIG = dataclasses.replace(autoencoder_mini(), epochs=4)


def weights(output: Path | str) -> list[np.ndarray]:
    loaded = tf.saved_model.load(str(Path(output) / "saved_model"))
    return [variable.numpy() for variable in loaded.signatures["serving_default"].variables]


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def undisturbed(data_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed")
    trainer.train(CONFIG, data_dir, str(output), strategy.make("one"))
    return output


def test_training_on_photographs_lowers_the_loss(data_dir, tmp_path):
    reports = []
    config = dataclasses.replace(CONFIG, epochs=60, learning_rate=3e-3)
    first = trainer.train(dataclasses.replace(config, epochs=1), data_dir, str(tmp_path), strategy.make("one"))
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), on_report=reports.append)
    assert result.loss < 0.7 * first.loss
    assert result.trained
    assert (reports[0].step, reports[0].resumed) == (3, True)
    assert reports[-1].step == reports[-1].steps == 135
    assert reports[-1].validation_loss == result.validation_loss
    assert [line["step"] for line in lines(tmp_path)] == [3, 135]


def test_two_replicas_make_the_weights_of_one(data_dir, undisturbed, tmp_path):
    mirrored = strategy.make("mirrored")
    assert mirrored.num_replicas_in_sync == 2
    result = trainer.train(CONFIG, data_dir, str(tmp_path), mirrored)
    for one, two in zip(weights(undisturbed), weights(tmp_path), strict=True):
        np.testing.assert_allclose(two, one, atol=2e-5)
    last = lines(undisturbed)[-1]
    assert result.loss == pytest.approx(last["loss"], rel=1e-4)
    assert result.validation_loss == pytest.approx(last["validation_loss"], rel=1e-4)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("then", ["one", "mirrored"])
def test_a_killed_run_goes_on_to_the_same_weights(data_dir, undisturbed, tmp_path, monkeypatch, then):
    monkeypatch.setattr(trainer, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(trainer, "MOST_STEPS_A_CALL", 1)

    def kill(report: trainer.Report) -> None:
        if report.step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), checkpoint_minutes=0, on_report=kill)
    assert not (tmp_path / "saved_model").exists()
    # What a run writes between its last checkpoint and its death is measured again.
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "loss": 1}\n{"step": 7, "lo')
    reports = []
    trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make(then), on_report=reports.append)
    assert reports[0].step == 5
    assert [line["step"] for line in lines(tmp_path)] == list(range(1, 10))
    for one, two in zip(weights(undisturbed), weights(tmp_path), strict=True):
        np.testing.assert_allclose(two, one, atol=0 if then == "one" else 2e-5)


def test_a_complete_run_is_only_exported_again(data_dir, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "saved_model")
    result = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))
    assert not result.trained
    assert result.loss == lines(undisturbed)[-1]["loss"]
    for one, two in zip(weights(undisturbed), weights(tmp_path), strict=True):
        np.testing.assert_array_equal(two, one)


def test_the_time_limit_ends_training_and_counts_all_runs(data_dir, tmp_path):
    config = dataclasses.replace(CONFIG, epochs=10**6)
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), max_minutes=0.02)
    assert 0 < result.step < 10**6
    assert result.seconds >= 1.2
    again = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), max_minutes=0.02)
    assert not again.trained
    assert again.step == result.step


def test_another_configuration_or_data_set_is_refused(data_dir, write_set, undisturbed, tmp_path):
    before = (undisturbed / "config.json").read_text()
    other = dataclasses.replace(CONFIG, batch_size=2, seed=7)
    with pytest.raises(UserError, match=r"batch_size 4 \(now 2\), seed 0 \(now 7\)"):
        trainer.train(other, data_dir, str(undisturbed), strategy.make("one"))
    other_set = write_set(tmp_path / "other", 32, validation=2)
    with pytest.raises(UserError, match="another data set"):
        trainer.train(CONFIG, other_set, str(undisturbed), strategy.make("one"))
    assert (undisturbed / "config.json").read_text() == before


def test_a_set_smaller_than_a_batch_and_without_validation_trains(write_set, tmp_path):
    data = write_set(tmp_path / "data", 32, validation=0)
    config = dataclasses.replace(CONFIG, batch_size=16, epochs=3)
    result = trainer.train(config, data, str(tmp_path / "run"), strategy.make("one"))
    assert result.step == 3
    assert result.validation_loss is None


def test_a_batch_that_cannot_be_divided_is_refused(data_dir, tmp_path):
    config = dataclasses.replace(CONFIG, batch_size=3)
    with pytest.raises(UserError, match="batch_size 3 cannot be divided among 2 replicas"):
        trainer.train(config, data_dir, str(tmp_path), strategy.make("mirrored"))


def test_an_output_that_cannot_be_written_is_refused(data_dir, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        trainer.train(CONFIG, data_dir, str(tmp_path / "file" / "run"), strategy.make("one"))


def test_a_loss_that_is_no_number_stops_the_run(data_dir, tmp_path):
    config = dataclasses.replace(CONFIG, learning_rate=float("nan"))
    with pytest.raises(UserError, match="loss is nan at step"):
        trainer.train(config, data_dir, str(tmp_path), strategy.make("one"))
