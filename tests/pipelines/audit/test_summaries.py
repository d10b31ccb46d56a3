"""Files of a manifest that were deleted, added or changed are found."""

import json
import shutil
from pathlib import Path

import pytest
from colorized_folder import Folder
from whole_manifest import write_manifest

from pipelines import cli
from pipelines.archive import partitions, record_files
from pipelines.archive.manifest import REPORT_FILE
from pipelines.runtime.outcomes import REJECTED_FILE
from pipelines.runtime.partition import Partition

SHARD = "manifest/photos-00000-of-00001.jsonl"


@pytest.fixture
def folder(tmp_path, photos) -> Path:
    """Two photos, of which one was rejected, and all files about them."""
    made = Folder(tmp_path)
    made.add("a.jpg", b"scan", b"colour", [photos["chelsea"][:8, :8]])
    made.record("caf\udce9.jpg", status="rejected", reason="unreadable", detail="cut short")
    write_manifest(made.output, made.records)
    return made.output


def verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that `verify` prints; the exit code says whether there are any."""
    code = cli.main(["verify", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    assert code == bool(lines)
    return lines


def test_a_folder_that_nobody_touched_is_as_recorded(folder, capsys):
    assert verified(folder, capsys) == []


@pytest.mark.parametrize(
    "name",
    [
        "manifest/shards.json",
        "manifest/runs.json",
        "manifest/last_run.json",
        "manifest/timings-00000-of-00001.jsonl",
        "report.json",
        "rejected.jsonl",
    ],
)
def test_each_file_of_the_manifest_is_missed(folder, name, capsys):
    (folder / name).unlink()
    assert verified(folder, capsys) == [f"records {name} is missing"]


@pytest.mark.parametrize("name", ["manifest/shards.json", "manifest/runs.json", "report.json"])
def test_a_damaged_summary_is_not_taken_for_a_missing_one(folder, name, capsys):
    (folder / name).write_text("[")
    assert verified(folder, capsys) == [f"records {name} is damaged"]


def test_a_shard_that_the_list_does_not_name_is_found(folder, capsys):
    added = SHARD.replace("00001", "00002")
    shutil.copy(folder / SHARD, folder / added)
    shutil.copy(folder / SHARD.replace("photos", "timings"), folder / added.replace("photos", "timings"))
    assert verified(folder, capsys) == [f"records {added} is not named by manifest/shards.json"]


def test_photos_of_a_shard_that_the_list_does_not_name_are_left_out(folder, tmp_path, capsys):
    """Such a shard stays if a manifest is copied over another one; `verify`, `report` and `deliver` say the same."""
    added = SHARD.replace("00000-of-00001", "00001-of-00002")
    (folder / "z.jpg").write_bytes(b"colour")
    (folder / added).write_bytes((folder / SHARD).read_bytes().replace(b'"a.jpg"', b'"z.jpg"'))
    said = f"{added} is not named by manifest/shards.json"
    assert verified(folder, capsys) == [f"records {said}"]
    advice = "its records are left out, and the same `autochrome colorize` removes it"
    table = tmp_path / "photos.csv"
    assert cli.main(["report", str(folder), "--table", str(table)]) == 0
    assert f"{folder}/{said}; {advice}\n" in capsys.readouterr().out
    assert "z.jpg" not in table.read_text()
    assert cli.main(["report", str(folder)]) == 0
    assert f"{said}; {advice}\n" in capsys.readouterr().out
    assert cli.main(["deliver", str(folder), "--to", str(tmp_path / "bags")]) == 1
    out, err = capsys.readouterr()
    assert out == f"{said}; {advice}\n"
    assert "photos 1," in err
    (folder / added).unlink()
    assert cli.main(["deliver", str(folder), "--to", str(tmp_path / "bags")]) == 0
    assert "complete before 1" in capsys.readouterr().err


def test_a_list_of_rejected_photos_that_lacks_one_or_has_another_is_found(folder, capsys):
    path = folder / REJECTED_FILE
    for data in (b"", path.read_bytes() * 2, path.read_bytes().replace(b"cut short", b"too old"), b"not JSON\n"):
        path.write_bytes(data)
        assert verified(folder, capsys) == ["records rejected.jsonl lists other photos than the records"]


def test_a_report_that_counts_other_photos_is_found(folder, capsys):
    report = json.loads((folder / REPORT_FILE).read_text())
    for outcomes, said in (
        ({"written": 1}, "counts 1 photo with a record, and there are 2"),
        ({"written": 2, "ignored": 7}, "counts other outcomes than the records have"),
    ):
        (folder / REPORT_FILE).write_text(json.dumps(report | {"outcomes": outcomes}))
        assert verified(folder, capsys) == [f"records report.json {said}"]


def test_a_run_that_a_record_names_is_missed(folder, capsys):
    data = (folder / SHARD).read_text().replace('"run": 1', '"run": 2')
    (folder / SHARD).write_text(data)
    record_files.write_index(str(folder), [record_files.entry(SHARD, 2, data.encode(), "a.jpg")])
    assert verified(folder, capsys) == ["records manifest/runs.json lacks run 2, which a record names"]


def test_summaries_are_not_compared_while_a_run_goes_on(folder, capsys):
    (folder / "manifest" / "shards.json").unlink()
    (folder / "manifest" / "journal").mkdir()
    (folder / "manifest" / "journal" / "0a-1-0b.jsonl").touch()
    assert verified(folder, capsys) == [
        "records manifest/journal is of a run that is not done or was killed; the same `autochrome colorize` "
        "continues it"
    ]


def test_a_partition_is_missed_whole_and_in_parts(tmp_path, photos, capsys):
    made = Folder(tmp_path)
    parts = [Path(partitions.folder_of(str(made.output), Partition(index, 3))) for index in (1, 2, 3)]
    for part, name in zip(parts, ("a.jpg", "b.jpg", "c.jpg"), strict=True):
        write_manifest(part, [made.add(name, b"scan", b"colour", [photos["chelsea"][:8, :8]])])
    assert verified(made.output, capsys) == []
    inside = "manifest/partitions/00001-of-00003"
    (parts[0] / "report.json").unlink()
    (parts[0] / "manifest" / "shards.json").unlink()
    for path in (parts[2] / "manifest").iterdir():
        path.unlink()
    shutil.rmtree(parts[1])
    lines = verified(made.output, capsys)
    assert f"records {inside}/manifest/shards.json is missing" in lines
    assert f"records {inside}/report.json is missing" in lines
    assert f"records {inside.replace('1', '3', 1)} has no records" in lines
    assert "records manifest/partitions has 1/3, 3/3, and lacks 2/3: deleted, or not colorized yet" in lines


def test_a_partition_without_photos_is_complete(tmp_path, photos, capsys):
    made = Folder(tmp_path)
    parts = [Path(partitions.folder_of(str(made.output), Partition(index, 2))) for index in (1, 2)]
    write_manifest(parts[0], [made.add("a.jpg", b"scan", b"colour", [photos["chelsea"][:8, :8]])])
    write_manifest(parts[1], [])
    for path in (parts[1] / "manifest").glob("*-of-*"):
        path.unlink()
    record_files.write_index(str(parts[1]), [])
    assert verified(made.output, capsys) == []
    (parts[1] / "manifest" / "shards.json").write_text("[")
    assert f"records {partitions.PARTITIONS}/00002-of-00002 has no records" in verified(made.output, capsys)
