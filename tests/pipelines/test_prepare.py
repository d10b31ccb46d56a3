import json
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import google_crc32c
import messages
import numpy as np
import pytest
from prepare_job import digests
from prepared_folder import examples
from skimage import color

from pipelines import prepare
from pipelines.dataset.claim import Listing
from pipelines.dataset.job import Prepare
from pipelines.dataset.prepare_photos import PreparePhotos, Settings, describe
from pipelines.dataset.shard_writer import ShardReport
from pipelines.dataset.sharding import is_held_out
from pipelines.errors import JobFailedError
from pipelines.runtime import runners
from pipelines.runtime.outcomes import Outcome
from tfrecords import dataset
from tfrecords.description import FILE_NAME, Description
from tfrecords.example import LabExample
from tfrecords.shards import Shard, read_records
from tfrecords.statistics import Statistics

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
    assert names == {FILE_NAME, "rejected.jsonl", "parts"}
    accounts = {f"{path.name}.json" for path in prepared.glob("*.tfrecord")}
    assert {path.name for path in (prepared / "parts").iterdir()} == {"claim.json", *accounts}


def test_it_trains(prepared, photos):
    pairs = [pair for split in ("train", "validation") for pair in dataset.load(str(prepared), split)]
    assert len(pairs) == 10
    chroma = np.mean([np.abs(chroma).mean() for _, chroma in pairs]) * 128
    assert chroma == pytest.approx(
        np.mean([np.abs(color.rgb2lab(p)[..., 1:]).mean() for p in photos.values()]), rel=0.5
    )


def test_again_and_by_two_processes_the_bytes_are_the_same(prepared, photo_tree, tmp_path):
    command = [sys.executable, "-m", "pipelines.prepare", f"--input={photo_tree}", f"--output={tmp_path}", *FLAGS]
    processes = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    done = subprocess.run([*command, *processes], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert messages.lasting(done.stderr) == []
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


def test_names_that_are_not_utf_8(tmp_path, photos, encoded):
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
            Prepare(str(photo_tree), PreparePhotos(str(tmp_path / "file"), Settings(size=32))),
            runners.beam_options(["--direct_num_workers=1"]),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def part(split: str, name: str, count: int, *reasons: str) -> ShardReport:
    rejected = [Outcome(name=reason, status="rejected", reason=reason) for reason in reasons]
    statistics = Statistics(examples=count, record_bytes=100 * count)
    return ShardReport(
        split=split,
        shard=Shard(name=name, count=count, bytes=10 * count, crc32c=count),
        rejected=rejected,
        statistics=statistics,
        sources="",
    )


def test_describe_is_in_order_whatever_comes_first():
    parts = [
        part("validation", "v0", 1, "toned"),
        part("train", "t1", 2, "toned"),
        part("train", "t0", 0, "grayscale"),
        part("train", "t2", 5),
    ]
    told = ({"toned": 2, "grayscale": 1}, Settings(), Listing(photos=11, fingerprint="ab"))
    description = describe(parts, *told)
    assert describe(parts[::-1], *told) == description
    assert [shard.name for shard in description.splits["train"]] == ["t0", "t1", "t2"]
    assert description.outcomes == {"grayscale": 1, "toned": 2, "written": 8}
    assert sum(description.outcomes.values()) == description.sources["photos"]
    assert description.statistics["train"]["record_bytes"] == 700


def test_the_statistics_are_those_of_the_examples(prepared):
    description = Description.from_json((prepared / FILE_NAME).read_text())
    for split in ("train", "validation"):
        found = [e for e in examples(prepared) if is_held_out(e.name, 30) == (split == "validation")]
        statistics = description.statistics[split]
        assert statistics["examples"] == len(found) == description.count(split)
        assert statistics["largest_photo"] == max(e.height * e.width for e in found)
        assert statistics["synsets"] == Counter(e.synset for e in found)
        assert np.sum(statistics["luminance"]) == np.sum(statistics["chroma"]) == len(found) * 32 * 32
        a = np.concatenate([e.chroma[::2, ::2, 0].ravel() for e in found]).astype(int) - 128
        by_a = np.sum(statistics["chroma"], axis=1)
        # Counted before chroma is stored as a JPEG.
        assert by_a[11] == pytest.approx(np.sum((a >= -5) & (a < 5)), rel=0.03)


def test_equal_photos_are_taken_once(tmp_path, photos, encoded):
    folder = tmp_path / "photos"
    (folder / "b").mkdir(parents=True)
    photo = encoded(photos["coffee"], "PNG")
    for name in ("b/again.png", "a.png", "c.jpg"):
        (folder / name).write_bytes(photo)
    # As many bytes, and the same end, but another photo.
    other = encoded(photos["coffee"][::-1], "PNG")
    (folder / "z.png").write_bytes(other + bytes(max(0, len(photo) - len(other))))
    output = tmp_path / "records"
    assert prepare.main([f"--input={folder}", f"--output={output}", "--size=32", "--direct_num_workers=1"]) == 0
    assert {example.name for example in examples(output)} == {"a.png", "z.png"}
    lines = [json.loads(line) for line in (output / "rejected.jsonl").read_text().splitlines()]
    assert [(line["name"], line["reason"], line["detail"]) for line in lines] == [
        ("b/again.png", "duplicate", "the same bytes as a.png"),
        ("c.jpg", "duplicate", "the same bytes as a.png"),
    ]


def test_tars_give_the_records_of_the_folder(prepared, photo_tree, tmp_path):
    with tarfile.open(tmp_path / "all.tar", "w") as outer:
        for path in sorted(photo_tree.iterdir()):
            if path.is_dir() and path.name.startswith("n"):
                inner = tmp_path / f"{path.name}.tar"
                with tarfile.open(inner, "w") as tar:
                    tar.add(path, arcname=".")
                outer.add(inner, arcname=inner.name)
            else:
                outer.add(path, arcname=path.name)
    output = tmp_path / "records"
    flags = [*FLAGS, "--direct_num_workers=1"]
    assert prepare.main([f"--input={tmp_path}/all.tar", f"--output={output}", *flags]) == 0
    assert {p.name: digests(output)[p.name] for p in output.glob("*.tfrecord")} == {
        p.name: digests(prepared)[p.name] for p in prepared.glob("*.tfrecord")
    }
