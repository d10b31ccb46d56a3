"""Three workers on this machine, each started again by deploy/training/vm.sh until it is done."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from model import strategy, trainer
from model.config import autoencoder, mini
from model.saved_model import FOLDER

SCRIPT = Path(__file__).parents[2] / "deploy" / "training" / "vm.sh"
SETTINGS = ["batch_size=3", "epochs=3", "validate_every=9"]
WORKERS = 3
KILLED_AT = 4
TOLERANCE = 1e-4

# One step a call, a checkpoint after each; each step's number goes to the worker's log, where the test waits for it.
CHILD = f"""
import os, sys
from model import pace, strategy, trainer
from model.config import autoencoder, mini
made = strategy.make("auto")
trainer.REPORT_SECONDS, pace.MOST_STEPS_A_CALL = 0.0, 1
print("pid", os.getpid(), flush=True)
config = mini(autoencoder()).override({SETTINGS})
trainer.train(config, sys.argv[1], sys.argv[2], made, checkpoint_minutes=0,
              on_report=lambda report: print("step", report.step, flush=True))
"""


def addresses() -> list[str]:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(WORKERS)]
    found = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def weights(output: Path) -> list[np.ndarray]:
    loaded = tf.saved_model.load(str(output / FOLDER))
    return [variable.numpy() for variable in loaded.signatures["serving_default"].variables]


def test_a_worker_that_is_killed_starts_again_and_all_go_on(data_dir, tmp_path):
    """SIGKILL to one of three: the other two end as well, all start again, and the weights are those of one device."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    (tmp_path / "child.py").write_text(CHILD)
    program.write_text(f'#!/bin/bash\nexec "{sys.executable}" "{tmp_path}/child.py" "{data_dir}" "{tmp_path}/run"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "RETRY_SECONDS": "0"}
    environment["PYTHONPATH"] = str(SCRIPT.parents[2])
    cluster, command = {"worker": addresses()}, [str(SCRIPT), "image", data_dir, str(tmp_path / "run")]
    processes = []
    for index in range(WORKERS):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        with (tmp_path / f"{index}.log").open("w") as log:
            processes.append(
                subprocess.Popen(
                    command,
                    env=environment | {"TF_CONFIG": json.dumps(task)},
                    stdout=subprocess.PIPE if index == 2 else log,
                    stderr=log,
                    text=True,
                )
            )
    victim = processes[2]
    assert victim.stdout
    pid = int(victim.stdout.readline().split()[1])
    while victim.stdout.readline() != f"step {KILLED_AT}\n":
        assert victim.poll() is None, (tmp_path / "2.log").read_text()[-3000:]
    os.kill(pid, signal.SIGKILL)
    told = victim.stdout.read()
    for index, process in enumerate(processes):
        assert process.wait() == 0, (tmp_path / f"{index}.log").read_text()[-3000:]
    # The chief may have been killed, with the others, before its last checkpoint was whole.
    resumed = told.rpartition("pid")[2].splitlines()[1]
    assert int(resumed.removeprefix("step ")) >= KILLED_AT - 1
    trainer.train(mini(autoencoder()).override(SETTINGS), data_dir, str(tmp_path / "one"), strategy.make("one"))
    for one, several in zip(weights(tmp_path / "one"), weights(tmp_path / "run"), strict=True):
        np.testing.assert_allclose(several, one, rtol=0, atol=TOLERANCE)
