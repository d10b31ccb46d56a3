import json
from dataclasses import replace

import apache_beam as beam
import pytest
import quick_pipeline
from colorized_folder import Folder
from one_task import RECIPE

from pipelines.archive import manifest, record_files, runs
from pipelines.archive.finish import WriteManifest
from pipelines.archive.lease import Lease
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import LAST_RUN_FILE, REPORT_FILE, Output
from pipelines.archive.results import Result
from pipelines.archive.runs import Run
from pipelines.files.sources import Source
from pipelines.runtime import outcomes
from pipelines.runtime.outcomes import REJECTED_FILE


@pytest.fixture
def folder(tmp_path) -> Folder:
    made = Folder(tmp_path)
    output = Output(
        name="a.jpg", page=1, width=60, height=40, bytes=500, sha256="9f", tone="grayscale", colourfulness=31.2
    )
    made.record("a.jpg", outputs=(output,))
    made.record("b.jpg", outputs=(replace(output, name="b.jpg"),), warnings=("changed_since",), status="kept")
    made.record("c.jpg", status="rejected", reason="unreadable", detail="cut short")
    made.record("caf\udce9.jpg", status="skipped")
    made.output.mkdir()
    return made


def results(folder: Folder) -> list[Result]:
    a, b, c, d = folder.records
    return [Result(a, now=True, replaced=1, removed=2), Result(b, now=True), Result(c, now=True), Result(d, now=False)]


def finished(folder: Folder, *, records: tuple[str, ...] = (), damaged: tuple[str, ...] = ()) -> Lease:
    lease = Lease(folder=str(folder.output))
    lease.take()
    with quick_pipeline.running() as pipeline:
        made = pipeline | "Made" >> beam.Create(results(folder))
        read = [Source(uri=str(folder.output / name), name=name, size=1, fingerprint="1-1") for name in records]
        sources = pipeline | "Read" >> beam.Create(read, reshuffle=False)
        lines = pipeline | "Damage" >> beam.Create(damaged, reshuffle=False)
        none = pipeline | "None" >> beam.Create([], reshuffle=False)
        runs.register(
            pipeline, Run(lease=lease, recipe=RECIPE, results=made, records=sources, damaged=lines, unfinished=none)
        )
        _ = made | beam.Map(lambda result: result.record) | WriteManifest(str(folder.output))
    return lease


def test_records_report_and_index_are_written_and_counts_add_up(folder):
    finished(folder, damaged=("b", "a", "c"))
    ledger = Ledger.of(str(folder.output))
    assert sorted(ledger.records(), key=repr) == sorted(folder.records, key=repr)
    report = json.loads((folder.output / REPORT_FILE).read_text())
    assert report["outcomes"] == {"written": 1, "kept": 1, "skipped": 1, "unreadable": 1}
    assert report["warnings"] == {"changed_since": 1}
    last = json.loads((folder.output / LAST_RUN_FILE).read_text())
    assert (last["made"], last["left_out"], last["found"], last["kept"]) == (2, 1, 2, 1)
    assert (last["replaced"], last["removed"], last["pixels"]) == (1, 2, 2400)
    assert last["damaged"] == ["a", "b", "c"]
    assert last["milliseconds"]["read"] == 20.0
    [rejected] = (folder.output / REJECTED_FILE).read_text().splitlines()
    assert json.loads(rejected)["name"] == "c.jpg"
    shards = record_files.read_index(str(folder.output)).shards
    assert {name: (one.records, one.first) for name, one in shards.items()} == {
        "manifest/photos-00000-of-00001.jsonl": (4, "a.jpg")
    }


def test_the_same_records_give_the_same_bytes(folder):
    finished(folder)
    first = {path.name: path.read_bytes() for path in folder.output.rglob("*") if path.is_file()}
    finished(folder)
    assert {path.name: path.read_bytes() for path in folder.output.rglob("*") if path.is_file()} == first


def test_many_rejected_photos_are_listed_in_shards_and_few_in_one_file_again(folder, monkeypatch):
    monkeypatch.setattr(outcomes, "REJECTED_IN_ONE_FILE", 0)
    one, shard = folder.output / REJECTED_FILE, folder.output / "manifest/rejected-00000-of-00001.jsonl"
    one.write_bytes(b"of an earlier run")
    finished(folder)
    assert not one.exists()
    assert [json.loads(line)["name"] for line in shard.read_text().splitlines()] == ["c.jpg"]
    monkeypatch.undo()
    finished(folder)
    assert not shard.exists()
    assert json.loads(one.read_text())["detail"] == "cut short"


def test_old_shards_and_merged_journals_go_and_journals_of_others_stay(folder):
    (folder.output / manifest.JOURNAL).mkdir(parents=True)
    old, merged, other = (
        "manifest/photos-00001-of-00002.jsonl",
        f"{manifest.JOURNAL}/0a-1-0b.jsonl",
        f"{manifest.JOURNAL}/0c-1-0d.jsonl",
    )
    for name in (old, merged, other):
        (folder.output / name).write_bytes(b"")
    lease = finished(folder, records=(old, merged))
    assert not (folder.output / old).exists()
    assert not (folder.output / merged).exists()
    assert (folder.output / other).exists(), "its run came meanwhile"
    assert not (folder.output / "manifest" / "lease.json").exists(), "the lease was given back"
    assert lease.run
