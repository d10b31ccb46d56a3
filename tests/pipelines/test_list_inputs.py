"""Whole commands whose input is a list: the files of a folder, and an outcome for each photo that does not exist."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tar_files import tar_of
from web_server import site

from pipelines import cli
from tfrecords.description import Description

NAMES = ["box1/a.png", "box1/b.png", "box2/a.png"]


@pytest.fixture
def place(tmp_path, monkeypatch, encoded, photos) -> Path:
    """A working folder with photos in two folders, and lists that name them in another order, some twice."""
    for name, motif in zip(NAMES, ("astronaut", "chelsea", "rocket"), strict=True):
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(photos[motif][::4, ::4], "PNG"))
    (tmp_path / "list.txt").write_text("\n".join([NAMES[2], *NAMES, "box3/gone.png"]))
    table = pa.table({"id": [1, 2, 3], "scan": [f"{tmp_path}/scans/{name}" for name in NAMES]})
    pq.write_table(table, tmp_path / "list.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def test_a_list_gives_the_files_of_the_folder_and_counts_what_is_missing(place, saved_model_dir, capsys):
    job = ["--direct_num_workers=1", f"--model={saved_model_dir}"]
    assert cli.main(["colorize", "scans", "one", *job]) == 0
    with site() as server:
        server.pages["/a.png"] = (place / "scans" / NAMES[0]).read_bytes()
        (place / "web.txt").write_text(f"{(place / 'list.txt').read_text()}\n{server.url}/a.png")
        assert cli.main(["colorize", "web.txt", "two", "--root=scans", *job]) == 0
    assert "rejected: missing" in capsys.readouterr().out
    made = files(place / "two")
    assert made.pop(f"{server.url[7:]}/a.png")
    assert made == files(place / "one")
    assert cli.main(["colorize", "list.txt", "two", "--root=scans", *job]) == 0
    assert json.loads((place / "two/report.json").read_text())["outcomes"] == {"missing": 1, "written": 3}
    rejected = json.loads((place / "two/rejected.jsonl").read_text())
    assert (rejected["name"], rejected["reason"]) == ("box3/gone.png", "missing")
    # The same photos as a table: nothing is made again. The list is not part of what a run is compared by.
    capsys.readouterr()
    table = ["list.parquet", "two", "--root=scans", "--input_columns=scan"]
    assert cli.main(["colorize", *table, "--dry_run", *job]) == 0
    assert "two: 3 inputs; done before: written: 3\n" in capsys.readouterr().out


def test_a_list_gives_the_records_of_the_folder(place, photos, encoded, saved_model_dir):
    job = ["--size=16", "--validation_percent=0", "--direct_num_workers=1"]
    assert cli.main(["prepare", "scans", "one", *job]) == 0
    assert cli.main(["prepare", "list.parquet", "two", "--root=scans", "--input_columns=scan", *job]) == 0
    assert (place / "one/dataset.json").read_text() == (place / "two/dataset.json").read_text()
    # A list may name a WebDataset, whose other files are no photos, and whose classes become synsets.
    sample = {"a.cls": b"7", "a.png": encoded(photos["coffee"][::4, ::4], "PNG"), "a.txt": b"A cup of coffee."}
    (place / "scans" / "box3.tar").write_bytes(tar_of(sample))
    (place / "list.txt").write_text(f"{(place / 'list.txt').read_text()}\nbox3.tar")
    assert cli.main(["prepare", "list.txt", "three", "--root=scans", *job]) == 0
    description = Description.from_json((place / "three/dataset.json").read_text())
    assert description.outcomes == {"ignored": 2, "missing": 1, "written": 4}
    assert description.statistics["train"]["synsets"] == {"": 3, "7": 1}
    assert cli.main(["plan", "list.txt", "--root=scans", f"--model={saved_model_dir}"]) == 0


def test_a_list_must_not_name_photos_in_the_output(place, saved_model_dir, capsys):
    job = ["--direct_num_workers=1", f"--model={saved_model_dir}"]
    assert cli.main(["colorize", "list.txt", "scans/box2", "--root=scans", *job]) == 2
    assert "lies in the output" in capsys.readouterr().err
    assert sorted(files(place / "scans")) == NAMES
