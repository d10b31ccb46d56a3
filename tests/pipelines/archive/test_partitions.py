import json
from collections.abc import Callable
from pathlib import Path

import pytest
from colorize_job import digests

from pipelines import cli, flags
from pipelines.archive import partitions
from pipelines.archive.ledger import Ledger
from pipelines.archive.written_names import Rules
from pipelines.runtime.partition import WHOLE, Partition
from tfrecords.errors import UserError


def test_every_photo_is_in_one_partition_and_so_are_all_that_could_get_its_name():
    rules = Rules()
    for number in range(200):
        names = (f"box/{number}.tif", f"box/{number}.TIF", f"box/{number}.tif~2.png", f"box/{number}.tif.p001.png")
        homes = {[Partition(i, 7).has(rules.key(name)) for i in range(1, 8)].index(True) for name in names}
        assert len(homes) == 1
    counts = [sum(Partition(i, 4).has(rules.key(f"{n}.jpg")) for n in range(4000)) for i in range(1, 5)]
    assert sum(counts) == 4000
    assert min(counts) > 900


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/100000"])
def test_a_partition_is_one_of_its_number(text):
    with pytest.raises(UserError, match="must be I/N, such as 3/8"):
        flags.colorize().parse_known_args(["in", "out", f"--partition={text}"])


def test_folders_of_records_are_those_of_the_whole_and_back():
    assert partitions.folder_of("gs://b/out", WHOLE) == partitions.base_of("gs://b/out") == "gs://b/out"
    place = partitions.folder_of("gs://b/out", Partition(3, 8))
    assert place == "gs://b/out/manifest/partitions/00003-of-00008"
    assert partitions.base_of(place) == "gs://b/out"


@pytest.fixture
def scans(tmp_path, grey_photos, encoded: Callable[..., bytes], monkeypatch) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for index in range(6):
        (folder / f"{index}.png").write_bytes(encoded(grey_photos["coins"][index : index + 60, :80], "PNG"))
    # Two names that a file system without cases takes for one.
    (folder / "A.jpg").write_bytes(encoded(grey_photos["moon"][:60, :80], "JPEG"))
    (folder / "a.jpg").write_bytes(encoded(grey_photos["moon"][60:120, :80], "JPEG"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_partitions_make_the_files_of_one_run_and_a_report_joins_them(scans, tmp_path, saved_model_dir, capsys):
    job = [f"--model={saved_model_dir}", "--direct_num_workers=1"]
    assert cli.main(["colorize", "scans", "whole", *job]) == 0
    for part in ("2/2", "1/2"):
        assert cli.main(["colorize", "scans", "parts", f"--partition={part}", *job]) == 0
    assert "next: autochrome report parts\n" in capsys.readouterr().out
    whole, parts = digests(tmp_path / "whole"), digests(tmp_path / "parts")
    photos = {name for name in whole if name.endswith((".png", ".jpg"))}
    assert len(photos) == 8
    assert {name: parts[name] for name in photos} == {name: whole[name] for name in photos}
    ledger = Ledger.of("parts")
    assert [one.to_json() for one in ledger.records()] == [one.to_json() for one in Ledger.of("whole").records()]
    counts = [
        json.loads((tmp_path / "parts/manifest/partitions" / name / "report.json").read_text())["inputs"]
        for name in ("00001-of-00002", "00002-of-00002")
    ]
    assert sum(counts) == 8
    assert min(counts) > 0
    assert cli.main(["report", "parts"]) == 0
    assert "inputs │ 8 " in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "parts" / "index.html").exists()
    # Runs that would not know of each other's files are refused.
    for folder, flag, said in (
        ("parts", [], "holds records of 2 partitions; give --partition i/2"),
        ("parts", ["--partition=1/3"], "holds records of 2 partitions; give --partition i/2"),
        ("whole", ["--partition=1/2"], "holds records of runs without --partition"),
    ):
        assert cli.main(["colorize", "scans", folder, *flag, *job]) == 2
        assert said in capsys.readouterr().err
