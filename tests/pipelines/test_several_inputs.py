"""`--input` given more than once, paths without flags, and an output beside its input, through whole commands."""

import json
import re
from pathlib import Path

import pytest

from pipelines import cli
from tfrecords.description import Description


@pytest.fixture
def place(tmp_path, monkeypatch, encoded, photos) -> Path:
    """A working folder with two folders of photos, one name in both."""
    for name, motif in {"box1/a.png": "astronaut", "box1/b.png": "chelsea", "box2/a.png": "rocket"}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(photos[motif][::4, ::4], "PNG"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}


def test_photos_of_two_inputs_are_all_colorized_under_names_of_their_own(place, saved_model_dir, capsys):
    argv = ["colorize", "--input=box1", "--input=box2", "--output=colour", f"--model={saved_model_dir}"]
    assert cli.main([*argv, "--dry_run"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("box1/a.png", "box1/b.png", "box2/a.png", "3 inputs"))
    assert not (place / "colour").exists()
    assert cli.main(argv) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Colorized box1, box2\n")
    assert out.endswith(
        "photos: colour; a record of each: colour/manifest; rejected photos and why: colour/rejected.jsonl\n"
        "next: autochrome report colour\n"
    )
    assert re.search(r"colorizing: 3 of 3 photos in \d+ s\n\Z", err)
    assert written(place / "colour") == {"box1/a.png", "box1/b.png", "box2/a.png"}
    before = {path: path.stat().st_mtime_ns for path in (place / "colour").rglob("*.png")}
    # In another order it is the same input: nothing is made again.
    assert cli.main([argv[0], argv[2], argv[1], *argv[3:]]) == 0
    assert {path: path.stat().st_mtime_ns for path in (place / "colour").rglob("*.png")} == before
    assert cli.main(["report", "colour"]) == 0
    assert (place / "colour" / "index.html").exists()


def test_photos_of_two_inputs_become_records_whatever_their_order(place, capsys):
    argv = ["prepare", "--input=box1", "--input=box2", "--size=16", "--validation_percent=0"]
    assert cli.main([*argv, "--output=one"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith(
        "one/dataset.json: 3 examples for training, 0 examples for validation; "
        "rejected photos and why: one/rejected.jsonl\nnext: autochrome train --data one --output run\n"
    )
    assert re.search(r"preparing: 3 of 3 photos in \d+ s\n\Z", err)
    assert cli.main([argv[0], argv[2], argv[1], *argv[3:], "--output=two"]) == 0
    one, two = ((place / folder / "dataset.json").read_text() for folder in ("one", "two"))
    assert one == two
    assert Description.from_json(one).outcomes == {"written": 3}


def test_paths_need_no_flags_and_an_output_may_lie_beside_its_photo(place, saved_model_dir, monkeypatch):
    monkeypatch.chdir(place / "box1")
    assert cli.main(["colorize", "a.png", "colour", "--format=jpg", f"--model={saved_model_dir}"]) == 0
    report = json.loads((place / "box1" / "colour" / "report.json").read_text())
    assert report["outcomes"] == {"written": 1}
    assert (place / "box1" / "colour" / "a.png.jpg").exists()
    assert written(place / "box1") == {"a.png", "b.png"}


def test_plan_counts_every_input(place, saved_model_dir, capsys):
    assert cli.main(["plan", "--input=box1", "--input=box2/*.png", f"--model={saved_model_dir}"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("To colorize box1, box2/*.png:\n")
    assert "3, " in said.splitlines()[1]
