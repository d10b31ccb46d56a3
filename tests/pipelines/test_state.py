"""`--state`: the manifest and the reports in another folder than the photos."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from colorize_job import recorded

from pipelines import colorize, report
from pipelines.viewer import html
from tfrecords.errors import UserError


@pytest.fixture(scope="module")
def scans(tmp_path_factory, grey_photos, encoded: Callable[..., bytes]) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for index in range(3):
        (folder / f"{index}.png").write_bytes(encoded(grey_photos["coins"][index : index + 60, :80], "PNG"))
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_output_holds_photos_and_nothing_else(scans, saved_model_dir, tmp_path, capsys):
    out, state = tmp_path / "colour", tmp_path / "records" / "of colour"
    flags = [f"--input={scans}", f"--output={out}", f"--model={saved_model_dir}", f"--state={state}"]
    assert colorize.main([*flags, "--limit=1"]) == 0
    # What a killed run left is found in both folders, and a stranger's manifest in the output is not read.
    for folder in (out, state / "manifest"):
        (folder / ".late.0123456789abcdef0123456789abcdef.part").write_bytes(b"half")
    (out / "manifest").mkdir()
    (out / "manifest" / "photos-00000-of-00001.jsonl").write_text("not ours\n")
    capsys.readouterr()
    assert colorize.main([*flags, "--dry_run"]) == 0
    assert "3 inputs" in capsys.readouterr().out
    assert colorize.main(flags) == 0
    assert f"next: autochrome report {out} --state '{state}'" in capsys.readouterr().out
    assert report.main([str(out), f"--state={state}"]) == 0
    assert files(out) == {"0.png", "1.png", "2.png", "manifest/photos-00000-of-00001.jsonl"}
    assert {"report.json", "rejected.jsonl", "index.html", "manifest/runs.json"} <= files(state)
    assert not [name for name in files(state) if ".part" in name or "journal" in name or "lease" in name]
    last = json.loads((state / "manifest" / "last_run.json").read_text())
    assert (last["made"], last["found"], last["damaged"]) == (2, 1, [])
    assert len(recorded(state)) == 3
    assert '"place":"../../colour/"' in (state / "report" / "index.js").read_text()


def test_records_in_the_output_are_not_passed_over(scans, saved_model_dir, tmp_path):
    flags = [f"--input={scans}", f"--output={tmp_path / 'colour'}", f"--model={saved_model_dir}"]
    assert colorize.main([*flags, "--limit=1"]) == 0
    before = files(tmp_path)
    with pytest.raises(UserError, match=r"holds records of earlier runs; copy its folder manifest to .*state first"):
        colorize.main([*flags, f"--state={tmp_path / 'state'}"])
    assert files(tmp_path) == before
    with pytest.raises(UserError, match="no manifest"):
        report.main([str(tmp_path / "colour"), f"--state={tmp_path / 'state'}"])


def test_a_state_among_the_photos_or_of_one_file_is_refused(scans, saved_model_dir, tmp_path):
    flags = [f"--input={scans}", f"--output={tmp_path / 'colour'}", f"--model={saved_model_dir}"]
    with pytest.raises(UserError, match=r"--state .* and .* overlap"):
        colorize.main([*flags, f"--state={scans / 'state'}"])
    one = [f"--input={scans / '1.png'}", f"--output={tmp_path / 'a.png'}", flags[2], f"--state={tmp_path / 'state'}"]
    with pytest.raises(UserError, match="--state is for folders"):
        colorize.main(one)
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("photos", "state", "address"),
    [
        ("/a/colour", "/a/colour", ""),
        ("/a/colour/", "/a/colour", ""),
        ("/a/colour", "/a/colour/state", "../"),
        ("/a/ü b", "/a/c", "../%C3%BC%20b/"),
        ("/a/caf\udce9", "/a/c", "../caf%E9/"),
        ("/a/caf\udce9", "gs://b/state", "file:///a/caf%E9/"),
        ("gs://b/ü b", "/a/c", "https://storage.cloud.google.com/b/%C3%BC%20b/"),
        ("gs://b/colour", "gs://other/state", "https://storage.cloud.google.com/b/colour/"),
        ("/a/colour", "gs://b/state", "file:///a/colour/"),
    ],
)
def test_the_page_finds_the_photos(photos, state, address):
    assert html.address_of(photos, state) == address
