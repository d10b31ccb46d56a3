import hashlib
import json
import subprocess
import sys
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
from skimage import color

from pipelines import prepare, runners
from pipelines.outcomes import Outcome
from pipelines.prepare import Prepare, Settings, ShardResult, describe
from pipelines.runners import JobFailedError
from tfrecords import dataset
from tfrecords.description import FILE_NAME, Description
from tfrecords.example import LabExample
from tfrecords.shards import Shard, read_records

FLAGS = ["--size=64", "--num_shards=3", "--validation_percent=30"]
REJECTED = {
    **dict.fromkeys(["camera.jpg", "coins.jpg", "moon.jpg", "scans/box 1/turned.jpg"], "grayscale"),
    **dict.fromkeys(["broken/cut short.jpg", "broken/empty.jpg", "broken/letter.jpg"], "unreadable"),
}


@pytest.fixture(scope="module")
def prepared(photo_tree, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("prepared") / "records"
    assert prepare.main([f"--input={photo_tree}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0
    return output


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def examples(folder: Path) -> list[LabExample]:
    found = []
    for path in sorted(folder.glob("*.tfrecord")):
        with path.open("rb") as file:
            found += [LabExample.from_bytes(record) for record in read_records(file)]
    return found


def test_outcomes_add_up_to_the_inputs(prepared, photo_tree):
    outcomes = json.loads((prepared / FILE_NAME).read_text())["outcomes"]
    assert outcomes == {"grayscale": 4, "unreadable": 3, "written": 10}
    assert sum(outcomes.values()) == sum(path.is_file() for path in photo_tree.rglob("*"))


def test_the_description_is_that_of_the_files(prepared):
    description = Description.from_json((prepared / FILE_NAME).read_text())
    shards = [shard for shards in description.splits.values() for shard in shards]
    assert {shard.name for shard in shards} == {path.name for path in prepared.glob("*.tfrecord")}
    for shard in shards:
        data = (prepared / shard.name).read_bytes()
        assert (shard.bytes, shard.crc32c) == (len(data), google_crc32c.value(data))
        with (prepared / shard.name).open("rb") as file:
            assert shard.count == len(list(read_records(file)))
    assert description.count("train") + description.count("validation") == 10
    assert min(description.count("train"), description.count("validation")) > 0
    assert description.settings == {"size": 64, "num_shards": 3, "validation_percent": 30}


def test_every_colour_photo_is_there_once(prepared, photo_tree, photos):
    found = {example.name: example for example in examples(prepared)}
    files = {str(path.relative_to(photo_tree)) for path in photo_tree.rglob("*") if path.is_file()}
    assert set(found) == files - set(REJECTED)
    for name, example in found.items():
        assert example.synset == name.split("/")[0]
    whole = found["n00000002/coffee whole.JPEG"]
    assert (whole.height, whole.width) == photos["coffee"].shape[:2]


def test_rejected_ones_have_their_reasons(prepared, photo_tree):
    lines = [json.loads(line) for line in (prepared / "rejected.jsonl").read_text().splitlines()]
    assert {line["name"]: line["reason"] for line in lines} == REJECTED
    assert [line["name"] for line in lines] == sorted(REJECTED)
    for line in lines:
        assert line["status"] == "rejected"
        assert line["detail"]
        assert line["uri"] == str(photo_tree / line["name"])


def test_nothing_else_is_left(prepared):
    names = {path.name for path in prepared.iterdir() if path.suffix != ".tfrecord"}
    assert names == {FILE_NAME, "rejected.jsonl"}


def test_it_trains(prepared, photos):
    pairs = [pair for split in ("train", "validation") for pair in dataset.load(str(prepared), split)]
    assert len(pairs) == 10
    chroma = np.mean([np.abs(chroma).mean() for _, chroma in pairs]) * 128
    assert chroma == pytest.approx(
        np.mean([np.abs(color.rgb2lab(p)[..., 1:]).mean() for p in photos.values()]), rel=0.5
    )


def test_again_and_by_two_processes_the_bytes_are_the_same(prepared, photo_tree, tmp_path):
    command = [sys.executable, "-m", "pipelines.prepare", f"--input={photo_tree}", f"--output={tmp_path}", *FLAGS]
    done = subprocess.run([*command, "--direct_num_workers=2"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "rejected: grayscale" in done.stdout
    assert digests(tmp_path) == digests(prepared)
    first = digests(tmp_path)
    again = prepare.main([f"--input={photo_tree}", f"--output={tmp_path}", *FLAGS, "--direct_num_workers=1"])
    assert again == 0
    assert digests(tmp_path) == first


def test_photos_that_come_later_move_no_other_to_another_split(prepared, photo_tree, tmp_path, photos, encoded):
    more = tmp_path / "photos"
    more.mkdir()
    for path in photo_tree.iterdir():
        (more / path.name).symlink_to(path) if path.is_file() else _link_tree(path, more / path.name)
    for index in range(6):
        (more / f"late {index}.png").write_bytes(encoded(photos["rocket"][:200, 60 * index : 60 * index + 200], "PNG"))
    output = tmp_path / "records"
    assert prepare.main([f"--input={more}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0

    def validation(folder: Path) -> set[str]:
        return {
            e.name
            for path in folder.glob("validation*")
            for e in map(LabExample.from_bytes, read_records(path.open("rb")))
        }

    assert {name for name in validation(output) if not name.startswith("late")} == validation(prepared)
    assert len(examples(output)) == 16


def _link_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file():
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / path.relative_to(source)).symlink_to(path)


def test_names_that_are_no_utf_8(tmp_path, photos, encoded):
    folder = tmp_path / "photos"
    folder.mkdir()
    written, broken = (raw.decode(errors="surrogateescape") for raw in (b"caf\xe9.png", b"br\xe9.png"))
    (folder / written).write_bytes(encoded(photos["coffee"], "PNG"))
    (folder / broken).write_bytes(b"nothing")
    output = tmp_path / "records"
    assert prepare.main([f"--input={folder}", f"--output={output}", "--size=32", "--direct_num_workers=1"]) == 0
    assert [example.name for example in examples(output)] == [written]
    assert json.loads((output / "rejected.jsonl").read_text())["name"] == broken


def test_a_set_of_grey_photos_only_is_described_as_such(tmp_path, photo_tree):
    pattern = f"{photo_tree}/c*.jpg"
    assert prepare.main([f"--input={pattern}", f"--output={tmp_path}", "--size=32", "--direct_num_workers=1"]) == 0
    description = Description.from_json((tmp_path / FILE_NAME).read_text())
    assert description.outcomes == {"grayscale": 2, "written": 0}
    assert description.count("train") == description.count("validation") == 0


def test_a_disk_that_cannot_be_written_fails_the_job_and_leaves_no_description(tmp_path, photo_tree):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(JobFailedError):
        runners.run(
            Prepare(str(photo_tree), str(tmp_path / "file"), Settings(size=32)),
            runners.beam_options(["--direct_num_workers=1"]),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_describe_is_in_order_whatever_comes_first():
    results = [
        ShardResult("validation", Shard("v0", 1, 10, 1), [Outcome("b", "rejected", "toned")]),
        ShardResult("train", Shard("t1", 2, 20, 2), [Outcome("a", "rejected", "toned")]),
        ShardResult("train", Shard("t0", 0, 0, 0), [Outcome("c", "rejected", "grayscale")]),
    ]
    description = describe(results, Settings())
    assert describe(results[::-1], Settings()) == description
    assert [shard.name for shard in description.splits["train"]] == ["t0", "t1"]
    assert description.outcomes == {"grayscale": 1, "toned": 2, "written": 3}
