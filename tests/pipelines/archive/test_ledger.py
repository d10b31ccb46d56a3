import resource
from dataclasses import replace

import pytest
from colorized_folder import Folder

from pipelines.archive import record_files
from pipelines.archive.journal import Journal
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Output
from pipelines.archive.shards import ManifestWriter
from pipelines.files import local_reads
from tfrecords.errors import UserError


@pytest.fixture
def folder(tmp_path) -> Folder:
    made = Folder(tmp_path)
    for name in ("b.jpg", "ä.jpg", "a.jpg", "box/a.jpg"):
        made.record(name, milliseconds={"read": float(len(made.records))})
    return made


def names(ledger: Ledger) -> list[str]:
    return [record.name for record in ledger.records()]


def test_records_come_in_order_of_name_with_their_times(folder):
    ledger = Ledger.of(str(folder.write()))
    assert names(ledger) == ["a.jpg", "b.jpg", "box/a.jpg", "ä.jpg"]
    assert [record.milliseconds["read"] for record in ledger.records()] == [2, 0, 3, 1]
    assert sorted(ledger.records(), key=repr) == sorted(folder.records, key=repr)
    assert ledger.journals == ()


def test_several_shards_are_one(folder):
    for index in range(3):
        ManifestWriter(output=str(folder.output), shards=3).write(index, folder.records[index::3])
    assert names(Ledger.of(f"{folder.output}/")) == ["a.jpg", "b.jpg", "box/a.jpg", "ä.jpg"]


def test_more_shards_than_files_may_be_open_are_one(folder):
    expected = [f"{index:03d}.jpg" for index in range(150)]
    for index, name in enumerate(expected):
        ManifestWriter(output=str(folder.output), shards=150).write(index, [replace(folder.records[0], name=name)])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        assert names(Ledger.of(str(folder.output))) == expected
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("with_list", [True, False])
def test_shards_of_ranges_of_names_are_read_one_after_the_other(folder, monkeypatch, with_list):
    expected = [f"{index:03d}.jpg" for index in range(40)]
    shards = []
    for index, name in enumerate(expected):
        record = replace(folder.records[0], name=name)
        shards.append((*ManifestWriter(output=str(folder.output), shards=40).write(index, [record]), name))
    if with_list:
        entries = [record_files.entry(name, 1, data, first) for name, data, first in shards]
        record_files.write_index(str(folder.output), entries)
    asked: list[int] = []
    monkeypatch.setattr(local_reads, "allow_open", asked.append)
    assert names(Ledger.of(str(folder.output))) == expected
    assert len(asked) == 40
    assert len(set(asked)) == 1


def test_a_shard_whose_first_line_is_damaged_is_read_in_order_too(folder):
    for index, few in enumerate((folder.records[:2], folder.records[2:])):
        ManifestWriter(output=str(folder.output), shards=2).write(index, few)
    path = folder.output / "manifest" / "photos-00001-of-00002.jsonl"
    path.write_bytes(b"?\n" + path.read_bytes())
    assert names(Ledger.of(str(folder.output))) == ["a.jpg", "b.jpg", "box/a.jpg", "ä.jpg"]


def test_shards_beyond_99_999_are_read_as_well(folder):
    ManifestWriter(output=str(folder.output), shards=200_000).write(123_456, folder.records)
    assert len(names(Ledger.of(str(folder.output)))) == 4


def test_without_times_the_records_are_there(folder):
    output = folder.write()
    (output / "manifest" / "timings-00000-of-00001.jsonl").unlink()
    assert {tuple(record.milliseconds) for record in Ledger.of(str(output)).records()} == {()}


def test_fingerprints_are_read_from_the_timings(folder):
    output = Output(name="b.jpg", page=1, width=6, height=4, bytes=5, sha256="9f", tone="toned", colourfulness=31.2)
    written = tuple(replace(output, page=page, fingerprint=f"5-{page}") for page in (1, 2))
    folder.records[0] = replace(folder.records[0], outputs=written)
    [read] = [record for record in Ledger.of(str(folder.write())).records() if record.outputs]
    assert [output.fingerprint for output in read.outputs] == ["5-1", "5-2"]


def test_what_was_only_announced_is_no_record(folder):
    output = folder.write()
    before = list(Ledger.of(str(output)).records())
    journal = Journal(str(output), "ab")
    journal.announce(replace(folder.records[0], status="kept"))
    journal.close()
    assert list(Ledger.of(str(output)).records()) == before


def test_a_name_that_a_tar_holds_twice_is_two_inputs(folder):
    folder.records += [replace(folder.records[0], offset=offset) for offset in (512, 2048)]
    records = [record for record in Ledger.of(str(folder.write())).records() if record.name == "b.jpg"]
    assert [record.offset for record in records] == [None, 512, 2048]


def test_journals_of_a_killed_run_are_newer_than_shards(folder):
    output = folder.write()
    for status in ("rejected", "kept"):
        journal = Journal(str(output), "ab")
        journal.add(replace(folder.records[0], status=status, uri="/elsewhere/b.jpg"))
        journal.add(replace(folder.records[0], name="new.jpg"))
        journal.close()
    ledger = Ledger.of(str(output))
    assert len(ledger.journals) == 2
    assert {record.name: record.status for record in ledger.records()} == {
        "a.jpg": "written",
        "b.jpg": "kept",
        "box/a.jpg": "written",
        "new.jpg": "written",
        "ä.jpg": "written",
    }


def test_a_first_run_that_was_killed_has_journals_alone(tmp_path):
    journal = Journal(str(tmp_path), "ab")
    journal.add(Folder(tmp_path).record("a.jpg"))
    journal.close()
    assert names(Ledger.of(str(tmp_path))) == ["a.jpg"]


@pytest.mark.parametrize("place", ["nowhere", ""])
def test_a_folder_without_a_manifest_is_refused(tmp_path, place):
    with pytest.raises(UserError, match="no manifest"):
        Ledger.of(place if "://" in place else str(tmp_path / place))


def test_what_the_last_run_was_made_with(folder):
    output = folder.write()
    assert Ledger.of(str(output)).made_with() == {}
    (output / "report.json").write_text('{"model": "unet"}')
    assert Ledger.of(str(output)).made_with() == {"model": "unet"}
    (output / "manifest" / "runs.json").write_text('{"runs": [{"model": "a"}, {"model": "b"}]}')
    assert Ledger.of(str(output)).made_with() == {"model": "b"}


def test_a_manifest_without_photos_is_one(tmp_path):
    with pytest.raises(UserError, match=r"has no manifest; make one .* or give the --state that it was given"):
        Ledger.of(str(tmp_path))
    record_files.write_index(str(tmp_path), [])
    assert names(Ledger.of(str(tmp_path))) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("colour/manifest", "colour/manifest is the manifest itself; give the folder that it is in: colour"),
        ("colour/manifest/", "colour/manifest is the manifest itself; give the folder that it is in: colour"),
        ("colour/a.jpg", "colour/a.jpg is a file; give the output folder of `autochrome colorize`"),
    ],
)
def test_a_path_of_something_else_is_called_what_it_is(tmp_path, monkeypatch, path, said):
    monkeypatch.chdir(tmp_path)
    record_files.write_index("colour", [])
    (tmp_path / "colour" / "a.jpg").write_bytes(b"colour")
    with pytest.raises(UserError) as raised:
        Ledger.of(path)
    assert str(raised.value) == said
