"""Training in processes of their own: killed, or stopped by a signal."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from training_run import CONFIG, TOLERANCE, assert_same, lines

from model import strategy, trainer

ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parent}"}
CHILD = """
import sys, time
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from training_run import CONFIG
from model import loop, pace, strategy, trainer
loop.REPORT_SECONDS, pace.MOST_STEPS_A_CALL = 0.0, 1
def report(report):
    print(report.step, flush=True)
    time.sleep(0.3)
trainer.train(CONFIG, sys.argv[1], sys.argv[2], strategy.make("one"), checkpoint_minutes=0, on_report=report)
"""


def kill_after(step: int, data_dir: str, output: Path) -> None:
    """Train on and send SIGKILL as soon as the step is saved."""
    command = [sys.executable, "-c", CHILD, data_dir, str(output)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_sigterm_and_ctrl_c_save_and_end_and_the_same_command_goes_on(data_dir, tmp_path, number, code):
    command = [sys.executable, "-m", "model.train", f"--data={data_dir}", f"--output={tmp_path}"]
    command += ["--config=tiny:CONFIG", "--epochs=1000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
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
    config = dataclasses.replace(tiny.CONFIG, epochs=1_000_000)
    result = trainer.train(config, data_dir, str(tmp_path), strategy.make("one"), stop=lambda: True)
    assert result.step > lines(tmp_path)[0]["step"] > 0
