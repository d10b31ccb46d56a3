"""`prepare` on a disk that fails, for a moment or for longer: nothing is recorded that a quiet run would not record."""

import re
from pathlib import Path

import messages
import pytest
from disk_faults import PASSING, WRITES, DiskFaults, run
from photo_files import write_crops
from prepare_job import digests

from pipelines import prepare
from tfrecords.description import FILE_NAME

FLAGS = ("--size=32", "--num_shards=2", "--validation_percent=20")


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos, encoded) -> Path:
    root = write_crops(tmp_path_factory.mktemp("photos"), photos, encoded, 4)
    (root / "empty.jpg").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def undisturbed(tree, tmp_path_factory) -> dict[str, str]:
    output = tmp_path_factory.mktemp("undisturbed") / "records"
    assert prepare.main([f"--input={tree}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0
    return digests(output)


@pytest.fixture
def counts(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("counts")


def test_reads_that_fail_for_a_moment_change_no_byte(tree, undisturbed, tmp_path, counts):
    faults = DiskFaults(counts, rf"^{tree}(/|$)", PASSING, times=2)
    arguments = ["prepare", f"--input={tree}", f"--output={tmp_path}", *FLAGS, "--direct_num_workers=2"]
    done = run(arguments, faults.environment)
    assert (done.returncode, messages.lasting(done.stderr)) == (0, [])
    assert digests(tmp_path) == undisturbed
    assert faults.met() > 30


def test_a_process_without_descriptors_for_a_moment_changes_no_byte(tree, undisturbed, tmp_path, counts):
    faults = DiskFaults(counts, rf"^{tree}/.*/[13]\.jpg$", times=1, without_descriptors=0.3)
    arguments = ["prepare", f"--input={tree}", f"--output={tmp_path}", *FLAGS, "--direct_num_workers=1"]
    done = run(arguments, faults.environment)
    assert (done.returncode, messages.lasting(done.stderr)) == (0, [])
    assert digests(tmp_path) == undisturbed
    assert faults.met() == 8


@pytest.mark.parametrize(("without_descriptors", "said"), [(0.0, "Input/output error"), (60.0, "Too many open files")])
def test_faults_that_last_stop_the_run_and_record_nothing(
    tree, undisturbed, tmp_path, counts, without_descriptors, said
):
    faults = DiskFaults(
        counts, rf"^{tree}/coffee/2\.jpg$", times=999, without_descriptors=without_descriptors, is_brief=True
    )
    arguments = ["prepare", f"--input={tree}", f"--output={tmp_path}", *FLAGS, "--direct_num_workers=1"]
    stopped = run(arguments, faults.environment)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    (line,) = messages.lasting(stopped.stderr)
    # Another thread may meet it first, at a file of a shard.
    met = rf"({tree}|{tmp_path})/\S+ could not be (read|written) for 1 second: {said}; "
    assert re.match(f"autochrome: error: the job failed: {met}", line)
    assert not (tmp_path / FILE_NAME).exists()
    assert "unreadable" not in "".join(path.read_text() for path in tmp_path.glob("parts/*.tfrecord.json"))
    assert prepare.main(arguments[1:]) == 0
    assert digests(tmp_path) == undisturbed


def test_writes_that_fail_for_a_moment_change_no_byte(tree, undisturbed, tmp_path, counts):
    output = tmp_path / "records"
    match = rf"^({output}|/proc/self/fd/\d+/)"
    faults = DiskFaults(counts, match, PASSING, times=1, events=WRITES)
    arguments = ["prepare", f"--input={tree}", f"--output={output}", *FLAGS, "--direct_num_workers=2"]
    done = run(arguments, faults.environment)
    assert (done.returncode, messages.lasting(done.stderr)) == (0, [])
    assert digests(output) == undisturbed
    assert faults.met() > 15
