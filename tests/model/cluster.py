"""Workers on this machine, each started again by deploy/training/vm.sh until it is done; one of them is killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from training_run import free_addresses

SCRIPT = Path(__file__).parents[2] / "deploy" / "training" / "vm.sh"
KILLED_AT = 4

# One step a call, a checkpoint after each; each step's number goes to the worker's log, where the parent waits for it.
CHILD = """
import os, sys
import tiny
from model import loop, pace, strategy, trainer
made = strategy.make("auto")
loop.REPORT_SECONDS, pace.MOST_STEPS_A_CALL = 0.0, 1
print("pid", os.getpid(), flush=True)
config = tiny.CONFIG.override({settings})
trainer.train(config, sys.argv[1], sys.argv[2], made, checkpoint_minutes=0,
              on_report=lambda report: print("step", report.step, flush=True))
"""


def train_and_kill_one(workers: int, settings: Sequence[str], data_dir: str, folder: Path) -> Path:
    """Sends SIGKILL to the last worker in the middle of the run, and waits until all have started again and are done.

    Args:
        workers: how many.
        settings: that are set in the configuration.
        data_dir: the prepared set.
        folder: an empty one.

    Returns:
        The output folder of the run.
    """
    processes: list[subprocess.Popen[str]] = []
    try:
        return _trained(processes, workers, settings, data_dir, folder)
    finally:  # also of a test that is told to end: the script would start its worker again and again
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _trained(
    processes: list[subprocess.Popen[str]], workers: int, settings: Sequence[str], data_dir: str, folder: Path
) -> Path:
    program, output = folder / "bin" / "docker", folder / "run"
    program.parent.mkdir()
    (folder / "child.py").write_text(CHILD.format(settings=list(settings)))
    program.write_text(f'#!/bin/bash\nexec "{sys.executable}" "{folder}/child.py" "{data_dir}" "{output}"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "RETRY_SECONDS": "0"}
    environment["PYTHONPATH"] = f"{SCRIPT.parents[2]}:{Path(__file__).parent}"
    cluster, last = {"worker": free_addresses(workers)}, workers - 1
    for index in range(workers):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        with (folder / f"{index}.log").open("w") as log:
            processes.append(
                subprocess.Popen(
                    [str(SCRIPT), "image", data_dir, str(output)],
                    env=environment | {"TF_CONFIG": json.dumps(task)},
                    stdout=subprocess.PIPE if index == last else log,
                    stderr=log,
                    text=True,
                    start_new_session=True,
                )
            )
    victim = processes[last]
    assert victim.stdout
    pid = int(victim.stdout.readline().split()[1])
    while victim.stdout.readline() != f"step {KILLED_AT}\n":
        assert victim.poll() is None, (folder / f"{last}.log").read_text()[-3000:]
    os.kill(pid, signal.SIGKILL)
    told = victim.stdout.read()
    for index, process in enumerate(processes):
        assert process.wait() == 0, (folder / f"{index}.log").read_text()[-3000:]
    # The chief may have been killed, with the others, before its last checkpoint was whole.
    resumed = told.rpartition("pid")[2].splitlines()[1]
    assert int(resumed.removeprefix("step ")) >= KILLED_AT - 1
    return output
