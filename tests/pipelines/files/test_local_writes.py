"""Local writes on a disk that fails: each file is there whole, or not at all and the error says why."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from this_thread import here

from pipelines.archive.journal import Journal
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Record
from pipelines.files import local_files, local_writes, locked_files, patience
from tfrecords.errors import OutageError, WorldError

PASSING = [errno.EIO, errno.ESTALE, errno.EMFILE, errno.EAGAIN]


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 0.3)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(patience, "LONGEST_LOCAL_PAUSE", 0.05)


@pytest.fixture
def failing(monkeypatch) -> Callable[..., None]:
    """Has a function of the operating system fail, before or after it has done its work."""

    def fail(name: str, numbers: list[int], *, after: bool = False) -> None:
        left, whole = list(numbers), getattr(os, name)

        def failed(*given: object, **named: object) -> object:
            result = whole(*given, **named) if after or not left else None
            if left:
                number = left.pop(0)
                raise OSError(number, os.strerror(number))
            return result

        monkeypatch.setattr(os, name, here(failed, whole))

    return fail


@pytest.mark.parametrize("name", ["fsync", "replace", "open"])
def test_a_file_is_written_whole_after_a_moment(tmp_path, failing, name):
    failing(name, PASSING)
    local_writes.write(str(tmp_path), "a/b.jpg", b"photo")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.jpg"]
    assert (tmp_path / "a" / "b.jpg").read_bytes() == b"photo"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["fsync", "link", "replace", "unlink"])
def test_a_process_does_not_take_its_own_file_for_that_of_another(tmp_path, failing, name, after):
    path = tmp_path / "lease.json"
    failing(name, [errno.EIO], after=after)
    assert local_writes.create(path, b"mine")
    with locked_files.held(path) as file:
        known = locked_files.version(file)
    failing(name, [errno.EIO], after=after)
    assert local_writes.replace(path, b"renewed", known)
    assert path.read_bytes() == b"renewed"
    assert not local_writes.create(path, b"another")


def test_a_failure_that_lasts_is_an_outage_and_leaves_what_was_there(tmp_path, failing):
    local_writes.write(str(tmp_path), "a.jpg", b"before")
    failing("fsync", [errno.EIO] * 999)
    with pytest.raises(OutageError, match=r"a\.jpg could not be written for .*: Input/output error; check the disk"):
        local_writes.write(str(tmp_path), "a.jpg", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == b"before"


@pytest.mark.parametrize(("number", "remedy"), [(errno.ENOSPC, "free some space on the disk"), (errno.EROFS, "mount")])
def test_a_disk_that_is_full_or_read_only_is_told_at_once(tmp_path, failing, number, remedy):
    failing("fsync", [number])
    with pytest.raises(WorldError, match=rf"a\.jpg: {os.strerror(number)}; {remedy}"):
        local_writes.write(str(tmp_path), "a.jpg", b"photo")
    assert list(tmp_path.iterdir()) == []


def test_without_links_nothing_half_written_stays(tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError("no links on this file system")

    def full(_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "hardlink_to", here(refused, Path.hardlink_to))
    sync = local_files.sync
    calls = []
    monkeypatch.setattr(local_files, "sync", lambda file: full(file) if len(calls) == 1 else sync(file))
    monkeypatch.setattr(local_files, "lock", calls.append)
    path = tmp_path / "lease.json"
    with pytest.raises(OSError, match="Input/output error"):
        local_files.create(path, b"mine")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_loses_no_record_to_a_failed_sync(tmp_path, failing):
    """What a failed sync had to write may be lost, whatever the next one says: it is written once more."""
    journal = Journal(str(tmp_path), "ab")
    names = [f"{number}.jpg" for number in range(3)]
    for name in names:
        journal.add(
            Record(
                name=name, uri=f"/scans/{name}", offset=None, fingerprint="1-1", status="rejected", reason="unreadable"
            )
        )
    failing("fsync", PASSING)
    journal.close()
    first, *_, last = sorted((tmp_path / "manifest" / "journal").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert first != last
    assert all(name.encode() in last.read_bytes() for name in names)
    assert [record.name for record in Ledger.of(str(tmp_path)).records()] == names
