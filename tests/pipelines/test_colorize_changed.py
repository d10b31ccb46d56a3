"""Runs of `colorize` into a folder whose photos somebody has worked on since."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from colorize_job import digests, recorded

from pipelines import colorize
from pipelines.contents import sha256


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


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if path.is_file()} - {"report.json", "rejected.jsonl"}


def test_a_photo_changed_by_hand_is_never_written_over_unless_asked_for(run, tmp_path):
    out = tmp_path / "out"
    assert run() == {"made": 3, "outcomes": {"written": 3}}
    made, first = digests(out), recorded(out)
    retouched = retouch(out / "coins.jpg")
    with (out / "moon.jpg").open("ab") as file:
        file.write(b"a rating")
    rated = (out / "moon.jpg").read_bytes()

    for flags in ([], [], ["--quality=80"], ["--keep_existing"]):
        counts = run(*flags)
        assert counts["outcomes"]["kept"] >= 2
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
