import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from training_run import CONFIG, SETTINGS, free_addresses

from model import agreement, strategy, trainer
from tfrecords.errors import UserError

NAMES = ["chief 0", "worker 0", "worker 1"]


def test_workers_that_restored_the_same_state_may_train():
    agreement.compare(np.array([[7, 11], [7, 11], [7, 11]]), NAMES)


def test_the_first_worker_at_another_step_is_named():
    with pytest.raises(UserError, match=r"worker 1 starts at step 0 and chief 0 at step 7; give all .* the same"):
        agreement.compare(np.array([[7, 11], [7, 11], [0, 12]]), NAMES)


def test_the_first_worker_with_other_weights_is_named():
    with pytest.raises(UserError, match="worker 0 and chief 0 start at step 7 with different weights; give all"):
        agreement.compare(np.array([[7, 11], [7, 12], [7, 12]]), NAMES)


def test_each_worker_may_have_several_devices():
    rows = np.array([[7, 11], [7, 11], [7, 11], [7, 11], [8, 11], [8, 11]])
    with pytest.raises(UserError, match="worker 1 starts at step 8"):
        agreement.compare(rows, NAMES)


def test_the_checksum_is_of_all_bytes_in_their_order():
    one, two = np.arange(6, dtype=np.float32), np.ones((2, 3), np.int64)
    assert agreement.checksum([one, two]) == agreement.checksum([one.copy(), two.copy()])
    assert len({agreement.checksum(arrays) for arrays in ([one, two], [two, one], [one + 1e-6, two], [one])}) == 4


def test_workers_that_read_different_folders_are_refused(data_dir, tmp_path):
    """One of two has the run's checkpoint, the other one an empty folder."""
    assert trainer.train(CONFIG, data_dir, str(tmp_path / "0"), strategy.make("one"), stop=lambda: True).interrupted
    cluster, here = {"worker": free_addresses(2)}, Path(__file__).parent
    processes = []
    for index in range(2):
        command = [sys.executable, "-m", "model.train", f"--data={data_dir}", f"--output={tmp_path / str(index)}"]
        command += ["--config=tiny:CONFIG", *(f"--set={setting}" for setting in SETTINGS)]
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task), "PYTHONPATH": f"{here.parents[1]}:{here}"}
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    for process in processes:
        _, errors = process.communicate()
        assert "worker 1 starts at step 0 and worker 0 at step 1; give all workers the same" in errors
        assert "Traceback" not in errors
        assert process.returncode == 2
    assert not (tmp_path / "0" / "saved_model").exists()
