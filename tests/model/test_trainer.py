"""The training loop: what it learns, how it goes on, what it refuses and what it leaves behind."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from training_run import CONFIG, TOLERANCE, assert_same, lines, weights

from model import inputs, learner, losses, networks, pretrained, strategy, trainer
from model.config import Config, autoencoder, mini, released_1
from tfrecords.errors import UserError

TINY = dataclasses.replace(tiny.CONFIG, epochs=4)


def test_training_on_photographs_lowers_the_loss(data_dir, tmp_path):
    reports = []
    config = dataclasses.replace(mini(autoencoder()), epochs=60, learning_rate=3e-3)
    first = trainer.train(dataclasses.replace(config, epochs=1), data_dir, str(tmp_path), strategy.make("one"))
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), on_report=reports.append)
    assert result.loss < 0.7 * first.loss
    assert result.trained
    assert (reports[0].step, reports[0].resumed) == (3, True)
    assert reports[-1].step == reports[-1].steps == 135
    validated = {line["step"]: line["validation_loss"] for line in lines(tmp_path) if "validation_loss" in line}
    assert list(validated) == [3, 135]
    assert result.validation_loss == min(validated.values()) == validated[result.best_step]


def test_two_replicas_make_the_weights_of_one(data_dir, undisturbed, tmp_path):
    mirrored = strategy.make("mirrored")
    assert mirrored.num_replicas_in_sync == 2
    trainer.train(CONFIG, data_dir, str(tmp_path), mirrored)
    assert_same(undisturbed, tmp_path, TOLERANCE)


def test_a_run_of_two_replicas_that_was_stopped_goes_on_on_one(data_dir, undisturbed, tmp_path):
    result = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("mirrored"), stop=lambda: True)
    assert result.interrupted
    assert 0 < result.step < 9
    assert not (tmp_path / "saved_model").exists()
    result = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))
    assert not result.interrupted
    assert_same(undisturbed, tmp_path, TOLERANCE)


def test_checkpoints_that_are_all_torn_are_an_error(data_dir, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "checkpoints").glob("ckpt-*.index"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"no checkpoint in .* can be read"):
        trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))


def test_a_run_touches_no_checkpoint_of_a_run_whose_name_its_own_matches_as_a_glob(data_dir, undisturbed, tmp_path):
    output, other = tmp_path / "run[1]", tmp_path / "run1" / "checkpoints"
    other.mkdir(parents=True)
    assert trainer.train(CONFIG, data_dir, str(output), strategy.make("one"), stop=lambda: True).interrupted
    for number in range(10):
        (other / f"ckpt-{number}.index").write_bytes(b"other")
    trainer.train(CONFIG, data_dir, str(output), strategy.make("one"))
    shutil.copytree(output, tmp_path / "copy")  # under a name that TensorFlow loads
    assert_same(undisturbed, tmp_path / "copy")
    assert len(list(other.iterdir())) == 10
    kept = sorted(path.name.partition(".")[0] for path in (output / "checkpoints").glob("ckpt-*.index"))
    assert len(kept) == 2
    assert (output / "checkpoints" / "checkpoint").read_text().count(f'"{kept[-1]}"') == 2


def test_training_stops_when_validation_no_longer_improves_and_keeps_the_best(data_dir, tmp_path):
    config = dataclasses.replace(TINY, learning_rate=1e-20, validate_every=1, patience=3)
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"))
    assert (result.step, result.best_step) == (4, 1)
    losses = [line["validation_loss"] for line in lines(tmp_path)]
    assert result.validation_loss == losses[0] == min(losses)
    record = json.loads((tmp_path / "saved_model" / "autochrome.json").read_text())
    assert record["training"]["best_step"] == 1


def test_the_average_follows_the_weights(data_dir):
    config = dataclasses.replace(TINY, averaging=0.5)
    description = inputs.describe(data_dir, config)
    one = strategy.make("one")
    trained = learner.Learner(config, one, losses.make(config), 100)
    batches = iter(inputs.training(data_dir, config, description, 0)(tf.distribute.InputContext()))
    expected = trained.model.get_weights()
    for step, decay in enumerate([1 / 11, 2 / 12, 3 / 13], start=1):
        trained.train(batches, tf.constant(1))
        assert int(trained.optimizer.iterations) == step
        expected = [e + (1 - decay) * (w - e) for e, w in zip(expected, trained.model.get_weights(), strict=True)]
        for found, average in zip(trained.averaged.get_weights(), expected, strict=True):
            np.testing.assert_allclose(found, average, atol=1e-6)


def test_fine_tuning_starts_from_published_weights_and_leaves_the_first_blocks_alone(data_dir):
    config = dataclasses.replace(mini(released_1()), pretrained=True)
    trained = learner.Learner(config, strategy.make("one"), losses.make(config), 100)
    start = dict(zip([v.path for v in trained.model.weights], trained.model.get_weights(), strict=True))
    batches = inputs.training(data_dir, config, inputs.describe(data_dir, config), 0)(tf.distribute.InputContext())
    trained.train(iter(batches), tf.constant(2))
    moved = {
        path: not np.array_equal(weight, start[path])
        for path, weight in zip([v.path for v in trained.model.weights], trained.model.get_weights(), strict=True)
    }
    kernel = pretrained.read(pretrained.path())["_conv_stem.weight"]
    stem = start["stem/kernel"][..., 0, :].reshape(-1, 32)
    for one, other in zip(stem.T, kernel.sum(axis=1).reshape(32, -1), strict=True):
        assert abs(np.corrcoef(one, other)[0, 1]) > 0.999
    assert not moved["stem/kernel"]
    assert not moved["block_4_project/kernel"]
    assert moved["block_5_expand/kernel"]
    assert moved["chroma/kernel"]


def test_tensorboard_gets_scalars_and_pictures(undisturbed):
    [path] = (undisturbed / "tensorboard").iterdir()
    events = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    values = [(event.step, value) for event in events for value in event.summary.value]
    found = {(step, value.tag): value.simple_value for step, value in values}
    for line in lines(undisturbed):
        for tag in ("loss", "validation_loss", "learning_rate", "images_per_s"):
            if tag in line:
                assert found[line["step"], tag] == pytest.approx(line[tag], rel=1e-5)
    pictures = [value.image for _, value in values if value.HasField("image")]
    assert len(pictures) == len([line for line in lines(undisturbed) if "validation_loss" in line])
    # Three validation examples: luminance, prediction, truth.
    side = CONFIG.resolution
    sheet = tf.io.decode_png(pictures[-1].encoded_image_string).numpy()
    assert sheet.shape == (3 * side, 3 * side, 3)
    assert np.ptp(sheet[:, :side].astype(int), axis=-1).max() <= 1
    assert np.ptp(sheet[:, 2 * side :].astype(int), axis=-1).mean() > 10


def test_a_complete_run_is_only_exported_again(data_dir, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "saved_model")
    result = trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))
    assert not result.trained
    assert result.loss == lines(undisturbed)[-1]["loss"]
    for one, two in zip(weights(undisturbed), weights(tmp_path), strict=True):
        np.testing.assert_array_equal(two, one)


def test_a_complete_run_can_be_exported_in_half_precision(data_dir, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    config = dataclasses.replace(CONFIG, stored="float16", export_resolution=16)
    assert not trainer.train(config, data_dir, str(tmp_path), strategy.make("one")).trained
    for half, single in zip(weights(tmp_path), weights(undisturbed), strict=True):
        np.testing.assert_array_equal(half, single.astype(np.float16))


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
    config = dataclasses.replace(TINY, batch_size=16, epochs=3)
    result = trainer.train(config, data, str(tmp_path / "run"), strategy.make("one"))
    assert result.step == 3
    assert result.validation_loss is None


def test_a_batch_that_cannot_be_divided_is_refused(data_dir, tmp_path):
    config = dataclasses.replace(TINY, batch_size=3)
    with pytest.raises(UserError, match="batch_size 3 cannot be divided among 2 devices; choose a multiple"):
        trainer.train(config, data_dir, str(tmp_path), strategy.make("mirrored"))


def test_an_output_that_cannot_be_written_is_refused(data_dir, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        trainer.train(CONFIG, data_dir, str(tmp_path / "file" / "run"), strategy.make("one"))


def without_a_gradient(config: Config) -> keras.Model:
    """A network whose output is finite and whose gradient is 0 / 0."""
    luminance = keras.Input((config.resolution, config.resolution, 1))
    features = keras.layers.Conv2D(2, 3, padding="same", kernel_initializer="ones")(luminance)
    return keras.Model(luminance, features + keras.ops.sqrt(keras.ops.square(0.0 * features)))


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_a_gradient_that_is_not_a_number_stops_the_run_at_its_step(data_dir, tmp_path, monkeypatch, clip_norm):
    monkeypatch.setitem(networks.NETWORKS, "without_a_gradient", without_a_gradient)
    config = dataclasses.replace(TINY, network="without_a_gradient", clip_norm=clip_norm)
    one = strategy.make("one")
    with pytest.raises(
        UserError, match=r"weights are not finite at step 1, on \w+-\d\.png, .*learning_rate .*another --output"
    ):
        trainer.train(config, data_dir, str(tmp_path), one)
    assert not (tmp_path / "checkpoints").exists()
    trained = learner.Learner(config, one, losses.make(config), 100)
    batches = inputs.training(data_dir, config, inputs.describe(data_dir, config), 0)(tf.distribute.InputContext())
    total, made, is_sound = trained.train(iter(batches), tf.constant(5))
    assert (bool(np.isfinite(total)), int(made), bool(is_sound)) == (True, 1, False)


def without_a_number(config: Config) -> keras.Model:
    luminance = keras.Input((config.resolution, config.resolution, 1))
    features = keras.layers.Conv2D(2, 3, padding="same")(luminance)
    return keras.Model(luminance, features + keras.ops.log(-1.0 - keras.ops.square(features)))


def test_a_loss_that_is_not_a_number_stops_the_run(data_dir, tmp_path, monkeypatch):
    monkeypatch.setitem(networks.NETWORKS, "without_a_number", without_a_number)
    config = dataclasses.replace(TINY, network="without_a_number")
    with pytest.raises(UserError, match=r"loss is nan at step 1, on \w+-\d\.png, .*learning_rate .*another --output"):
        trainer.train(config, data_dir, str(tmp_path), strategy.make("one"))


def test_a_learning_rate_that_is_far_too_high_stops_the_run(data_dir, tmp_path):
    config = dataclasses.replace(TINY, learning_rate=1e30, optimizer="adamw", weight_decay=1.0)
    with pytest.raises(
        UserError, match=r"(loss is|weights are) .* at step [23], on \w+-\d\.png, .*learning_rate .*another --output"
    ):
        trainer.train(config, data_dir, str(tmp_path), strategy.make("one"))
