"""The command `autochrome verify` over one folder, in this process and as a job."""

import json
import re
import subprocess
import sys

import pytest
from colorized_folder import Folder

from pipelines import cli
from pipelines.archive import provenance
from pipelines.archive.provenance import Recipe, Settings


@pytest.fixture
def folder(tmp_path, photos) -> Folder:
    made = Folder(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        made.add(name, b"scan", b"colour of " + name.encode(), [photos["chelsea"][:8, :8]])
    made.write()
    return made


def test_the_exit_code_says_whether_anything_differs(folder, capsys):
    assert cli.main(["verify", str(folder.output), "--sources"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "autochrome: file same 2, source same 2\n" in err
    (folder.output / "a.jpg").write_bytes(b"colour of c.jpg")
    assert cli.main(["verify", str(folder.output)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("file a.jpg changed: recorded ")
    assert "file changed 1, file same 1" in err


def test_a_job_writes_the_lines_that_are_printed_otherwise(folder, tmp_path, capsys):
    (folder.output / "a.jpg").unlink()
    assert cli.main(["verify", str(folder.output), "--sources", "--report", str(tmp_path / "checked")]) == 1
    lines = (tmp_path / "checked" / "checks-00000-of-00001.jsonl").read_text().splitlines()
    capsys.readouterr()
    cli.main(["verify", str(folder.output), "--sources", "--json"])
    assert sorted(lines) == sorted(capsys.readouterr().out.splitlines())
    assert {(line["kind"], line["verdict"]) for line in map(json.loads, lines)} == {
        ("file", "same"),
        ("file", "missing"),
        ("source", "same"),
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--runner=FlinkRunner"], "needs --report DIR"), (["--report", "inside"], "overlap")],
)
def test_a_mistake_is_one_line(folder, more, said, capsys, monkeypatch):
    monkeypatch.chdir(folder.output)
    assert cli.main(["verify", str(folder.output), *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(borders="keep", watermark="off", sidecar="/chroma", label="on")]
)
def test_a_stranger_computes_the_digest_of_the_settings_as_the_page_says(folder, repository, settings, capsys):
    recipe = Recipe(model="m", model_digest="ab" * 32, settings=settings, settings_digest=settings.digest())
    provenance.begin(str(folder.output), recipe)
    page = (repository / "docs" / "audit.md").read_text()
    script = re.search(r"python3 -c '(.*?)' colour/", page, re.DOTALL)[1].replace("\n    ", "\n")
    command = [sys.executable, "-c", script, str(folder.output / "manifest" / "runs.json")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == settings.digest()
    assert cli.main(["verify", str(folder.output)]) == 0
    assert "settings same 1" in capsys.readouterr().err
