"""Runs of `colorize` into a folder whose photos somebody has worked on since."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from colorize_job import digests, recorded

from pipelines import colorize
from pipelines.files import contents
from pipelines.files.contents import sha256


@pytest.fixture
def scans(tmp_path, grey_photos, encoded) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for index, (name, pixels) in enumerate(grey_photos.items()):
        (folder / f"{name}.jpg").write_bytes(encoded(pixels[:120, : 130 + index], "JPEG"))
    return folder


@pytest.fixture
def run(scans, tmp_path, saved_model_dir) -> Callable[..., dict[str, int]]:
    """Runs the job; gives what it did: inputs by outcome, and counts of the last run."""

    def runs(*flags: str) -> dict[str, int]:
        output = tmp_path / "out"
        assert colorize.main([f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}", *flags]) == 0
        last = json.loads((output / "manifest" / "last_run.json").read_text())
        report = json.loads((output / "report.json").read_text())
        counts = {name: last[name] for name in ("made", "found", "kept", "replaced", "removed")}
        return {name: count for name, count in counts.items() if count} | {"outcomes": report["outcomes"]}

    return runs


def retouch(path: Path) -> bytes:
    """Changes a photo in place as `exiftool -P` does: the same size, the old time of change."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return bytes(data)


def fingerprints(out: Path) -> dict[str, str]:
    """What the timings say of the files: where that is what a listing says, no later run opens them."""
    lines = (out / "manifest" / "timings-00000-of-00001.jsonl").read_text().splitlines()
    return {line["name"]: line["outputs"][0] for line in map(json.loads, lines)}


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if path.is_file()} - {"report.json", "rejected.jsonl"}


def said_of(capsys, *what: str) -> list[str]:
    lines = [line.replace("│", " ") for line in capsys.readouterr().out.splitlines()]
    return [" ".join(line.split()) for line in lines if any(one in line for one in what)]


def test_before_files_are_replaced_or_removed_the_run_says_so_and_afterwards_counts_them(run, tmp_path, capsys):
    out = tmp_path / "out"
    run()
    retouch(out / "coins.jpg")
    said_of(capsys)

    assert run("--format=png", "--dry_run")["made"] == 3  # of the run before
    assert said_of(capsys, "\t", "inputs;") == [
        *("make camera.jpg", "remove camera.jpg camera.jpg", "keep, changed since coins.jpg"),
        *("make moon.jpg", "remove moon.jpg moon.jpg"),
        f"{out}: 3 inputs; keep, changed since: 1, make: 2, files to remove: 2",
    ]
    assert run("--format=png") == {
        "made": 2,
        "found": 1,
        "kept": 1,
        "removed": 2,
        "outcomes": {"kept": 1, "written": 2},
    }
    assert names(out) == {"camera.jpg.png", "coins.jpg", "moon.jpg.png"}
    # The digest of the photo that somebody changed is compared by the workers only.
    assert said_of(capsys, "earlier runs", "made  ", "kept  ", "files removed") == [
        f"{out}: up to 3 files of earlier runs with another model or other settings will be replaced or removed "
        "(--dry_run lists them, --keep_existing keeps them)",
        *("kept 1", "made 2", "kept 1", "files removed 2"),
    ]

    flags = ("--format=png", "--quality=80", "--replace_changed")
    run(*flags, "--dry_run")
    assert said_of(capsys, "\t")[0] == "make, replaces camera.jpg.png camera.jpg"
    assert run(*flags)["made"] == 3
    assert said_of(capsys, "earlier runs", "found done", "kept  ") == [
        f"{out}: up to 3 files of earlier runs with another model or other settings will be replaced or removed "
        "(--dry_run lists them, --keep_existing keeps them)"
    ]
    run(*flags)
    assert said_of(capsys, "earlier runs", "made  ", "found done") == ["made 0", "found done 3"]


def test_a_photo_changed_by_hand_is_never_written_over_unless_asked_for(run, tmp_path):
    out = tmp_path / "out"
    assert run() == {"made": 3, "outcomes": {"written": 3}}
    made, first = digests(out), recorded(out)
    assert fingerprints(out) == {name: contents.fingerprint(str(out / name)) for name in names(out)}
    retouched = retouch(out / "coins.jpg")
    with (out / "moon.jpg").open("ab") as file:
        file.write(b"a rating")
    rated = (out / "moon.jpg").read_bytes()

    for flags in ([], ["--quality=80"], ["--keep_existing"]):
        counts = run(*flags)
        assert counts["outcomes"]["kept"] >= 2
        assert fingerprints(out) == {name: contents.fingerprint(str(out / name)) for name in names(out)}
        assert (out / "coins.jpg").read_bytes() == retouched
        assert (out / "moon.jpg").read_bytes() == rated
        for name, data in (("coins.jpg", retouched), ("moon.jpg", rated)):
            record = recorded(out)[name]
            [output] = record["outputs"]
            assert (record["status"], record["warnings"]) == ("kept", ["changed_since"])
            assert (output["sha256"], output["bytes"]) == (sha256(data), len(data))
            assert output["made_sha256"] == made[name]
            kept = ("model", "model_digest", "settings_digest", "run", "sha256", "fingerprint")
            assert {key: record[key] for key in kept} == {key: first[name][key] for key in kept}

    assert run("--replace_changed") == {"made": 3, "replaced": 3, "outcomes": {"written": 3}}
    assert {name: digests(out)[name] for name in names(out)} == {name: made[name] for name in names(out)}
    assert {record["status"] for record in recorded(out).values()} == {"written"}


def test_photos_that_got_no_file_are_not_counted_as_made(run, scans, capsys):
    (scans / "broken.jpg").write_bytes(b"no photo")
    assert run()["outcomes"] == {"unreadable": 1, "written": 3}
    assert said_of(capsys, "this run", "made  ", "left out  ") == ["this run ┃ number", "made 3", "left out 1"]
