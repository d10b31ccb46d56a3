import json
from itertools import chain
from pathlib import Path

import apache_beam as beam
import pytest
import quick_pipeline

from pipelines.dataset import rejected_lists, rejections
from pipelines.dataset.rejections import WriteRejected
from pipelines.dataset.shard_writer import ShardReport
from pipelines.runtime import outcomes
from pipelines.runtime.outcomes import Outcome
from tfrecords.shards import Shard
from tfrecords.statistics import Statistics

NAMES = [f"caf\udce9 {number:02}.jpg" for number in range(60)]


def report(index: int, names: list[str]) -> ShardReport:
    rejected = [
        Outcome(name=name, status="rejected", reason="toned" if name < NAMES[5] else "grayscale", uri=f"/{name}")
        for name in names
    ]
    shard = Shard(name=f"train-{index}", count=1, bytes=1, crc32c="")
    return ShardReport(split="train", shard=shard, rejected=rejected, statistics=Statistics(), sources="")


def written(folder: Path, reports: list[ShardReport]) -> dict[str, bytes]:
    told: list[dict[str, int]] = []
    with quick_pipeline.running() as pipeline:
        counts = pipeline | beam.Create(reports, reshuffle=False) | WriteRejected(str(folder))
        _ = counts | beam.Map(lambda found: (folder / "told").write_text(json.dumps(found)))
    told.append(json.loads((folder / "told").read_text()))
    assert told == [outcomes.tally(outcome for one in reports for outcome in one.rejected)]
    return {path.name: path.read_bytes() for path in folder.glob("rejected*")}


def names(data: bytes) -> list[str]:
    return [json.loads(line)["name"] for line in data.splitlines()]


def test_many_rejected_photos_are_listed_in_shards_and_few_in_one_file_again(tmp_path, monkeypatch):
    reports = [report(0, NAMES[::2]), report(1, NAMES[1::2]), report(2, [])]
    (tmp_path / "rejected-notes.jsonl").write_text("of somebody else\n")
    one = written(tmp_path, reports)
    assert names(one["rejected.jsonl"]) == NAMES
    assert len(one) == 2
    monkeypatch.setattr(outcomes, "REJECTED_IN_ONE_FILE", 59)
    monkeypatch.setattr(rejections, "_IN_A_SHARD", 20)
    many = written(tmp_path, reports)
    assert set(many) == {"rejected-notes.jsonl", *(f"rejected-0000{index}-of-00003.jsonl" for index in range(3))}
    found = [names(data) for name, data in many.items() if "notes" not in name]
    assert all(part == sorted(part) for part in found)
    assert sorted(chain.from_iterable(found)) == NAMES
    assert written(tmp_path, reports[::-1]) == many
    assert set(rejected_lists.lists(str(tmp_path))) == {name for name in many if "notes" not in name}
    monkeypatch.undo()
    assert written(tmp_path, reports) == one


@pytest.mark.parametrize("reports", [[], [report(0, [])]])
def test_without_rejected_photos_the_list_is_empty(tmp_path, reports):
    assert written(tmp_path, reports) == {"rejected.jsonl": b""}
