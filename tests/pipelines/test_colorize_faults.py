"""`colorize` on a disk that fails, for a moment or for longer, while it reads sources and what it wrote before."""

import json
import re
import shutil
from pathlib import Path

import pytest
from disk_faults import PASSING, WRITES, DiskFaults, run
from photo_files import write_crops
from prepare_job import digests

from pipelines import colorize

CHANGING = ("manifest/last_run.json", "manifest/timings-", "manifest/runs.json", "manifest/lease")


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos, encoded) -> Path:
    return write_crops(tmp_path_factory.mktemp("photos"), photos, encoded, 2)


def flags(tree: Path, output: Path, model: str) -> list[str]:
    return [f"--input={tree}", f"--output={output}", f"--model={model}", "--direct_num_workers=1"]


def what_stays(output: Path) -> dict[str, str]:
    return {name: digest for name, digest in digests(output).items() if not name.startswith(CHANGING)}


@pytest.fixture(scope="module")
def quiet(tree, saved_model_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("quiet") / "colour"
    assert colorize.main(flags(tree, output, saved_model_dir)) == 0
    return output


@pytest.fixture
def half_done(quiet, tmp_path) -> Path:
    """A copy of the output, whose files have other times and must be read again; one photo is missing."""
    output = tmp_path / "colour"
    shutil.copytree(quiet, output, copy_function=shutil.copyfile)
    (output / "coffee" / "1.jpg").unlink()
    return output


def test_reads_that_fail_for_a_moment_change_no_byte_and_make_nothing_again(
    tree, quiet, half_done, saved_model_dir, tmp_path_factory
):
    folders = rf"^({tree}/coffee|{half_done}/(\w+/\d|manifest/photos-))"
    faults = DiskFaults(tmp_path_factory.mktemp("counts"), folders, PASSING, times=2)
    done = run(["colorize", *flags(tree, half_done, saved_model_dir)], faults.environment)
    assert done.returncode == 0, done.stderr
    assert what_stays(half_done) == what_stays(quiet)
    last = json.loads((half_done / "manifest" / "last_run.json").read_text())
    assert (last["made"], last["found"]) == (1, 7)
    assert faults.met() > 15


def test_an_output_that_cannot_be_read_stops_the_run_and_is_not_made_again(
    tree, quiet, half_done, saved_model_dir, tmp_path_factory
):
    before = (half_done / "rocket" / "0.jpg").stat()
    faults = DiskFaults(tmp_path_factory.mktemp("counts"), rf"^{half_done}/rocket/0", times=999, is_brief=True)
    done = run(["colorize", *flags(tree, half_done, saved_model_dir)], faults.environment)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert re.match(rf"autochrome: error: the job failed: {half_done}/rocket/0.jpg could not be read for ", line)
    assert (half_done / "rocket" / "0.jpg").stat().st_ino == before.st_ino
    assert colorize.main(flags(tree, half_done, saved_model_dir)) == 0
    assert what_stays(half_done) == what_stays(quiet)


def writes(tmp_path_factory, match: str, **how: object) -> DiskFaults:
    """Faults of writing; outputs are written through the descriptors of their folders."""
    return DiskFaults(tmp_path_factory.mktemp("counts"), match, events=WRITES, **how)


def test_writes_that_fail_for_a_moment_change_no_byte(tree, quiet, saved_model_dir, tmp_path, tmp_path_factory):
    output = tmp_path / "colour"
    faults = writes(tmp_path_factory, rf"^({output}|/proc/self/fd/\d+/)", errors=PASSING, times=1)
    done = run(["colorize", *flags(tree, output, saved_model_dir)], faults.environment)
    assert done.returncode == 0, done.stderr
    assert what_stays(output) == what_stays(quiet)
    assert not [path for path in output.rglob("*") if path.name.endswith((".part", "lease.json"))]
    last = json.loads((output / "manifest" / "last_run.json").read_text())
    assert (last["made"], last["found"]) == (8, 0)
    assert faults.met() > 40


def test_writes_that_fail_for_long_stop_the_run_and_reject_nothing(
    tree, quiet, saved_model_dir, tmp_path, tmp_path_factory
):
    output = tmp_path / "colour"
    (output / "rocket").mkdir(parents=True)
    faults = writes(tmp_path_factory, r"/\.0\.jpg\.", times=999, is_brief=True)
    done = run(["colorize", *flags(tree, output, saved_model_dir)], faults.environment)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert re.match(
        rf"autochrome: error: the job failed: {output}/\w+/0.jpg could not be written for 1 second: Input/output", line
    )
    assert not list(output.rglob("0.jpg"))
    assert colorize.main(flags(tree, output, saved_model_dir)) == 0
    assert what_stays(output) == what_stays(quiet)
