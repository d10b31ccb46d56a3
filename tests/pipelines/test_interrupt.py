"""Ctrl-C in the middle of a job: one line and 130, no process and no unfinished file left, and the next run goes on."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines import colorize

PHOTOS = 30
THREADS = ["--direct_num_workers=2", "--direct_running_mode=multi_threading"]
PROCESS = ["--direct_num_workers=1", "--direct_running_mode=multi_processing"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory, photos, encoded) -> Path:
    """Enough photos to keep a job busy for some seconds, no two with the same bytes."""
    folder = tmp_path_factory.mktemp("photos")
    data = encoded(photos["rocket"], "PNG")
    for index in range(PHOTOS):
        (folder / f"{index:02d}.png").write_bytes(data + bytes([index]))
    return folder


class Terminal:
    """What a process writes to a terminal; colours and movements of the cursor are left out."""

    def __init__(self) -> None:
        ours, self.theirs = os.openpty()
        self._written = b""
        self._reader = threading.Thread(target=self._read, args=[ours], daemon=True)
        self._reader.start()

    def _read(self, descriptor: int) -> None:
        with contextlib.suppress(OSError), os.fdopen(descriptor, "rb", buffering=0) as file:
            while some := file.read(1 << 16):
                self._written += some

    def text(self) -> str:
        """Everything, when the process has ended."""
        os.close(self.theirs)
        self._reader.join()
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "\n", self._written.decode())


@pytest.fixture
def start(photos, tmp_path, saved_model_dir) -> Iterator[Callable[..., tuple[subprocess.Popen, Terminal]]]:
    """The function that starts a command with flags, in a session of its own, and a terminal for what it says."""
    started = []

    def run(command: str, *flags: str) -> tuple[subprocess.Popen, Terminal]:
        terminal = Terminal()
        model = [f"--model={saved_model_dir}"] if command == "colorize" else ["--size=64", "--num_shards=4"]
        argv = [sys.executable, "-m", "pipelines.cli", command, f"--input={photos}", f"--output={tmp_path}/out"]
        process = subprocess.Popen(
            [*argv, *model, *flags],
            stdout=subprocess.DEVNULL,
            stderr=terminal.theirs,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(temporary), "TERM": "xterm", "COLUMNS": "200"},
        )
        started.append(process)
        return process, terminal

    temporary = tmp_path / "tmp"
    temporary.mkdir()
    yield run
    for process in started:
        process.kill()
        process.wait()


def at_work(output: Path) -> bool:
    """Whether the workers have begun to write photos or shards."""
    names = [name for _, _, names in os.walk(output) for name in names]
    return any(name.endswith((".png", ".tfrecord")) or ".tfrecord." in name for name in names)


def in_session(session: int) -> list[str]:
    """The command lines of the processes of a session that are alive."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, *fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == session and state not in "ZX":
                alive.append(stat.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return alive


BUSY = """
import os, signal, sys, threading
from pathlib import Path
from pipelines.files import local_files
from pipelines.runtime import commands

def write(begun):
    with local_files.whole_file(Path(sys.argv[1]) / "thumbnail.jpg") as file:
        file.write(b"half")
        begun.set()
        threading.Event().wait()

def main(argv):
    begun = threading.Event()
    threading.Thread(target=write, args=[begun]).start()
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)
    return 0

sys.exit(commands.run(main, []))
"""


def test_a_command_with_busy_threads_ends_at_once_and_leaves_nothing_half_written(tmp_path):
    """As `report` and `plan` have them, which run no job."""
    done = subprocess.run([sys.executable, "-c", BUSY, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "autochrome: interrupted\n")
    assert not list(tmp_path.iterdir())


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits, if need be until the time of the test is over."""
    while not condition():
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("command", "flags", "to", "goes_on"),
    [
        ("colorize", [], os.killpg, True),
        ("colorize", PROCESS, os.kill, False),
        ("prepare", [], os.killpg, False),
        ("prepare", THREADS, os.kill, False),
    ],
)
def test_ctrl_c_ends_a_job_in_one_line_with_nothing_left_behind(
    start, photos, saved_model_dir, tmp_path, command, flags, to, goes_on
):
    output = tmp_path / "out"
    process, terminal = start(command, *flags)
    while not at_work(output):
        assert process.poll() is None, terminal.text()
        time.sleep(0.01)
    # As a terminal does it: to the launcher and its workers; or as `kill -INT` does it, to the launcher alone.
    to(process.pid, signal.SIGINT)
    code, told = process.wait(), terminal.text()
    assert code == 130, told
    *progress, last = filter(None, map(str.strip, told.splitlines()))
    assert last == "autochrome: interrupted"
    shown = r"autochrome: starting|(coloriz|prepar)ing|[━╸╺\d/?:.s -]+|.*\d rejected"
    assert all(re.fullmatch(shown, line) for line in progress), [
        line for line in progress if not re.fullmatch(shown, line)
    ]
    # What the launcher started has ended, or, where the kernel ends it with its parent, is about to.
    wait_until(lambda: not in_session(process.pid))
    assert not list((tmp_path / "tmp").iterdir())
    left = [path for path in output.rglob("*") if path.name.endswith(".part") or path.name == "lease.json"]
    assert not left
    if goes_on:
        assert colorize.main([f"--input={photos}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
        assert json.loads((output / "report.json").read_text())["outcomes"] == {"written": PHOTOS}
