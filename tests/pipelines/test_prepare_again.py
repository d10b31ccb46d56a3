"""`prepare` into a folder that an earlier run has filled: finished shards stay, and other work is refused."""

import os
import shutil
from pathlib import Path

import pytest
from prepare_job import digests
from prepared_folder import examples
from this_thread import here

from pipelines import prepare
from pipelines.dataset import prepare_photos
from tfrecords.description import FILE_NAME
from tfrecords.errors import UserError

FLAGS = ["--size=64", "--num_shards=3", "--validation_percent=30"]


@pytest.fixture(scope="module")
def prepared(photo_tree, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("prepared") / "records"
    assert prepare.main([f"--input={photo_tree}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0
    return output


def test_finished_shards_are_not_opened_again(prepared, photo_tree, tmp_path):
    output = tmp_path / "records"
    shutil.copytree(prepared, output)
    lost, *kept = sorted(output.glob("train-*.tfrecord"))
    lost.unlink()
    (output / FILE_NAME).unlink()
    before = {path: path.stat().st_ino for path in kept}
    assert prepare.main([f"--input={photo_tree}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0
    assert digests(output) == digests(prepared)
    assert {path: path.stat().st_ino for path in kept} == before


@pytest.mark.parametrize(
    ("flags", "difference"),
    [
        (["--size=32"], "size was 64, now 32"),
        (["--num_shards=4"], "num_shards was 3, now 4"),
        (["--validation_percent=0"], "validation_percent was 30.0, now 0.0"),
    ],
)
def test_another_run_s_folder_is_refused_and_untouched(prepared, photo_tree, flags, difference):
    before = digests(prepared)
    with pytest.raises(UserError, match=difference):
        prepare.main([f"--input={photo_tree}", f"--output={prepared}", *FLAGS, *flags, "--direct_num_workers=1"])
    assert digests(prepared) == before


def test_records_of_another_size_are_made_again_when_the_claim_is_lost(prepared, photo_tree, tmp_path):
    output = tmp_path / "records"
    shutil.copytree(prepared, output)
    (output / "parts" / "claim.json").unlink()
    assert (
        prepare.main([f"--input={photo_tree}", f"--output={output}", *FLAGS, "--size=32", "--direct_num_workers=1"])
        == 0
    )
    assert {example.luminance.shape for example in examples(output)} == {(32, 32)}


def test_other_sources_are_refused_and_overwritten_when_told(prepared, photo_tree, tmp_path):
    output = tmp_path / "records"
    shutil.copytree(prepared, output)
    mine = output / "notes.txt"
    mine.write_text("mine")
    command = [f"--input={photo_tree}/n00000000", f"--output={output}", *FLAGS, "--direct_num_workers=1"]
    with pytest.raises(UserError, match="there were 17 photos, now 3"):
        prepare.main(command)
    assert prepare.main([*command, "--num_shards=1", "--overwrite"]) == 0
    mine.unlink()
    fresh = tmp_path / "fresh"
    assert prepare.main([command[0], f"--output={fresh}", *command[2:], "--num_shards=1"]) == 0
    assert digests(output) == digests(fresh)


def test_clearing_first_removes_what_says_that_the_set_is_whole(prepared, tmp_path, monkeypatch):
    output = tmp_path / "records"
    shutil.copytree(prepared, output)
    removed = []
    remove = os.unlink

    def noted(path: str, **at: int) -> None:
        removed.append(Path(path).name)
        remove(path, **at)

    monkeypatch.setattr(os, "unlink", here(noted, remove))
    prepare_photos._clear(str(output))
    assert removed[0] == FILE_NAME
    assert [path.name for path in output.rglob("*") if path.is_file()] == ["claim.json"]


def test_photos_that_were_only_touched_are_the_same_and_changed_ones_are_noticed(photo_tree, tmp_path):
    photos, output = tmp_path / "photos", tmp_path / "records"
    shutil.copytree(photo_tree / "n00000000", photos)
    command = [f"--input={photos}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]
    assert prepare.main(command) == 0
    shards = {path: path.stat().st_mtime_ns for path in output.glob("*.tfrecord")}
    for photo in photos.iterdir():
        os.utime(photo, (1, 1))
    assert prepare.main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in output.glob("*.tfrecord")} == shards
    # Other bytes of the same size: the shard of this photo alone is made again.
    [tif] = photos.glob("*.tif")
    tif.write_bytes(tif.read_bytes()[:-1000] + bytes(1000))
    assert prepare.main(command) == 0
    after = {path: path.stat().st_mtime_ns for path in output.glob("*.tfrecord")}
    assert sum(after[path] != time for path, time in shards.items()) == 1
    with tif.open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match="photos were changed, renamed or replaced"):
        prepare.main(command)
