"""The command `autochrome verify` over one folder, in this process and as a job."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from colorized_folder import Folder
from whole_manifest import write_manifest

from model import saved_model
from pipelines import cli
from pipelines.archive import partitions, run_list
from pipelines.archive.provenance import Recipe, Settings
from pipelines.runtime.partition import Partition


@pytest.fixture
def folder(tmp_path, photos) -> Folder:
    made = Folder(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        made.add(name, b"scan", b"colour of " + name.encode(), [photos["chelsea"][:8, :8]])
    write_manifest(made.output, made.records)
    return made


def test_the_exit_code_says_whether_anything_differs(folder, capsys):
    assert cli.main(["verify", str(folder.output), "--sources"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "autochrome: file same 2, settings same 1, source same 2\n" in err
    (folder.output / "a.jpg").write_bytes(b"colour of c.jpg")
    assert cli.main(["verify", str(folder.output)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("file a.jpg changed: recorded ")
    assert "file changed 1, file same 1" in err


def test_a_job_writes_the_lines_that_are_printed_otherwise(folder, tmp_path, capsys):
    (folder.output / "a.jpg").unlink()
    (folder.output / "manifest" / "shards.json").unlink()
    assert cli.main(["verify", str(folder.output), "--sources", "--report", str(tmp_path / "checked")]) == 1
    lines = (tmp_path / "checked" / "checks-00000-of-00001.jsonl").read_text().splitlines()
    capsys.readouterr()
    cli.main(["verify", str(folder.output), "--sources", "--json"])
    assert sorted(lines) == sorted(capsys.readouterr().out.splitlines())
    assert {(line["kind"], line["verdict"]) for line in map(json.loads, lines)} == {
        ("file", "same"),
        ("file", "missing"),
        ("source", "same"),
        ("settings", "same"),
        ("records", "missing"),
    }


def test_pictures_that_no_record_names_are_told(folder, tmp_path, capsys):
    for name in ("box/ü (2).JPG", "box/scan.tif.chroma", "c.png", "box/notes.txt", "report/thumbnails/9f/3a.jpg"):
        path = folder.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    assert cli.main(["verify", str(folder.output)]) == 1
    out, err = capsys.readouterr()
    names = ["box/scan.tif.chroma", "box/ü (2).JPG", "c.png"]
    assert sorted(out.splitlines()) == [f"file {name} unrecorded" for name in names]
    assert "file same 2, file unrecorded 3" in err
    assert cli.main(["verify", str(folder.output), "--report", str(tmp_path / "checked")]) == 1
    lines = (tmp_path / "checked" / "checks-00000-of-00001.jsonl").read_text().splitlines()
    assert sorted(one["name"] for one in map(json.loads, lines) if one["verdict"] == "unrecorded") == names
    capsys.readouterr()
    # Names of records that are damaged are not known.
    (folder.output / "manifest" / "last_run.json").unlink()
    for more in ([], ["--report", str(tmp_path / "again")]):
        assert cli.main(["verify", str(folder.output), *more]) == 1
        assert "unrecorded" not in "".join(capsys.readouterr())


def test_pictures_beside_those_with_records_elsewhere_are_not_told(folder, tmp_path, capsys):
    state = str(tmp_path / "state")
    shutil.copytree(folder.output / "manifest", Path(state) / "manifest")
    for name in ("report.json", "rejected.jsonl"):
        shutil.move(folder.output / name, state)
    (folder.output / "c.jpg").write_bytes(b"of another run")
    for more in ([], ["--report", str(tmp_path / "checked")]):
        assert cli.main(["verify", str(folder.output), "--state", state, *more]) == 0
        assert "unrecorded" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--runner=FlinkRunner"], "--runner=FlinkRunner is a flag of Beam, for a job; a job needs --report DIR"),
        (["--sources", "scans"], "scans is neither a flag nor the value of one; for example: autochrome verify colour"),
        (["--report", "../found", "scans"], "scans is neither a flag nor the value of one; leave it out"),
        (["--hash"], "unknown flag --hash; `autochrome verify --help` lists the flags"),
        (["--report", "inside"], "overlap"),
        (["--model", "nowhere"], "model nowhere does not exist; give the saved_model folder"),
        (["--model", "."], "model . has no saved_model.pb; give the saved_model folder"),
    ],
)
def test_a_mistake_is_one_line(folder, more, said, capsys, monkeypatch):
    monkeypatch.chdir(folder.output)
    assert cli.main(["verify", str(folder.output), *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_settings_and_model_of_every_partition_are_checked(tmp_path, photos, capsys):
    made = Folder(tmp_path)
    made.add("a.jpg", b"scan", b"colour", [photos["chelsea"][:8, :8]])
    settings = Settings()
    digest = saved_model.digest("released")
    for index, model_digest in ((1, digest), (2, "ab" * 32)):
        part = partitions.folder_of(str(made.output), Partition(index, 2))
        recipe = Recipe(model="m", model_digest=model_digest, settings=settings, settings_digest=settings.digest())
        write_manifest(Path(part), made.records if index == 1 else [], recipe)
    assert cli.main(["verify", str(made.output), "--model", "released"]) == 1
    out, err = capsys.readouterr()
    assert err.endswith("autochrome: file same 1, model changed 1, model same 1, settings same 2\n")
    assert out.startswith("model m of partition 2/2 changed: recorded abababababab, now ")


def test_scans_that_are_named_from_another_folder_are_a_mistake_and_not_missing(folder, capsys, monkeypatch):
    folder.records[:] = [replace(record, uri=f"scans/{record.name}") for record in folder.records]
    write_manifest(folder.output, folder.records)
    monkeypatch.chdir(folder.output.parent)
    assert cli.main(["verify", "colour", "--sources"]) == 0
    monkeypatch.chdir("/")
    capsys.readouterr()
    for command in (["verify", "--sources"], ["deliver", "--scans", "--to", str(folder.output.parent / "bags")]):
        assert cli.main([command[0], str(folder.output), *command[1:]]) == 2
        assert (
            "names scans from the folder in which `colorize` ran, such as scans/a.jpg; run" in capsys.readouterr().err
        )


def documented(repository: Path, argument: str, path: Path) -> str:
    """Return what the command of the page with that argument prints for a path."""
    page = (repository / "docs" / "audit.md").read_text()
    [command] = [one for one in re.findall(r"    (python3 -c '.*?' \S+)\n", page, re.DOTALL) if one.endswith(argument)]
    words = shlex.split(command.replace("\n    ", "\n"))
    done = subprocess.run([sys.executable, *words[1:-1], str(path)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(borders="keep", watermark="off", sidecar="/chroma", label="on")]
)
def test_a_stranger_computes_the_digest_of_the_settings_as_the_page_says(folder, repository, settings, capsys):
    recipe = Recipe(model="m", model_digest="ab" * 32, settings=settings, settings_digest=settings.digest())
    (folder.output / "manifest" / "runs.json").unlink()
    run_list.begin(str(folder.output), recipe)
    said = documented(repository, "colour/manifest/runs.json", folder.output / "manifest" / "runs.json")
    assert said == settings.digest()
    assert cli.main(["verify", str(folder.output)]) == 0
    assert "settings same 1" in capsys.readouterr().err


def test_a_stranger_computes_the_digest_of_the_model_as_the_page_says(repository, tmp_path):
    released = repository / "model" / "released"
    assert documented(repository, " run/saved_model", released) == saved_model.digest("released")
    changed = tmp_path / "changed"
    shutil.copytree(released, changed)
    (changed / "variables" / "another").write_bytes(b"1")
    digest = documented(repository, " run/saved_model", changed)
    assert digest == saved_model.digest(str(changed)) != saved_model.digest("released")
