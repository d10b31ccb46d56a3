"""The command `autochrome apply` with the sidecars of a job."""

import json

import pytest

from pipelines import cli


@pytest.fixture(scope="module")
def root(tmp_path_factory, encoded, grey_photos):
    """Scans, and what `colorize --sidecar` makes of them."""
    made = tmp_path_factory.mktemp("apply")
    (made / "scans" / "box 1").mkdir(parents=True)
    for name, file_format in (("coins.png", "PNG"), ("box 1/moon.jpg", "JPEG")):
        grey = grey_photos[name.rpartition("/")[2][:-4]][:200, :200]
        (made / "scans" / name).write_bytes(encoded(grey, file_format))
    paths = [str(made / "scans"), str(made / "colour")]
    assert cli.main(["colorize", *paths, "--sidecar", str(made / "chroma")]) == 0
    return made


def apply(root) -> int:
    return cli.main(["apply", str(root / "scans"), str(root / "chroma"), str(root / "again")])


def test_photos_come_out_as_the_job_wrote_them(root, capsys):
    assert apply(root) == 0
    assert capsys.readouterr().err.endswith("autochrome: made 2\n")
    for name in ("coins.png", "box 1/moon.jpg"):
        assert (root / "again" / name).read_bytes() == (root / "colour" / name).read_bytes()
    (root / "again" / "coins.png").write_bytes(b"somebody's")
    assert apply(root) == 1
    out, err = capsys.readouterr()
    assert out.startswith("coins.png.chroma: coins.png is there already")
    assert err.endswith("autochrome: failed 1, found 1\n")


def test_sidecars_in_place_of_pictures_are_all_that_is_kept(root, capsys):
    command = ["colorize", str(root / "scans"), str(root / "only"), "--sidecar", "only"]
    assert cli.main(command) == 0
    there = {str(path.relative_to(root / "only")): path for path in (root / "only").rglob("*.*") if path.is_file()}
    names = sorted(name for name in there if not name.startswith("manifest/"))
    assert names == ["box 1/moon.jpg.chroma", "coins.png.chroma", "rejected.jsonl", "report.json"]
    before = there["coins.png.chroma"].read_bytes()
    assert cli.main(command) == 0  # which makes nothing
    assert json.loads((root / "only" / "manifest" / "last_run.json").read_text())["made"] == 0
    assert there["coins.png.chroma"].read_bytes() == before
    assert cli.main(["verify", str(root / "only")]) == 0
    assert cli.main(["apply", str(root / "scans"), str(root / "only"), str(root / "from only")]) == 0
    for name in ("coins.png", "box 1/moon.jpg"):
        assert (root / "from only" / name).read_bytes() == (root / "colour" / name).read_bytes()


def test_photos_with_the_longest_names_and_with_line_breaks_have_sidecars_and_come_back(tmp_path, encoded, grey_photos):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("x" * 251 + ".jpg", "é" * 125 + ".jpg", "two\nlines.jpg"):
        (scans / name).write_bytes(encoded(grey_photos["coins"][:40, :40], "JPEG"))
    colorize = ["colorize", str(scans), str(tmp_path / "only"), "--sidecar", "only"]
    assert cli.main(colorize) == 0
    assert json.loads((tmp_path / "only" / "report.json").read_text())["outcomes"] == {"written": 3}
    assert cli.main(["colorize", str(scans), str(tmp_path / "colour"), "--sidecar", str(tmp_path / "chroma")]) == 0
    assert json.loads((tmp_path / "colour" / "report.json").read_text())["outcomes"] == {"written": 3}
    assert cli.main(colorize) == 0  # which makes nothing
    assert json.loads((tmp_path / "only" / "manifest" / "last_run.json").read_text())["made"] == 0
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "colour").glob("*.jpg")}
    assert len(pictures) == 3
    for sidecars in ("chroma", "only"):
        again = tmp_path / f"from {sidecars}"
        assert cli.main(["apply", str(scans), str(tmp_path / sidecars), str(again)]) == 0
        assert {path.name: path.read_bytes() for path in again.iterdir()} == pictures


def test_a_job_makes_the_same_files_and_writes_a_line_for_each(root, capsys):
    folders = [str(root / name) for name in ("scans", "chroma", "by job")]
    assert cli.main(["apply", *folders, "--report", str(root / "lines")]) == 0
    assert "autochrome: made 2; " in capsys.readouterr().err
    for name in ("coins.png", "box 1/moon.jpg"):
        assert (root / "by job" / name).read_bytes() == (root / "colour" / name).read_bytes()
    lines = (root / "lines" / "applied-00000-of-00001.jsonl").read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["made", "made"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["apply", "scans", "scans", "elsewhere"], "has no .chroma files"),
        (["apply", "scans", "chroma", "scans"], "overlap"),
        (["apply", "scans", "chroma"], "--output"),
        (["apply", "scans", "chroma", "new", "--runner=FlinkRunner"], "needs --report DIR"),
        (["apply", "scans", "chroma", "new", "--report", "chroma/lines"], "overlap"),
        (["colorize", "scans", "elsewhere", "--sidecar", "scans/x"], "overlap"),
        (["colorize", "scans", "elsewhere", "--sidecar", "only", "--sign", "x"], "leave out one of them"),
        (["colorize", "scans/coins.png", "elsewhere.png", "--sidecar", "x"], "--sidecar is for folders"),
    ],
)
def test_a_mistake_is_one_line(root, argv, said, capsys, monkeypatch):
    monkeypatch.chdir(root)
    assert cli.main(argv) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
