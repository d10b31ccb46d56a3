"""The command `autochrome detect` over one folder, in this process and as a job."""

import json

import numpy as np
import pytest
from colorized_folder import Folder
from command_line import mistake

from model.framing import recolor_picture
from model.watermark_code import Payload
from pipelines import cli
from pipelines.images import encode
from pipelines.images.metadata import Metadata


@pytest.fixture(scope="module")
def folder(tmp_path_factory, grey_photos):
    """A photo in colour that is marked, and one that is not."""
    root = tmp_path_factory.mktemp("detect") / "colour"
    root.mkdir()
    grey = np.ascontiguousarray(grey_photos["camera"][:300, :400])
    for name, payload in (("marked.png", Payload("c0ffee", "0a1b2c")), ("plain.png", None)):
        pixels = recolor_picture(grey, np.full((32, 32, 2), 9, np.float32), None, watermark=payload)
        (root / name).write_bytes(encode.encode([(pixels, Metadata())], "PNG"))
    return root


def test_the_exit_code_says_whether_every_file_is_marked(folder, capsys):
    assert cli.main(["detect", str(folder / "marked.png")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("marked.png: watermark of model c0ffee, settings 0a1b2c (false alarm below ")
    assert "autochrome: marked 1" in err
    assert cli.main(["detect", str(folder / "marked.png"), str(folder / "plain.png"), "--json"]) == 1
    said = {line["name"].rpartition("/")[2]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (said["marked.png"]["status"], said["plain.png"]["status"]) == ("marked", "unmarked")
    assert said["marked.png"]["watermark"][0]["settings_digest"] == "0a1b2c"


def test_a_job_writes_the_lines_that_are_printed_otherwise(folder, tmp_path, capsys):
    assert cli.main(["detect", str(folder), "--output", str(tmp_path / "found")]) == 1
    assert "marked 1, unmarked 1" in capsys.readouterr().err
    lines = (tmp_path / "found" / "detections-00000-of-00001.jsonl").read_text().splitlines()
    cli.main(["detect", str(folder), "--json"])
    assert sorted(lines) == sorted(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["nowhere"], "error: nowhere does not exist"),
        (["--runner=FlinkRunner"], "is a flag of Beam, for a job; a job needs --output DIR"),
        (["--json", "more"], "more is neither a flag nor the value of one; for example: autochrome detect "),
        (["-x"], "unknown flag -x; `autochrome detect --help` lists the flags"),
        (["--output", "."], "overlap"),
    ],
)
def test_a_mistake_is_one_line(folder, more, said, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert cli.main(["detect", str(folder), *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["", "/", "/photos-00000-of-00001.jsonl", "/journal/0a-1-0b.jsonl"])
def test_records_are_not_taken_for_photos_or_for_a_list_of_them(folder, tmp_path, name, capsys):
    made = Folder(tmp_path)
    made.add("a.jpg", b"scan", b"colour", [])
    made.write()
    journal = made.output / "manifest" / "journal"
    journal.mkdir()
    (journal / "0a-1-0b.jsonl").write_text(made.records[0].to_json() + "\n")
    path = f"{made.output}/manifest{name}"
    assert mistake(["detect", path], tmp_path, capsys) == (
        f"{path} holds records of `autochrome colorize`, which name the scans; give the folder of the colour photos"
    )


def test_the_page_of_a_report_is_not_among_the_photos(photos, tmp_path, capsys):
    made = Folder(tmp_path)
    file = encode.encode([(photos["chelsea"], Metadata())], "PNG")
    made.add("a.png", file, file, [photos["chelsea"]])
    made.write()
    assert cli.main(["report", str(made.output)]) == 0
    assert list(made.output.rglob("thumbnails/*/*.jpg"))
    capsys.readouterr()
    cli.main(["detect", str(made.output), "--json"])
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == ["a.png"]
