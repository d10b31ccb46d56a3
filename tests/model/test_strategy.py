import json

import pytest
import tensorflow as tf
from training_run import CONFIG, assert_same

from model import inputs, strategy, trainer
from tfrecords.errors import UserError


@pytest.mark.parametrize("name", ["auto", "one", "default"])
def test_one_device_without_accelerators(name):
    assert strategy.make(name).num_replicas_in_sync == 1


def test_batches_are_sent_ahead_to_an_accelerator(data_dir, undisturbed, tmp_path):
    """The second logical device of the processor stands for the GPU of a machine with one."""
    made = strategy.one("CPU:1")
    batches = inputs.training(data_dir, CONFIG, inputs.describe(data_dir, CONFIG), 0)
    for part in next(iter(made.distribute_datasets_from_function(batches))):
        assert part.device.endswith("CPU:1")
    trainer.train(CONFIG, data_dir, str(tmp_path), made)
    assert_same(undisturbed, tmp_path)


def test_mirrored_takes_both_logical_devices():
    made = strategy.make("mirrored")
    assert isinstance(made, tf.distribute.MirroredStrategy)
    assert made.num_replicas_in_sync == 2
    assert strategy.is_chief(made)


@pytest.mark.parametrize(
    ("name", "message"),
    [("horovod", "choose one of auto"), ("tpu", "set TPU_NAME"), ("multiworker", "TF_CONFIG")],
)
def test_nonsense_and_what_is_not_there_are_refused(name, message, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    monkeypatch.delenv("TPU_NAME", raising=False)
    with pytest.raises(UserError, match=message):
        strategy.make(name)


@pytest.mark.parametrize("text", ["{", json.dumps({"cluster": ["a:1"]})])
def test_a_broken_tf_config_is_refused(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="TF_CONFIG"):
        strategy.make("auto")


def test_a_cluster_of_one_is_one_device(monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}})
    )
    assert strategy.make("auto").num_replicas_in_sync == 1
