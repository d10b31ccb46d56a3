"""A full disk, which a limit on the size of files stands for: the kernel refuses the write in the same place."""

import contextlib
import resource

import pytest
import tensorflow as tf
from test_checkpoints import restored, saved
from test_jax_checkpoints import LIKE
from training_run import CONFIG, assert_same

from model import jax_checkpoints, metrics_log, strategy, trainer, weights, writing
from tfrecords.errors import DeniedError, OutageError

FULL = r"cannot be written \(File too large\); start the same command again when it can"


@contextlib.contextmanager
def files_of_at_most(size: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("size", "what"), [(20_000, "tensorboard"), (200_000, "saved_model")])
def test_a_full_disk_stops_a_run_in_one_line_and_the_same_command_continues(
    data_dir, undisturbed, tmp_path, size, what
):
    def fill(report):
        if report.step >= 4:  # later than what TensorFlow itself writes when it traces functions
            full.enter_context(files_of_at_most(size))

    with contextlib.ExitStack() as full, pytest.raises(OutageError, match=f"{tmp_path}/{what} {FULL}"):
        trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"), checkpoint_minutes=0, on_report=fill)
    assert not (tmp_path / "saved_model").exists()
    trainer.train(CONFIG, data_dir, str(tmp_path), strategy.make("one"))
    assert_same(undisturbed, tmp_path)


def test_a_checkpoint_that_finds_no_room_leaves_the_one_before(tmp_path):
    state, _ = saved(tmp_path, 3)
    state.step.assign(4)
    with files_of_at_most(10), pytest.raises(OutageError, match=f"{tmp_path}/checkpoints {FULL}"):
        state.save()
    assert int(restored(tmp_path)[0].step) == 3


def test_a_checkpoint_on_jax_that_finds_no_room_leaves_the_one_before(tmp_path):
    checkpoints = jax_checkpoints.Checkpoints(str(tmp_path))
    checkpoints.save(jax_checkpoints.Figures(step=3), LIKE)
    with files_of_at_most(10), pytest.raises(OutageError, match=f"{tmp_path}/checkpoints {FULL}"):
        checkpoints.save(jax_checkpoints.Figures(step=4), LIKE)
    figures, _ = jax_checkpoints.Checkpoints(str(tmp_path)).restore(LIKE)
    assert figures.step == 3


def test_a_line_of_the_log_that_finds_no_room_is_told(tmp_path):
    log = metrics_log.Metrics(str(tmp_path), 0)
    with files_of_at_most(10), pytest.raises(OutageError, match=f"{tmp_path}/metrics.jsonl {FULL}"):
        log.add({"step": 1, "loss": 0.5})


def test_weights_that_find_no_room_are_told(tmp_path):
    found = weights.Weights(config=CONFIG, arrays=list(LIKE), data={}, training={})
    with files_of_at_most(10), pytest.raises(OutageError, match=f"{tmp_path}/weights.npz {FULL}"):
        weights.write(tmp_path / "weights.npz", found)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), tf.errors.PermissionDeniedError(None, None, "run; Denied")]
)
def test_denied_access_is_not_an_outage(error):
    denied = pytest.raises(DeniedError, match=r"run cannot be written \((Permission d|D)enied\); allow it")
    with denied, writing.named("run"):
        raise error
