"""What becomes of files of earlier runs that a photo's new record does not name."""

import hashlib
from pathlib import Path

import pytest

from pipelines.archive import leftovers
from pipelines.archive.manifest import Left, Output, Record
from pipelines.archive.resume import File
from pipelines.runtime.outcomes import Status

OLD = b"what an earlier run wrote"
SHA256 = hashlib.sha256(OLD).hexdigest()
FILE = File(name="a.jpg", fingerprint="", digests=frozenset(["0" * 64, SHA256]))


def record(status: Status, *names: str) -> Record:
    outputs = tuple(
        Output(name=name, page=1, width=6, height=4, bytes=5, sha256="9f", tone="toned", colourfulness=31.2)
        for name in names
    )
    reason = "unreadable" if status == "rejected" else ""
    return Record(
        name="a.jpg",
        uri="/scans/a.jpg",
        offset=None,
        fingerprint="7-1",
        status=status,
        reason=reason,
        outputs=outputs,
        warnings=("exif",),
    )


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "a.jpg").write_bytes(OLD)
    return tmp_path


@pytest.mark.parametrize("status", ["written", "copied", "skipped"])
def test_a_file_of_an_earlier_run_is_removed(out, status):
    new = record(status, "a.jpg.png")
    assert leftovers.settle(new, [FILE], str(out)) == (new, 1)
    assert not (out / "a.jpg").exists()


@pytest.mark.parametrize(("status", "keep"), [("rejected", False), ("kept", False), ("written", True)])
def test_the_file_of_a_photo_that_is_not_made_stays_and_is_reported(out, status, keep):
    settled, removed = leftovers.settle(record(status, "a.jpg.png"), [FILE], str(out), keep=keep)
    assert (out / "a.jpg").read_bytes() == OLD
    assert removed == 0
    [before, told] = settled.warnings
    assert before == "exif"
    assert told == "a.jpg is still in the output; this run did not make it"
    assert settled.left == (Left("a.jpg", SHA256),)


@pytest.mark.parametrize("digests", [[], ["0" * 64]])
def test_a_file_with_other_bytes_than_those_recorded_stays_and_is_reported(out, digests):
    file = File(name="a.jpg", fingerprint="", digests=frozenset(digests))
    settled, removed = leftovers.settle(record("written", "a.jpg.png"), [file], str(out))
    assert (out / "a.jpg").read_bytes() == OLD
    assert (removed, settled.left) == (0, ())
    assert [warning.partition(" ")[0] for warning in settled.warnings] == ["exif", "a.jpg"]


def test_a_file_that_the_new_record_names_is_no_leftover(out):
    new = record("written", "a.jpg")
    assert leftovers.settle(new, [FILE], str(out)) == (new, 0)
    assert (out / "a.jpg").exists()


def test_a_file_that_is_gone_is_no_leftover(out):
    (out / "a.jpg").unlink()
    assert leftovers.settle(record("rejected"), [FILE], str(out)) == (record("rejected"), 0)
