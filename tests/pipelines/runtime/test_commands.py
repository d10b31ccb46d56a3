import errno
import subprocess
import sys

import pytest

from pipelines import notices
from pipelines.errors import JobFailedError, ModelError
from pipelines.runtime import commands
from tfrecords.errors import DeniedError, OutageError, UserError


def test_bytes_are_said_with_three_digits():
    numbers = (0, 999, 999.6, 1000, 999_700, 1_234_567, 5.6e9, 2e12, 1.5e15)
    said = ["0 bytes", "999 bytes", "1 kB", "1 kB", "1 MB", "1.23 MB", "5.6 GB", "2 TB", "1,500 TB"]
    assert [commands.in_bytes(number) for number in numbers] == said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("no such folder"), 2),
        (DeniedError("gs://b is forbidden"), 2),
        (OutageError("gs://b does not answer"), 1),
        (ModelError("not finite numbers"), 1),
        (JobFailedError("the job failed: of this"), 1),
    ],
)
def test_every_failure_is_one_line_and_its_exit_code(error, code, capsys):
    def fails(argv: list[str] | None) -> int:
        raise error

    assert commands.run(fails, []) == code
    assert capsys.readouterr() == ("", f"autochrome: error: {error}\n")


@pytest.mark.parametrize(
    ("about", "said"),
    [
        (
            (errno.EACCES, "Permission denied", "colour/runs.json"),
            "colour/runs.json: access is denied (Permission denied)",
        ),
        (("a lock is held",), "access is denied (a lock is held)"),
    ],
)
def test_a_file_that_may_not_be_read_is_named_in_one_line(about, said, capsys):
    def fails(argv: list[str] | None) -> int:
        raise PermissionError(*about)

    assert commands.run(fails, []) == 2
    said += "; grant access, then start again"
    assert capsys.readouterr() == ("", f"autochrome: error: {said}\n")


def test_a_fault_of_the_program_is_not_hidden():
    def fails(argv: list[str] | None) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commands.run(fails, [])


def test_a_command_has_its_arguments_its_code_and_a_terminal(capsys):
    def main(argv: list[str] | None) -> int:
        notices.tell("a", f"said {argv}")
        return 7

    assert commands.run(main, ["--a"]) == 7
    assert capsys.readouterr().err == "autochrome: said ['--a']\n"


HALF_WRITTEN = """
import sys, threading
from pathlib import Path
from pipelines.files import local_files
from pipelines.runtime import commands
begun = threading.Event()
def write(folder):
    with local_files.whole_file(Path(folder) / "a.jpg") as file:
        file.write(b"half"); file.flush(); begun.set()
        threading.Event().wait()
def main(argv):
    threading.Thread(target=write, args=argv).start()
    begun.wait(); print(len(list(Path(argv[0]).iterdir())), flush=True)
    raise KeyboardInterrupt
sys.exit(commands.run(main, sys.argv[1:]))
"""


def test_ctrl_c_is_130_and_leaves_nothing_half_written_by_other_threads(tmp_path):
    run = subprocess.run([sys.executable, "-c", HALF_WRITTEN, tmp_path], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "1\n", "autochrome: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_module_is_run_by_its_name():
    run = subprocess.run(
        [sys.executable, "-c", "from pipelines.runtime.commands import run_module; run_module('pipelines.inspect')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("autochrome: error: inspect needs ")
    assert run.stderr.count("\n") == 1
