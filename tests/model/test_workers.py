"""Workers on this machine, each started again by deploy/training/vm.sh until it is done."""

import pytest
import tiny
from cluster import train_and_kill_one
from training_run import SETTINGS, TOLERANCE, assert_same

from model import strategy, trainer


def test_a_worker_that_is_killed_starts_again_and_both_make_the_weights_of_one_device(data_dir, undisturbed, tmp_path):
    """SIGKILL to one of two: the other one ends as well, and both start again."""
    assert_same(undisturbed, train_and_kill_one(2, SETTINGS, data_dir, tmp_path), TOLERANCE)


@pytest.mark.chaos
def test_of_three_workers_the_two_that_are_left_end_and_start_again(data_dir, tmp_path):
    """The batches and the examples are divided by three."""
    settings = ["batch_size=3", "epochs=3", "validate_every=9"]
    output = train_and_kill_one(3, settings, data_dir, tmp_path)
    trainer.train(tiny.CONFIG.override(settings), data_dir, str(tmp_path / "one"), strategy.make("one"))
    assert_same(tmp_path / "one", output, TOLERANCE)
