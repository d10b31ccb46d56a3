"""`prepare` on a disk that fails, for a moment or for longer: nothing is recorded that a quiet run would not record."""

from pathlib import Path

import pytest
from disk_faults import DiskFaults, run
from prepare_job import digests

from pipelines import prepare

FLAGS = ("--size=32", "--num_shards=2", "--validation_percent=20")
PASSING = ["EIO", "EMFILE", "ENFILE", "ESTALE", "ENOMEM", "ETIMEDOUT", "EAGAIN", "ENOTCONN"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos, encoded) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for name, pixels in photos.items():
        (root / name).mkdir()
        for index in range(4):
            crop = pixels[20 * index : 20 * index + 100, 30 * index : 30 * index + 100]
            (root / name / f"{index}.jpg").write_bytes(encoded(crop, "JPEG"))
    (root / "empty.jpg").write_bytes(b"")
    return root


def without_progress(stderr: str) -> list[str]:
    """The lines of standard error; on a slow machine some of them tell the progress."""
    return [line for line in stderr.splitlines() if not line.startswith("preparing: ")]


@pytest.fixture(scope="module")
def undisturbed(tree, tmp_path_factory) -> dict[str, str]:
    output = tmp_path_factory.mktemp("undisturbed") / "records"
    assert prepare.main([f"--input={tree}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0
    return digests(output)


def test_reads_that_fail_for_a_moment_change_no_byte(tree, undisturbed, tmp_path):
    (tmp_path / "counts").mkdir()
    faults = DiskFaults(tmp_path / "counts", rf"^{tree}(/|$)", PASSING, times=2)
    output = tmp_path / "records"
    done = run(
        ["prepare", f"--input={tree}", f"--output={output}", *FLAGS, "--direct_num_workers=2"], faults.environment
    )
    assert (done.returncode, without_progress(done.stderr)) == (0, [])
    assert digests(output) == undisturbed
    assert faults.met() > 30
