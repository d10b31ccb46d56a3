"""`colorize` into a folder whose manifest was damaged: nothing is silent, nothing is lost, equal files stay."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import messages
import pytest
from colorize_job import digests, identities, recorded

from pipelines import colorize
from pipelines.archive import manifest
from pipelines.archive.journal import Journal
from pipelines.archive.manifest import Record

SHARD = "manifest/photos-00000-of-00001.jsonl"
PHOTOS = 5


@pytest.fixture(scope="module")
def run(tmp_path_factory, grey_photos, encoded: Callable[..., bytes], saved_model_dir) -> Callable[[Path], dict]:
    """Colorizes five photos; gives what the run did."""
    scans = tmp_path_factory.mktemp("scans")
    for index in range(PHOTOS):
        (scans / f"{index}.png").write_bytes(encoded(grey_photos["coins"][index : index + 60, :80], "PNG"))

    def runs(output: Path) -> dict:
        assert colorize.main([f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
        return json.loads((output / "manifest" / "last_run.json").read_text())

    return runs


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "out"
    assert run(output)["damaged"] == []
    return output


@pytest.fixture
def out(whole, tmp_path) -> Path:
    """A copy of the folder, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


def test_an_emptied_shard_is_told_and_written_again_from_what_the_photos_are(run, whole, out, capfd):
    (out / "3.png").write_bytes((out / "3.png").read_bytes() + b"retouched")
    before = identities(out)
    (out / SHARD).write_bytes(b"")
    last = run(out)
    assert last["damaged"] == [f"{SHARD} has 0 of its 5 records"]
    (line,) = messages.lasting(capfd.readouterr().err)
    assert line.startswith(f"autochrome: {out / SHARD} has 0 of its 5 records; photos without a record are made again")
    assert identities(out) == before, "equal files stay, and changed ones too"
    again, first = recorded(out), recorded(whole)
    assert again.pop("3.png")["warnings"] == ["occupied"]
    del first["3.png"]
    assert again == first
    assert run(out)["damaged"] == []


def test_a_corrupt_line_costs_its_own_photo_and_is_told(run, whole, out):
    lines = (out / SHARD).read_bytes().splitlines(keepends=True)
    (out / SHARD).write_bytes(b"".join([*lines[:2], lines[2][:100] + b"\n", *lines[3:]]))
    journal = Journal(str(out), "killed")
    journal.add(Record.from_json(lines[4].decode()))
    journal.close()
    (path,) = (out / manifest.JOURNAL).iterdir()
    path.write_bytes(b"\0\0\n" + path.read_bytes() + b'{"torn')
    last = run(out)
    assert last["damaged"] == [
        f"manifest/journal/{path.name} line 1 is not a record",
        f"{SHARD} line 3 is not a record",
    ]
    assert (last["made"], last["found"]) == (1, 4)
    assert digests(out) == digests(whole)
    assert identities(out).keys() == identities(whole).keys()


def test_what_is_left_of_a_changed_shard_is_compared_with_the_files(run, whole, out):
    text = (out / SHARD).read_text()
    first = recorded(whole)["0.png"]["outputs"][0]["sha256"]
    (out / SHARD).write_text(text.replace(first, "0" * 64))
    last = run(out)
    assert last["damaged"] == [f"{SHARD} was changed since it was written"]
    told = recorded(out)["0.png"]
    assert told["outputs"][0]["sha256"] == first, "the record tells what the file holds"
    assert recorded(out).keys() == recorded(whole).keys()


def test_what_a_changed_shard_says_of_sources_and_outcomes_is_not_taken_over(run, whole, out):
    lines = [json.loads(line) for line in (out / SHARD).read_text().splitlines()]
    lines[0]["sha256"] = "0" * 64
    lines[1] |= {"status": "rejected", "reason": "failed"}
    lines[2] |= {"status": "skipped"}
    (out / SHARD).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(out)["damaged"] == [f"{SHARD} was changed since it was written"]
    assert recorded(out) == recorded(whole)
    assert identities(out).keys() == identities(whole).keys()
