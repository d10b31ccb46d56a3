import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.archive import manifest
from pipelines.archive.journal import Journal
from pipelines.archive.manifest import Record
from pipelines.files import local_files, storage
from pipelines.files.beneath import LinkError

RUN = "0123456789abcdef"


def record(name: str) -> Record:
    return Record(
        name=name, uri=f"/scans/{name}", offset=None, fingerprint="1-1", status="written", milliseconds={"read": 1.0}
    )


def journals(folder: Path) -> list[Path]:
    return sorted((folder / manifest.JOURNAL).iterdir())


def read(path: Path) -> list[Record]:
    return [Record.from_json(line) for line in path.read_text().splitlines()]


def test_every_record_is_in_the_file_at_once_with_its_times(tmp_path):
    journal = Journal(str(tmp_path), RUN)
    assert not (tmp_path / manifest.JOURNAL).exists(), "a worker without photos leaves no file"
    for number, name in enumerate(("a.jpg", "caf\udce9.jpg"), start=1):
        journal.add(record(name))
        [path] = journals(tmp_path)
        found = read(path)
        assert [one.name for one in found] == ["a.jpg", "caf\udce9.jpg"][:number]
        assert found[-1].milliseconds == {"read": 1.0}
        assert not found[-1].pending
    assert read(path)[0].at < read(path)[1].at
    journal.close()


def test_the_name_of_the_file_tells_the_run_and_no_two_workers_share_one(tmp_path):
    first, second = Journal(str(tmp_path), RUN), Journal(str(tmp_path), RUN)
    first.add(record("a.jpg"))
    second.add(record("b.jpg"))
    names = [f"{manifest.JOURNAL}/{path.name}" for path in journals(tmp_path)]
    assert len(names) == 2
    for name in names:
        assert manifest.is_journal(name)
        assert manifest.is_journal_of(name, RUN)
        assert not manifest.is_journal_of(name, RUN[::-1])
    first.close()
    second.close()


def test_what_is_announced_is_pending(tmp_path):
    journal = Journal(str(tmp_path), RUN)
    journal.announce(record("a.jpg"))
    journal.add(record("a.jpg"))
    journal.close()
    [path] = journals(tmp_path)
    assert [one.pending for one in read(path)] == [True, False]


def test_a_file_that_lost_a_write_is_followed_by_one_with_all_that_may_be_lost(tmp_path, monkeypatch):
    journal = Journal(str(tmp_path), RUN)
    journal.add(record("a.jpg"))
    journal.flush()
    synced = journals(tmp_path)
    journal.add(record("b.jpg"))
    monkeypatch.setattr(local_files, "sync", failing_once(local_files.sync))
    journal.flush()
    [new] = set(journals(tmp_path)) - set(synced)
    assert [one.name for one in read(new)] == ["b.jpg"], "a.jpg is known to be on the disk"
    journal.add(record("c.jpg"))
    journal.close()
    assert [one.name for one in read(new)] == ["b.jpg", "c.jpg"]


def failing_once(sync):
    left = [OSError(5, "Input/output error")]

    def fails(file: io.IOBase) -> None:
        if left:
            raise left.pop()
        sync(file)

    return fails


def test_a_flush_without_records_writes_nothing(tmp_path, monkeypatch):
    journal = Journal(str(tmp_path), RUN)
    monkeypatch.setattr(local_files, "sync", None)
    journal.flush()
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_in_a_bucket_a_bundle_is_one_object(monkeypatch):
    written: dict[str, bytes] = {}
    monkeypatch.setattr(storage, "write", lambda uri, data: written.update({uri: data}))
    journal = Journal("gs://b/colour", RUN)
    journal.announce(record("a.jpg"))
    for number in range(150):
        journal.add(record(f"{number}.jpg"))
    assert [data.count(b"\n") for data in written.values()] == [100]
    journal.flush()
    journal.flush()
    assert [data.count(b"\n") for data in written.values()] == [100, 50]
    assert all(uri.startswith(f"gs://b/colour/{manifest.JOURNAL}/{RUN}-") for uri in written)
    names = [json.loads(line)["name"] for data in written.values() for line in data.splitlines()]
    assert names == [f"{number}.jpg" for number in range(150)]


def test_a_journal_folder_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "manifest").symlink_to(tmp_path / "elsewhere")
    journal = Journal(str(tmp_path / "out"), RUN)
    with pytest.raises(LinkError):
        journal.add(record("a.jpg"))
    assert os.listdir(tmp_path / "elsewhere") == []  # noqa: PTH208 (short)


def test_records_that_differ_only_in_time_are_equal():
    assert replace(record("a.jpg"), at=7, milliseconds={}) == record("a.jpg")
