import json
from dataclasses import replace
from pathlib import Path

import pytest
import records

from pipelines.archive import manifest, record_files
from pipelines.archive.manifest import Record
from pipelines.archive.record_files import NO_INDEX, Damage, Index
from pipelines.archive.shards import ManifestWriter

RECORD = replace(records.RECORD, outputs=())
RECORDS = [replace(RECORD, name=f"{name}.jpg") for name in "abcdef"]
LINE = manifest.to_lines([RECORD.to_json()])
SHARD = "manifest/photos-00000-of-00001.jsonl"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with one shard of six records and the list of it."""
    name, data = ManifestWriter(output=str(tmp_path), shards=1).write(0, RECORDS)
    record_files.write_index(str(tmp_path), [record_files.entry(name, len(RECORDS), data)])
    return tmp_path


def shard(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the records in the shard, and its damage."""
    read = list(record_files.shard(str(folder / SHARD), SHARD, record_files.read_index(str(folder))))
    return [one.name for one in read if isinstance(one, Record)], [str(one) for one in read if isinstance(one, Damage)]


def journal(data: bytes) -> tuple[int, list[str]]:
    read = list(record_files.journal("manifest/journal/ab.jsonl", data))
    return sum(isinstance(one, Record) for one in read), [one.what for one in read if isinstance(one, Damage)]


@pytest.mark.parametrize("torn", [b"", LINE[:1], LINE[: len(LINE) // 2], LINE[:-2], b"\0" * 700])
def test_the_last_line_of_a_journal_may_be_torn(torn):
    assert journal(2 * LINE + torn) == (2, [])


def test_a_last_line_that_only_lacks_its_end_is_a_record():
    assert journal(LINE + LINE[:-1]) == (2, [])


@pytest.mark.parametrize(
    ("data", "records", "what"),
    [
        (LINE[:-9] + b"\n" + LINE, 1, "line 1 is not a record"),
        (LINE + b"\n" + LINE, 2, "line 2 is not a record"),
        (LINE + b'{"name": 3}\n[]\n' + LINE, 2, "lines 2, 3 are not records"),
        (LINE + b"\0" * 700 + LINE + LINE, 2, "line 2 is not a record"),
        (LINE + 4999 * b"?\n", 1, "lines 2, 3, 4 and 4,996 more are not records"),
        (LINE + b"\xff\xfe\n" + LINE[:40], 1, "line 2 is not a record"),
    ],
)
def test_no_other_line_vanishes_in_silence(data, records, what):
    assert journal(data) == (records, [what])


def test_a_whole_shard_has_no_damage(folder):
    assert shard(folder) == ([record.name for record in RECORDS], [])
    record_files.drop_index(str(folder))
    assert shard(folder) == ([record.name for record in RECORDS], [])
    assert record_files.read_index(str(folder)) == NO_INDEX


@pytest.mark.parametrize(
    ("keep", "what"),
    [
        (lambda lines: [], "has 0 of its 6 records"),
        (lambda lines: lines[:4], "has 4 of its 6 records"),
        (lambda lines: lines[1:], "has 5 of its 6 records"),
        (lambda lines: [*lines[:2], lines[2][:50]], "line 3 is not a record"),
        (lambda lines: [*lines[:2], lines[2][:50] + b"\n", *lines[3:]], "line 3 is not a record"),
        (lambda lines: [*lines[:5], lines[5].replace(b"0a", b"0b")], "was changed since it was written"),
    ],
    ids=["emptied", "cut", "first line gone", "torn", "torn in the middle", "one bit"],
)
def test_a_shard_that_is_not_as_it_was_written_is_told(folder, keep, what):
    path = folder / SHARD
    path.write_bytes(b"".join(keep(path.read_bytes().splitlines(keepends=True))))
    assert shard(folder)[1] == [f"{SHARD} {what}"]


def test_times_stay_with_their_records_when_a_line_is_damaged(folder):
    timed = [replace(record, milliseconds={"read": float(index)}) for index, record in enumerate(RECORDS)]
    ManifestWriter(output=str(folder), shards=1).write(0, timed)
    lines = (folder / SHARD).read_bytes().splitlines(keepends=True)
    (folder / SHARD).write_bytes(b"".join([lines[0], b"?\n", *lines[2:]]))
    read = list(record_files.shard(str(folder / SHARD), SHARD, NO_INDEX))
    assert [one.milliseconds["read"] for one in read if isinstance(one, Record)] == [0, 2, 3, 4, 5]


def test_a_shard_of_an_older_version_is_told_when_it_is_empty(folder):
    record_files.drop_index(str(folder))
    (folder / SHARD).write_bytes(b"")
    assert shard(folder)[1] == [], "nothing says that there was a record"
    (folder / "report.json").write_text(json.dumps({"inputs": 6}))
    assert shard(folder)[1] == [f"{SHARD} is empty"]


def test_a_missing_shard_is_told(folder):
    index = record_files.read_index(str(folder))
    assert list(record_files.missing(index, [SHARD, "manifest/journal/ab.jsonl"])) == []
    assert [str(one) for one in record_files.missing(index, [])] == [f"{SHARD} is missing"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"7", b'{"photos": 3}', b'{"photos": {"records": 3}}', b"\xff"])
def test_a_damaged_list_counts_as_none(folder, data):
    (folder / record_files.INDEX_FILE).write_bytes(data)
    assert record_files.read_index(str(folder)) == Index()
    assert shard(folder)[1] == []
