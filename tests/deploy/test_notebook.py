"""The notebook, and the snippets of docs/python.md, run as they stand."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

import autochrome
from pipelines import cli


def cells(notebook: Path) -> Iterator[str]:
    """The code of a notebook, cell by cell."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert content["nbformat"] == 4
    assert len(content["cells"]) == 10
    for cell in content["cells"]:
        assert not cell.get("outputs"), "clear the outputs before the notebook is committed"
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


def snippets(page: Path) -> Iterator[str]:
    """The indented blocks of a page, without their indent."""
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", page.read_text(encoding="utf-8"), re.MULTILINE):
        yield re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n")


def test_the_notebook_runs_from_top_to_bottom(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names: dict[str, object] = {"__name__": "notebook"}
    code = list(cells(repository / "deploy" / "notebook.ipynb"))
    for cell in code:
        exec(compile(cell, "notebook.ipynb", "exec"), names)
    shown = capsys.readouterr().out
    assert shown.count(".png written") == 3
    assert "(3, 64, 64, 1) (3, 64, 64, 2)" in shown
    # As its text says, a second run of the pipeline finds everything done.
    [pipeline] = [cell for cell in code if "ColorizePhotos" in cell]
    exec(compile(pipeline, "notebook.ipynb", "exec"), names)
    [last] = tmp_path.glob("autochrome-*/colour/manifest/last_run.json")
    assert json.loads(last.read_text())["made"] == 0


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Path:
    """A folder with the photos and records that the page names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans").mkdir()
    (tmp_path / "photos").mkdir()
    Image.fromarray(skimage.data.coins()[:90, :120]).save(tmp_path / "scans" / "coins.jpg")
    Image.fromarray(skimage.data.coins()[:60, :80]).save(tmp_path / "scan.jpg")
    for left in range(0, 200, 40):
        Image.fromarray(skimage.data.coffee()[:200, left : left + 200]).save(tmp_path / "photos" / f"{left}.png")
    flags = ["--input=photos", "--output=records", "--size=32", "--validation_percent=0", "--direct_num_workers=1"]
    assert cli.main(["prepare", *flags]) == 0
    return tmp_path


def test_the_snippets_of_the_page_on_python_run(repository, workplace, capsys):
    names: dict[str, object] = {"__name__": "page"}
    for snippet in snippets(repository / "docs" / "python.md"):
        exec(compile(snippet, "docs/python.md", "exec"), names)
    assert "(4, 32, 32, 1) (4, 32, 32, 2)" in capsys.readouterr().out
    assert (workplace / "colour" / "coins.jpg.png").exists()
    assert (workplace / "colour" / "report.json").exists()
    assert autochrome.colorize(workplace / "scan.jpg").shape == (60, 80, 3)
