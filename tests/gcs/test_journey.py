"""prepare, inspect, train, evaluate, colorize and report from bucket to bucket, where one request in eight fails.

The same journey on a disk, undisturbed, makes the files that the bucket's are compared with.
"""

import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import journey
import pytest
from clouds import Cloud
from faults import CUT_DOWNLOAD, CUT_UPLOAD, LOST_ANSWER, SLOW, STATUSES

from pipelines import cli, colorize
from pipelines.archive.journal import Journal
from pipelines.archive.ledger import Ledger
from pipelines.files import storage
from pipelines.inspect import verify
from tfrecords.description import FILE_NAME, Description

PREPARED = ("--size=32", "--num_shards=3", "--validation_percent=25", "--direct_num_workers=1")
PHOTOS = 22


@pytest.fixture(scope="module")
def tree(photo_tree, photos, encoded, tmp_path_factory) -> Path:
    """The tree of photos with a tar of photos, which holds another tar of photos."""
    root = tmp_path_factory.mktemp("journey") / "photos"
    crops = {f"{name}.jpg": encoded(pixels[20:200, 30:260], "JPEG", quality=92) for name, pixels in photos.items()}
    inside = root.parent / "inside"
    inside.mkdir()
    for name, data in crops.items():
        (inside / name).write_bytes(data)
    (inside / "copy.png").write_bytes(encoded(photos["coffee"][:180, :230], "PNG"))
    root.mkdir()
    for path in photo_tree.rglob("*"):
        if path.is_file():
            target = root / path.relative_to(photo_tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    with tarfile.open(root.parent / "box.tar", "w") as tar:
        for name in ("chelsea.jpg", "copy.png"):
            tar.add(inside / name, name)
    with tarfile.open(root / "boxes.tar", "w") as tar:
        for name in ("astronaut.jpg", "coffee.jpg", "rocket.jpg"):
            tar.add(inside / name, name)
        tar.add(root.parent / "box.tar", "box.tar")
    return root


class _Disturbed:
    """A process that carries out commands, one after the other, through the proxy.

    Args:
        cloud: behind the proxy.
        commands: of `autochrome`.
        uploads: that the last command makes before the next one is held.
    """

    def __init__(self, cloud: Cloud, commands: list[list[str]], uploads: int | None = None) -> None:
        self._gate = cloud.faults.gate
        self._last = " ".join(commands[-1])
        self._uploads = uploads
        self._told: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, journey.__file__, json.dumps(commands)],
            env=cloud.environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._told.append(line)
            if self._uploads is not None and self._last in line:
                self._gate.shut_after(self._uploads)

    def end(self) -> None:
        """Waits for the end of the last command."""
        self._process.wait()
        self._reader.join()
        assert self._process.returncode == 0, "".join(self._told)

    def kill(self) -> None:
        """Kills it as soon as an upload is held."""
        while not self._gate.is_held():
            assert self._process.poll() is None, "".join(self._told)
            time.sleep(0.05)
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._gate.open()


def _undisturbed(commands: list[list[str]]) -> None:
    """Carries out commands in this process, on the disk."""
    for command in commands:
        assert cli.main(command) == 0


def _photos(cloud: Cloud) -> dict[str, int]:
    """Photos that are in colour by now, and their generations."""
    found = cloud.generations("journey/colour")
    return {name: made for name, made in found.items() if "/" in name and not name.startswith(("manifest/", "report/"))}


def _to_model(source: str, place: str) -> list[list[str]]:
    records, run = f"{place}/records", f"{place}/run"
    train = ["train", f"--data={records}", f"--output={run}", "--config=tiny:CONFIG", "--strategy=one"]
    return [
        ["prepare", f"--input={source}", f"--output={records}", *PREPARED],
        ["inspect", records, "--verify"],
        [*train, "--epochs=1"],
        train,  # goes on with the checkpoint
        ["evaluate", f"--model={run}/saved_model", f"--data={records}", f"--json={place}/scores.json"],
    ]


def _to_colour(source: str, place: str, model: str) -> list[list[str]]:
    return [
        ["colorize", f"--input={source}", f"--output={place}/colour", f"--model={model}"],
        ["report", f"{place}/colour"],
        ["verify", f"{place}/colour", "--sources"],
    ]


@pytest.fixture(scope="module")
def local(tree, usual_cloud: Cloud, tmp_path_factory) -> Path:
    """Where the undisturbed journey ends; the other one is in the bucket, below ``journey``."""
    place, remote = tmp_path_factory.mktemp("local"), usual_cloud.uri("journey")
    source = usual_cloud.upload(tree, "photos")
    prepare, *_ = _to_model(source, remote)
    # A probe, the claim, a shard, its account, a shard.
    _Disturbed(usual_cloud, [prepare], uploads=5).kill()
    shards = [name for name in usual_cloud.generations("journey/records") if name.endswith(".tfrecord")]
    assert 0 < len(shards) < 4
    to_colour = _to_colour(source, remote, f"{remote}/run/saved_model")
    # A probe, the lease, the number of the run, then photos.
    disturbed = _Disturbed(usual_cloud, [*_to_model(source, remote), to_colour[0]], uploads=6)
    _undisturbed(_to_model(str(tree), str(place)))
    disturbed.kill()

    for name, data in usual_cloud.files("journey/run/saved_model").items():
        path = place / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    before = _photos(usual_cloud)
    assert before
    disturbed = _Disturbed(usual_cloud, to_colour)
    _undisturbed(_to_colour(str(tree), str(place), str(place / "model")))
    disturbed.end()
    assert before.items() <= _photos(usual_cloud).items(), "what was there before the kill was written again"
    return place


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_faults_of_every_kind_were_met(local, usual_cloud: Cloud, capsys):
    injected, requests = usual_cloud.faults.injected, usual_cloud.faults.requests
    with capsys.disabled():
        print(f"\n{requests.total()} requests {dict(requests)}, {injected.total()} faults {dict(injected)}")
    assert set(injected) == {*STATUSES, SLOW, CUT_DOWNLOAD, CUT_UPLOAD, LOST_ANSWER}
    assert injected.total() > 30


def test_the_records_are_those_of_a_disk(local: Path, usual_cloud: Cloud):
    here, there = _files(local / "records"), usual_cloud.files("journey/records")
    assert set(here) == set(there)
    for name in here:
        if name.endswith(".tfrecord"):
            assert here[name] == there[name], name
    one, other = (Description.from_json(files[FILE_NAME].decode()) for files in (here, there))
    assert (one.outcomes, one.splits, one.statistics) == (other.outcomes, other.splits, other.statistics)
    assert sum(one.outcomes.values()) == PHOTOS
    assert all(one.count(split) for split in one.splits)
    faults = [verify(usual_cloud.uri("journey/records"), shard) for shards in other.splits.values() for shard in shards]
    assert set(faults) == {""}


def test_the_weights_and_scores_are_those_of_a_disk(local: Path, usual_cloud: Cloud):
    here, there = _files(local / "run"), usual_cloud.files("journey/run")
    checkpoints = {name for name in here if name.startswith("checkpoints/")}
    assert checkpoints == {name for name in there if name.startswith("checkpoints/")}
    assert {name for name in here if name.startswith("saved_model/")} == {
        name for name in there if name.startswith("saved_model/")
    }
    weights = "saved_model/variables/variables.data-00000-of-00001"
    assert here[weights] == there[weights]
    # Validations come after a fixed number of steps, other lines by the clock.
    figures = [
        [
            {key: measured[key] for key in ("step", "epoch", "validation_loss", "learning_rate")}
            for measured in map(json.loads, files["metrics.jsonl"].splitlines())
            if "validation_loss" in measured
        ]
        for files in (here, there)
    ]
    assert [line["step"] for line in figures[0]] == [3, 6]
    assert figures[0] == figures[1]
    scores = [json.loads((local / "scores.json").read_text()), json.loads(usual_cloud.files("journey")["scores.json"])]
    for score in scores:
        for row in score["rows"]:
            for key in ("path", "digest", "images_per_s"):
                row.pop(key, None)
    assert scores[0]["rows"] == scores[1]["rows"]


def _facts(record) -> tuple[object, ...]:
    return (record.name, record.status, record.reason, record.bytes, record.sha256, record.outputs, record.warnings)


def test_the_photos_in_colour_are_those_of_a_disk(local: Path, usual_cloud: Cloud):
    here, there = _files(local / "colour"), usual_cloud.files("journey/colour")
    photos = {name for name in here if not name.startswith(("manifest/", "report/")) and "." in Path(name).name}
    photos -= {"report.json", "rejected.jsonl", "index.html"}
    assert photos <= set(there)
    for name in photos:
        assert here[name] == there[name], name
    # Names of thumbnails follow from the digests of photos.
    assert set(here) == set(there)
    assert not [name for name in there if "journal" in name or ".part" in name]
    told = [
        [_facts(r) for r in Ledger.of(f).records()] for f in (str(local / "colour"), usual_cloud.uri("journey/colour"))
    ]
    assert told[0] == told[1]
    assert len(told[0]) == PHOTOS
    reports = [json.loads(files["report.json"]) for files in (here, there)]
    assert reports[0] == reports[1]
    assert sum(reports[0]["outcomes"].values()) == PHOTOS


def test_a_run_goes_on_with_the_journal_of_a_killed_one(local: Path, usual_cloud: Cloud, monkeypatch):
    output = usual_cloud.uri("journey/colour")
    made = usual_cloud.files("journey/colour")
    journal = Journal(output, "ab")
    for record in Ledger.of(output).records():
        journal.add(record)
    journal.close()
    shards = [name for name in storage.names(f"{output}/manifest") if name.startswith(("photos-", "timings-"))]
    storage.remove([f"{output}/report.json", *(f"{output}/manifest/{name}" for name in shards)])
    assert [_facts(record) for record in Ledger.of(output).records()] == [
        _facts(record) for record in Ledger.of(str(local / "colour")).records()
    ]
    flags = [f"--input={usual_cloud.uri('photos')}", f"--output={output}", f"--model={local / 'model'}"]
    assert colorize.main(flags) == 0
    again = usual_cloud.files("journey/colour")
    last = json.loads(again.pop("manifest/last_run.json"))
    assert (last["made"], last["found"]) == (0, PHOTOS)
    del made["manifest/last_run.json"]
    assert again == made
