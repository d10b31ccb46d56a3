import os
import subprocess
import sys
import time
from pathlib import Path

import apache_beam as beam
import pytest

from pipelines.runtime import local_run, runners


def test_a_run_that_goes_well_leaves_nothing_of_what_it_wrote(capfd):
    with local_run.stderr_set_aside() as path:
        os.write(2, b"a remark of a C library\n")
        assert "remark" in path.read_text()
    assert not path.exists()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_failure_leaves_the_file_with_everything_and_its_traceback(capfd):
    where: list[Path] = []

    def fails() -> None:
        with local_run.stderr_set_aside() as path:
            where.append(path)
            os.write(2, b"a remark\n")
            raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError):
        fails()
    text = where[0].read_text()
    where[0].unlink()
    assert text.startswith("a remark\n")
    assert text.rstrip().endswith("ZeroDivisionError: by zero")
    assert capfd.readouterr().err == ""


class Double(beam.PTransform):
    """root → a file with twice each number, by the worker's process."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = str(folder)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        folder = self._folder

        # A function of its own, which travels to the workers whole: they cannot import this module.
        def write(number: int) -> None:
            program = sys.modules["__main__"].__spec__
            made = Path(folder) / f"{2 * number}-{os.getpid()}"
            made.write_text(program.name if program else "")

        return root | beam.Create([1, 2, 3]) | beam.Reshuffle() | beam.Map(write)


@pytest.mark.parametrize(("workers", "own"), [("1", True), ("2", False)])
def test_a_job_runs_here_or_in_worker_processes(tmp_path, workers, own):
    mode = [] if own else ["--direct_running_mode=multi_processing"]
    options = runners.beam_options([f"--direct_num_workers={workers}", *mode])
    local_run.run(Double(tmp_path), options)
    made = [path.name.split("-") for path in tmp_path.iterdir()]
    if not own:
        assert {path.read_text() for path in tmp_path.iterdir()} == {"pipelines.runtime.local_worker"}
    assert sorted(number for number, _ in made) == ["2", "4", "6"]
    assert ({pid for _, pid in made} == {str(os.getpid())}) == own


def test_ctrl_c_ends_a_run_and_its_workers(tmp_path):
    code = """
import os, signal, sys, threading, time
from pathlib import Path
import apache_beam as beam
from pipelines.runtime import local_run, runners
folder = Path(sys.argv[1])
def work(number):
    (folder / str(os.getpid())).touch()
    time.sleep(600)
def interrupt():
    while not list(folder.iterdir()): time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
class Job(beam.PTransform):
    def expand(self, root): return root | beam.Create([1, 2]) | beam.Reshuffle() | beam.Map(work)
threading.Thread(target=interrupt, daemon=True).start()
try: local_run.run(Job(), runners.beam_options(["--direct_num_workers=2", "--direct_running_mode=multi_processing"]))
except KeyboardInterrupt: print("interrupted", flush=True); os._exit(130)
"""
    run = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (130, "interrupted\n"), run.stderr
    [*workers] = tmp_path.iterdir()
    for worker in workers:
        while Path(f"/proc/{worker.name}").exists():
            time.sleep(0.05)  # the worker hears of the end of its launcher
