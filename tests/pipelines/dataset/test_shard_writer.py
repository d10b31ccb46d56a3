import json
from pathlib import Path

import pytest

from pipelines.dataset import examples, shard_writer
from pipelines.dataset.measures import Measures
from pipelines.dataset.shard_writer import FOLDER, ShardReport, finish
from pipelines.dataset.sharding import Slot, order
from pipelines.files.sources import Source, find
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.example import LabExample
from tfrecords.shards import checksum, read_records

SLOT = Slot(split="train", index=0, total=1)


class Ticks:
    """Counts photos by their outcome, as the one who shows progress does."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def done(self, status: str, photos: int = 1) -> None:
        self.counts[status] = self.counts.get(status, 0) + photos


@pytest.fixture(scope="module")
def processes():
    made = PhotoProcesses(examples.convert)
    yield made
    made.close()


@pytest.fixture
def photos_dir(tmp_path, encoded, photos, grey_photos) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("coffee", "rocket", "chelsea"):
        (folder / f"{name}.jpg").write_bytes(encoded(photos[name], "JPEG"))
    (folder / "coins.jpg").write_bytes(encoded(grey_photos["coins"], "JPEG"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8")
    return folder


def made(photos: list[Source], output: Path, processes: PhotoProcesses, size: int = 32) -> tuple[ShardReport, Ticks]:
    ticks = Ticks()
    return finish((SLOT, photos), str(output), size, ticks, processes, Measures()), ticks


def test_a_shard_holds_the_colour_photos_in_its_own_order(photos_dir, tmp_path, processes):
    sources = list(find(str(photos_dir)))
    report, ticks = made(sources[::-1], tmp_path / "records", processes)
    path = tmp_path / "records" / report.shard.name
    with path.open("rb") as file:
        found = [LabExample.from_bytes(record) for record in read_records(file)]
    expected = sorted((s.name for s in sources if s.name not in ("coins.jpg", "broken.jpg")), key=order)
    assert [example.name for example in found] == expected
    assert found[0].luminance.shape == (32, 32)
    assert ticks.counts == {"written": 3, "rejected": 2}
    assert {one.name: one.reason for one in report.rejected} == {"coins.jpg": "grayscale", "broken.jpg": "unreadable"}
    with path.open("rb") as file:
        assert checksum(iter([file.read()])) == (report.shard.bytes, report.shard.crc32c)
    assert report.statistics.to_dict()["examples"] == report.shard.count == 3


def test_a_finished_shard_is_not_made_again(photos_dir, tmp_path, processes, monkeypatch):
    sources = list(find(str(photos_dir)))
    report, _ = made(sources, tmp_path / "records", processes)
    monkeypatch.setattr(shard_writer, "converted", None)
    again, ticks = made(sources, tmp_path / "records", processes)
    assert again.to_json() == report.to_json()
    assert ticks.counts == {"skipped": 3, "rejected": 2}


def test_other_photos_another_size_a_damaged_account_or_shard_are_made_again(photos_dir, tmp_path, processes):
    sources = list(find(str(photos_dir)))
    report, _ = made(sources, tmp_path / "records", processes)
    account = tmp_path / "records" / FOLDER / f"{report.shard.name}.json"
    shard = tmp_path / "records" / report.shard.name
    whole = shard.read_bytes(), account.read_bytes()
    for others, size in ((sources[1:], 32), (sources, 32), (sources, 64)):
        assert "skipped" not in made(others, tmp_path / "records", processes, size)[1].counts
    flipped = bytes([whole[0][0], whole[0][1] ^ 1]) + whole[0][2:]
    for path, data in ((account, b"{"), (account, b"{}"), (shard, whole[0][:-1]), (shard, flipped)):
        made(sources, tmp_path / "records", processes)
        path.write_bytes(data)
        assert made(sources, tmp_path / "records", processes)[1].counts == {"written": 3, "rejected": 2}
        assert (shard.read_bytes(), account.read_bytes()) == whole


def test_an_account_is_read_back(photos_dir, tmp_path, processes):
    report, _ = made(list(find(str(photos_dir))), tmp_path / "records", processes)
    text = report.to_json()
    assert ShardReport.from_json(text).to_json() == text
    assert json.loads(text)["shard"]["name"] == report.shard.name
