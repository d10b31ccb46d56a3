"""A run in which every photo was rejected says that it made nothing, and has not failed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import cli


def tar(root: Path) -> str:
    (root / "scans.tar").write_bytes(b"junk")
    return "scans.tar"


def folder(root: Path) -> str:
    (root / "scans").mkdir()
    (root / "scans" / "a.jpg").write_bytes(b"junk")
    (root / "scans" / "a.txt").write_bytes(b"a caption")
    return "scans"


@pytest.mark.parametrize(("command", "make"), [("colorize", tar), ("prepare", folder)])
def test_a_run_that_can_make_nothing_says_so_in_its_last_line(
    command: str, make: Callable[[Path], str], tmp_path, saved_model_dir, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    more = [f"--model={saved_model_dir}"] if command == "colorize" else ["--size=32"]
    assert cli.main([command, make(tmp_path), "made", "--direct_num_workers=1", *more]) == 0
    *_, last = capfd.readouterr().err.splitlines()
    assert last == "autochrome: nothing was made: the only photo was rejected; made/rejected.jsonl says why"
