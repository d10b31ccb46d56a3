"""Training in processes of their own: killed, stopped by a signal, or one of two workers."""

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from training_run import CONFIG, SETTINGS, TOLERANCE, assert_same, lines

from model import strategy, trainer
from model.config import autoencoder, mini

CHILD = f"""
import sys, time
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from model import pace, strategy, trainer
from model.config import autoencoder, mini
made = strategy.make(sys.argv[1])  # Before any other use of TensorFlow: it may be of several workers.
trainer.REPORT_SECONDS, pace.MOST_STEPS_A_CALL = 0.0, 1
def report(report):
    print(report.step, flush=True)
    time.sleep(float(sys.argv[4]))
config = mini(autoencoder()).override({SETTINGS})
trainer.train(config, sys.argv[2], sys.argv[3], made, checkpoint_minutes=0, on_report=report)
"""


def start(name: str, data_dir: str, output: Path, pause_s: float, **environment: str) -> subprocess.Popen:
    """A process that trains CONFIG, one step a call, saves after each and then prints its number."""
    command = [sys.executable, "-c", CHILD, name, data_dir, str(output), str(pause_s)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


def kill_after(step: int, data_dir: str, output: Path) -> None:
    """Train on and send SIGKILL as soon as the step is saved."""
    with start("one", data_dir, output, pause_s=0.3) as process:
        assert process.stdout
        seen = next((line for line in process.stdout if int(line) >= step), None)
        process.kill()
        assert seen is not None, process.communicate()[1][-2000:]


def test_a_run_killed_twice_goes_on_to_the_same_weights(data_dir, undisturbed, tmp_path):
    """SIGKILL, SIGKILL, a torn checkpoint; then on one device bitwise the same, on two almost."""
    output = tmp_path / "run"
    kill_after(3, data_dir, output)
    kill_after(5, data_dir, output)
    assert not (output / "saved_model").exists()
    # What a run writes between its last checkpoint and its death is measured again.
    with (output / "metrics.jsonl").open("a") as file:
        file.write('{"step": 8, "loss": 1}\n{"step": 9, "lo')
    shutil.copytree(output, tmp_path / "mirrored")
    newest, before = sorted((output / "checkpoints").glob("ckpt-*.data-*"), reverse=True)
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    reports = []
    trainer.train(CONFIG, data_dir, str(output), strategy.make("one"), on_report=reports.append)
    assert f"ckpt-{reports[0].step}.data" in before.name
    assert [Path(path).name for path in reports[0].torn] == [newest.name.partition(".")[0]]
    assert_same(undisturbed, output)
    steps = [line["step"] for line in lines(output)]
    assert steps == sorted(set(steps))
    trainer.train(CONFIG, data_dir, str(tmp_path / "mirrored"), strategy.make("mirrored"))
    assert_same(undisturbed, tmp_path / "mirrored", TOLERANCE)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def test_two_workers_make_the_weights_of_one_device(data_dir, undisturbed, tmp_path):
    addresses = [f"localhost:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        processes.append(start("auto", data_dir, tmp_path, 0, TF_CONFIG=json.dumps(task)))
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors[-3000:]
    assert_same(undisturbed, tmp_path, TOLERANCE)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_sigterm_and_ctrl_c_save_and_end_and_the_same_command_goes_on(data_dir, tmp_path, number, code):
    command = [sys.executable, "-m", "model.train", f"--data={data_dir}", f"--output={tmp_path}"]
    command += ["--config=autoencoder_mini", "--epochs=1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        first = process.stderr.readline()
        process.send_signal(number)
        out, errors = process.communicate()
    assert "step 0/" in first
    assert process.returncode == code
    assert out == ""
    assert "stopped at step" in errors.splitlines()[-1]
    assert ("saving a checkpoint; Ctrl-C again quits at once" in errors) == (number == signal.SIGINT)
    assert "Traceback" not in errors
    assert not (tmp_path / "saved_model").exists()
    config = dataclasses.replace(mini(autoencoder()), epochs=1_000_000)
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), stop=lambda: True)
    assert result.step > lines(tmp_path)[0]["step"] > 0
