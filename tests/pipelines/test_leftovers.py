"""What becomes of files of earlier runs that a photo's new record does not name."""

import hashlib
from pathlib import Path

import pytest

from pipelines import leftovers
from pipelines.manifest import Output, Record
from pipelines.outcomes import Status

OLD = b"what an earlier run wrote"
SHA256 = hashlib.sha256(OLD).hexdigest()


def record(status: Status, *names: str) -> Record:
    outputs = tuple(Output(name, 1, 6, 4, 5, "9f", "toned", 31.2) for name in names)
    reason = "unreadable" if status == "rejected" else ""
    return Record("a.jpg", "/scans/a.jpg", None, "7-1", status, reason, outputs=outputs, warnings=("exif",))


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "a.jpg").write_bytes(OLD)
    return tmp_path


@pytest.mark.parametrize("status", ["written", "copied", "skipped"])
def test_a_file_of_an_earlier_run_is_removed(out, status):
    new = record(status, "a.jpg.png")
    assert leftovers.settle(new, [("a.jpg", SHA256)], str(out)) == new
    assert not (out / "a.jpg").exists()


def test_the_file_of_a_photo_that_is_rejected_now_stays_and_is_reported(out):
    settled = leftovers.settle(record("rejected"), [("a.jpg", SHA256)], str(out))
    assert (out / "a.jpg").read_bytes() == OLD
    [kept, told] = settled.warnings
    assert kept == "exif"
    assert told.startswith("a.jpg ")


@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_a_file_with_other_bytes_than_those_recorded_stays_and_is_reported(out, sha256):
    settled = leftovers.settle(record("written", "a.jpg.png"), [("a.jpg", sha256)], str(out))
    assert (out / "a.jpg").read_bytes() == OLD
    assert [warning.partition(" ")[0] for warning in settled.warnings] == ["exif", "a.jpg"]


def test_a_file_that_the_new_record_names_is_no_leftover(out):
    new = record("written", "a.jpg")
    assert leftovers.settle(new, [("a.jpg", SHA256)], str(out)) == new
    assert (out / "a.jpg").exists()
