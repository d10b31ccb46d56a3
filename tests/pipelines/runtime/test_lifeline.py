"""Workers end with the process that launched them, whichever way it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.runtime import lifeline

WORKER = """
import os, sys, time
from pipelines.runtime import lifeline
lifeline.follow((lambda: os._exit(7)) if sys.argv[1] == "willing" else (lambda: None))
print("follows", flush=True)
time.sleep(600)
"""
LAUNCHER = """
import subprocess, sys
from pipelines.runtime import lifeline
with lifeline.held():
    subprocess.run([sys.executable, "-c", *sys.argv[1:]])
"""


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen]]:
    started: list[subprocess.Popen] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def worker(kind: str) -> subprocess.Popen:
    """A process that follows the lifeline that is held."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "follows\n"
    return process


def test_workers_are_gone_when_the_line_is_cut(workers):
    with lifeline.held() as line:
        workers += [worker("willing"), worker("willing")]
        line.cut()
        # Gone, though their parent has not asked for their ends yet.
        assert [Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split()[0] for one in workers] == [
            "Z",
            "Z",
        ]
    assert [one.wait() for one in workers] == [7, 7]


def test_a_worker_that_does_not_end_itself_is_killed(workers, monkeypatch):
    monkeypatch.setattr(lifeline, "_PATIENCE_S", 0.1)
    with lifeline.held():
        workers.append(worker("unwilling"))
    assert workers[0].wait() == -signal.SIGKILL


def test_workers_end_when_their_launcher_is_killed(workers):
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, WORKER, "willing"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    workers.append(launcher)
    assert launcher.stdout
    assert launcher.stdout.readline() == "follows\n"
    launcher.kill()
    launcher.wait()
    # The worker has the pipe open until it ends.
    assert launcher.stdout.read() == ""


def test_a_worker_that_starts_too_late_ends_at_once(workers, tmp_path, monkeypatch):
    monkeypatch.setenv(lifeline.VARIABLE, str(tmp_path / "gone"))
    process = subprocess.Popen([sys.executable, "-c", WORKER, "willing"], stdout=subprocess.PIPE, text=True)
    workers.append(process)
    assert process.wait() == 7


def test_nothing_is_left_of_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with lifeline.held():
        [folder] = tmp_path.iterdir()
        assert os.environ[lifeline.VARIABLE] == str(folder)
    assert lifeline.VARIABLE not in os.environ
    assert not list(tmp_path.iterdir())
