import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import OUTPUT, RECORD, recorded, texts

from pipelines.archive import manifest
from pipelines.archive.journal import Journal
from pipelines.archive.manifest import Left, Output, Record


def read(data: bytes) -> list[Record]:
    return [Record.from_json(line.decode()) for line in data.splitlines()]


@given(recorded)
def test_a_record_is_read_back(record):
    again = Record.from_json(record.to_json(timed=True))
    assert again == record
    assert (again.at, again.milliseconds) == (record.at, record.milliseconds)


def test_times_are_told_only_when_asked_for():
    times = {"read": 0.5}
    assert RECORD.to_json() == replace(RECORD, at=5, milliseconds=times).to_json()
    assert json.loads(replace(RECORD, milliseconds=times).to_json(timed=True))["milliseconds"] == times


def test_records_of_earlier_versions_are_read():
    fields = json.loads(RECORD.to_json())
    del fields["left"], fields["outputs"][0]["made_sha256"]
    assert Record.from_json(json.dumps(fields)) == RECORD


def test_a_name_that_is_not_utf_8_is_read_back():
    broken = b"caf\xe9.jpg".decode(errors="surrogateescape")
    data = manifest.to_lines([replace(RECORD, name=broken).to_json()])
    assert data.decode().isprintable() or data.endswith(b"\n")
    assert [record.name for record in read(data)] == [broken]


@given(st.lists(texts, unique=True, max_size=50), st.integers(1, 7))
def test_every_input_has_one_shard(names, shards):
    assert all(0 <= manifest.shard_of(name, shards) < shards for name in names)


@pytest.mark.parametrize(("records", "shards"), [(0, 1), (1, 1), (10_000, 1), (10_001, 2), (1_000_000, 100)])
def test_the_number_of_shards(records, shards):
    assert manifest.shard_count(records) == shards


def test_what_is_what_in_the_folder():
    assert manifest.has_records("manifest/photos-00000-of-00002.jsonl")
    assert manifest.has_records("manifest/photos-00000-of-00002.parquet")
    assert manifest.has_records("manifest/journal/1-ab.jsonl")
    for other in (
        "manifest/timings-00000-of-00002.jsonl",
        "manifest/runs.json",
        "manifest/journal/.1-ab.jsonl.part",
        "manifest/journal/photo.jsonl",
        "manifest/journal/photo 1-ab.jsonl",
        "manifest/journal/caf\udce9-1.jsonl",
        "box/manifest/journal/1-ab.jsonl",
        "box/manifest/photos-00000-of-00002.jsonl",
        "manifest/scan.jpg",
    ):
        assert not manifest.has_records(other)


@pytest.mark.parametrize("total", [1, 3, 99_999])
@pytest.mark.parametrize("kind", ["photos", "timings"])
def test_shards_of_a_larger_and_of_a_smaller_number_are_old(kind, total):
    written = {f"manifest/photos-{index:05}-of-00002.jsonl" for index in range(2)}
    assert manifest.is_old_shard(f"manifest/{kind}-00000-of-{total:05}.jsonl", written)
    assert not manifest.is_old_shard(f"manifest/{kind}-00001-of-00002.jsonl", written)
    assert manifest.is_old_shard(f"manifest/{kind}-00001-of-00002.jsonl", set()), "a run without photos has no shards"
    for other in (f"box/manifest/{kind}-00000-of-00009.jsonl", "manifest/runs.json", f"manifest/{kind}-1-of-2.jsonl"):
        assert not manifest.is_old_shard(other, written)


def test_shards_of_the_other_format_are_old_and_the_times_next_to_them_are_not():
    written = {"manifest/photos-00000-of-00001.parquet"}
    assert manifest.is_old_shard("manifest/photos-00000-of-00001.jsonl", written)
    assert not manifest.is_old_shard("manifest/photos-00000-of-00001.parquet", written)
    assert not manifest.is_old_shard("manifest/timings-00000-of-00001.jsonl", written)
    assert not manifest.is_old_shard("manifest/rejected-00000-of-00001.jsonl", written, rejected=True)


def test_the_picture_within_a_border_is_in_the_record():
    framed = replace(RECORD, outputs=(replace(OUTPUT, picture=(12, 8, 600, 470)),))
    fields = json.loads(framed.to_json())
    assert fields["outputs"][0]["picture"] == [12, 8, 600, 470]
    assert Record.from_json(framed.to_json()).outputs[0].picture == (12, 8, 600, 470)
    assert json.loads(RECORD.to_json())["outputs"][0]["picture"] is None
    del fields["outputs"][0]["picture"]
    assert Record.from_json(json.dumps(fields)).outputs[0].picture is None


def test_a_journal_is_there_line_by_line(tmp_path):
    journal = Journal(str(tmp_path), "ab")
    for name in ("a", "b"):
        journal.add(replace(RECORD, name=name, milliseconds={"read": 2.0}))
        [path] = (tmp_path / "manifest" / "journal").iterdir()
        found = read(path.read_bytes())
        assert found[-1] == replace(RECORD, name=name)
    assert found[0].at < found[1].at
    assert found[1].milliseconds == {"read": 2.0}
    journal.close()


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/passwd", "a//b.jpg", ""])
def test_a_record_that_names_a_file_outside_the_folder_is_not_ours(name):
    output = Output(name=name, page=1, width=1, height=1, bytes=1, sha256="", tone="", colourfulness=None)
    for named in ({"outputs": (output,)}, {"left": (Left(name, ""),)}):
        forged = Record(name="a", uri="a", offset=None, fingerprint="", status="written", **named)
        with pytest.raises(ValueError, match="outside its folder"):
            Record.from_json(forged.to_json())
