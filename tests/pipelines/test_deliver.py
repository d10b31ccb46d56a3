"""The command `autochrome deliver` over one folder."""

from dataclasses import replace
from pathlib import Path

import pytest
from colorized_folder import Folder, sha256
from whole_manifest import write_manifest

from pipelines import cli
from pipelines.archive import partitions, run_list
from pipelines.archive.provenance import Recipe, Settings
from pipelines.runtime.partition import Partition


@pytest.fixture
def folder(tmp_path, photos) -> Folder:
    made = Folder(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        made.add(name, b"scan", b"colour of " + name.encode(), [photos["chelsea"][:8, :8]])
    made.write()
    return made


def test_the_exit_code_says_whether_every_photo_is_in_a_bag(folder, tmp_path, capsys):
    command = ["deliver", str(folder.output), "--to", str(tmp_path / "bags"), "--bag_photos", "1"]
    assert cli.main(command) == 0
    assert capsys.readouterr().err.endswith("bags: photos 2, left out 0, bags 2, complete before 0\n")
    (folder.output / "b.jpg").write_bytes(b"changed")
    command[3] = str(tmp_path / "more")
    assert cli.main(command) == 1
    out, err = capsys.readouterr()
    assert out == "bag-00002: left out: b.jpg has changed since it was recorded\n"
    assert "left out 1" in err


def test_bags_that_are_not_of_this_delivery_are_named(folder, tmp_path, capsys):
    command = ["deliver", str(folder.output), "--to", str(tmp_path / "bags"), "--bag_photos", "1"]
    assert cli.main(command) == 0
    folder.records.pop()
    for path in (folder.output / "manifest").iterdir():
        path.unlink()
    folder.write()
    capsys.readouterr()
    assert cli.main(command) == 1
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'bags' / 'bag-00002'} is of an earlier delivery, which had more photos; remove it\n"
    assert err.endswith("photos 1, left out 0, bags 1, complete before 1\n")


def test_a_delivery_from_which_every_photo_is_left_out_has_no_bags(folder, tmp_path, capsys):
    for name in ("a.jpg", "b.jpg"):
        (folder.output / name).unlink()
    assert cli.main(["deliver", str(folder.output), "--to", str(tmp_path / "bags")]) == 1
    assert capsys.readouterr().err.endswith("bags: photos 0, left out 2, bags 0, complete before 0\n")


@pytest.mark.parametrize("name", ["", "aux.jpg", "box. /c.jpg"])
def test_names_that_windows_cannot_store_are_counted_and_one_is_named(folder, tmp_path, name, capsys):
    if name:
        first = folder.records[0].outputs[0]
        folder.add(name, b"scan", b"colour", [])
        output = replace(first, name=name, sha256=sha256(b"colour"))
        folder.records[-1] = replace(folder.records[-1], outputs=(output,))
        folder.write()
    assert cli.main(["deliver", str(folder.output), "--to", str(tmp_path / "bags"), "--scans"]) == 0
    out = capsys.readouterr().out
    said = f"2 files have names that Windows cannot store, such as bag-00001/data/colour/{name}; "
    assert out.startswith(said) if name else not out
    assert out.count("\n") == bool(name)


def test_records_that_are_lost_are_told_and_the_delivery_is_not_complete(folder, tmp_path, capsys):
    shard = folder.output / "manifest" / "photos-00000-of-00001.jsonl"
    first, *_ = shard.read_text().splitlines(keepends=True)
    shard.write_text(f"{first}torn\n")
    assert cli.main(["deliver", str(folder.output), "--to", str(tmp_path / "bags")]) == 1
    out, err = capsys.readouterr()
    assert out == (
        "manifest/photos-00000-of-00001.jsonl line 2 is not a record: its photos are in no bag; run the same "
        "`autochrome colorize` again to repair it, and deliver into another folder\n"
    )
    assert "photos 1," in err


def test_if_all_records_are_lost_the_folder_does_not_count_as_one_without_photos(folder, tmp_path, capsys):
    [shard] = folder.output.glob("manifest/photos-*")
    shard.write_text("torn\n")
    assert cli.main(["deliver", str(folder.output), "--to", str(tmp_path / "bags")]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("manifest/photos-00000-of-00001.jsonl line 1 is not a record: its photos are in no bag; ")
    assert err.endswith("bags: photos 0, left out 0, bags 0, complete before 0\n")


def test_photos_that_are_not_there_yet_make_a_delivery_incomplete(tmp_path, photos, capsys):
    made = Folder(tmp_path)
    part = Path(partitions.folder_of(str(made.output), Partition(2, 2)))
    write_manifest(part, [made.add("a.jpg", b"scan", b"colour", [photos["chelsea"][:8, :8]])])
    command = ["deliver", str(made.output), "--to", str(tmp_path / "bags")]
    lacks = "has 2/2, and lacks 1/2: deleted, or not colorized yet"
    assert cli.main(command) == 1
    assert capsys.readouterr().out == f"manifest/partitions {lacks}: its photos are in no bag\n"
    assert cli.main(["report", str(made.output)]) == 0
    assert f"{made.output}/manifest/partitions {lacks}\n" in capsys.readouterr().out
    write_manifest(Path(partitions.folder_of(str(made.output), Partition(1, 2))), [])
    assert cli.main(command) == 0
    (part / "manifest" / "journal").mkdir()
    (part / "manifest" / "journal" / "0a-1-0b.jsonl").touch()
    assert cli.main(command) == 1
    assert "a run is not done or was killed" in capsys.readouterr().out


def test_chroma_in_place_of_pictures_gets_no_manifest_for_a_viewer(folder, tmp_path, capsys):
    settings = Settings(sidecar="only")
    recipe = Recipe(model="m", model_digest="ab" * 32, settings=settings, settings_digest=settings.digest())
    run_list.begin(str(folder.output), recipe)
    command = ["deliver", str(folder.output), "--to", str(tmp_path / "bags"), "--scans", "--url", "https://a.example"]
    assert cli.main(command) == 2
    assert "has chroma files in place of pictures, which no viewer shows; leave out --url" in capsys.readouterr().err
    assert cli.main(command[:-2]) == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--to", "colour/bags"], "overlap"),
        (["--to", "bags", "--url", "https://a.example"], "add --scans"),
        (["--to", "bags", "--scans", "--url", "a.example"], "must start with https://"),
        (["--to", "bags", "--bag_gb", "0"], "above 0"),
        ([], "--to"),
    ],
)
def test_a_mistake_is_one_line(folder, argv, said, capsys, monkeypatch):
    monkeypatch.chdir(folder.output.parent)
    assert cli.main(["deliver", "colour", *argv]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
