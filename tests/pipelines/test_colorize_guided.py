"""A job with hints: which photos they change, what the records and files say, and what a changed hint makes again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from photo_files import said_of
from PIL import Image

import autochrome
from model import saved_model
from model.guidance import hints
from pipelines import colorize
from tfrecords.color import srgb_to_lab
from tfrecords.errors import UserError

MUTED = (120, 120, 170)


def point(x: float) -> str:
    return json.dumps([{"x": x, "y": 0.5, "radius": 0.1, "color": "#" + bytes(MUTED).hex()}])


@pytest.fixture(scope="module")
def scans(tmp_path_factory, grey_photos) -> Path:
    """Three photos; one has its hints beside it."""
    root = tmp_path_factory.mktemp("guided") / "scans"
    (root / "box 1").mkdir(parents=True)
    for name in ("a.png", "box 1/b.png", "box 1/c.png"):
        Image.fromarray(np.clip(grey_photos["coins"][:120, :160], 60, 190)).save(root / name)
    (root / "box 1" / "b.png.hints.json").write_text(point(0.25))
    return root


def records(output: Path) -> dict[str, dict]:
    lines = (output / "manifest" / "photos-00000-of-00001.jsonl").read_text().splitlines()
    return {record["name"]: record for record in map(json.loads, lines)}


def contents(output: Path) -> dict[str, bytes]:
    return {str(path.relative_to(output)): path.read_bytes() for path in sorted(output.rglob("*.png"))}


@pytest.fixture(scope="module")
def run(scans, saved_model_dir):
    def colorized(output: Path, *flags: str) -> dict[str, bytes]:
        given = [f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}", "--watermark=off", *flags]
        assert colorize.main([*given, "--direct_num_workers=1"]) == 0
        return contents(output)

    return colorized


@pytest.fixture(scope="module")
def plain(run, tmp_path_factory) -> dict[str, bytes]:
    return run(tmp_path_factory.mktemp("plain") / "out")


@pytest.fixture(scope="module")
def guided(scans, run, tmp_path_factory) -> Path:
    """Hints lie beside the photos; they are not taken for photos."""
    output = tmp_path_factory.mktemp("guided") / "out"
    run(output, f"--hints={scans}")
    return output


def test_hints_change_their_photo_alone_and_the_file_says_so(guided, plain):
    files = contents(guided)
    assert [name for name in plain if files[name] != plain[name]] == ["box 1/b.png"]
    told = records(guided)["box 1/b.png"]["guided"]["hints"]
    assert (told["file"], told["method"], len(told["sha256"])) == ("box 1/b.png.hints.json", "blend", 64)
    assert records(guided)["a.png"]["guided"] == {}
    xmp = said_of(files["box 1/b.png"])["xmp"]
    assert xmp["Xmp.autochrome.Guided"] == "hints"
    assert xmp["Xmp.autochrome.GuidedBy"] == "box 1/b.png.hints.json"
    lab = srgb_to_lab(np.asarray(Image.open(guided / "box 1" / "b.png")))
    assert np.hypot(*(lab[60, 40, 1:] - hints.chroma_of(MUTED))) < 1


def test_one_photo_and_python_give_what_the_job_gives(scans, saved_model_dir, guided, tmp_path):
    one = tmp_path / "one.png"
    photo = str(scans / "box 1" / "b.png")
    flags = [photo, str(one), f"--model={saved_model_dir}", f"--hints={scans / 'box 1'}", "--watermark=off"]
    assert colorize.main(flags) == 0
    expected = np.asarray(Image.open(guided / "box 1" / "b.png"))
    np.testing.assert_array_equal(np.asarray(Image.open(one)), expected)
    file = scans / "box 1" / "b.png.hints.json"
    for given in (file, json.loads(file.read_text())):
        colour = autochrome.colorize(scans / "box 1" / "b.png", saved_model_dir, hints=given)
        np.testing.assert_array_equal(colour, expected)


def test_a_changed_hint_makes_its_photo_again_and_no_other(scans, run, guided, tmp_path):
    output, changed = Path(shutil.copytree(guided, tmp_path / "out")), tmp_path / "hints"
    before = contents(output)
    (changed / "box 1").mkdir(parents=True)
    (changed / "box 1" / "b.png.hints.json").write_text(point(0.75))
    after = run(output, f"--hints={changed}")
    assert json.loads((output / "manifest" / "last_run.json").read_text())["made"] == 1
    assert [name for name in before if before[name] != after[name]] == ["box 1/b.png"]


def test_the_released_model_spreads_hints_itself(scans, tmp_path):
    hinted, photo = str(scans / "box 1"), scans / "box 1" / "b.png"
    pixels = {}
    for method in ("network", "blend"):
        output = tmp_path / method / "b.png"
        flags = [str(photo), str(output), f"--hints={hinted}", "--watermark=off"]
        assert colorize.main(flags if method == "network" else [*flags, "--hint_method=blend"]) == 0
        pixels[method] = np.asarray(Image.open(output))
    file = scans / "box 1" / "b.png.hints.json"
    np.testing.assert_array_equal(autochrome.colorize(photo, hints=file), pixels["network"])
    assert np.abs(pixels["network"].astype(int) - pixels["blend"]).max() > 5
    lab = srgb_to_lab(pixels["network"])
    assert np.hypot(*(lab[60, 40, 1:] - hints.chroma_of(MUTED))) < 1


def test_a_hint_without_a_photo_stops_the_job_before_it_starts(scans, tmp_path):
    (tmp_path / "hints.csv").write_text("path,x,y,color\nbox 2/d.png,0,0,#ff0000\n")
    with pytest.raises(UserError, match=r"hints\.csv has points for box 2/d\.png, which is not in the input"):
        colorize.main([str(scans), str(tmp_path / "out"), f"--hints={tmp_path / 'hints.csv'}"])
    assert not (tmp_path / "out").exists()


def test_rules_choose_palettes_and_models_and_skip_photos_and_a_dry_run_names_them(scans, run, plain, tmp_path, capsys):
    (tmp_path / "warm.txt").write_text("#c86432 #f0dca0")
    (tmp_path / "rules.toml").write_text(
        '[[rule]]\nmatch = "box 1/**"\npalette = "warm.txt"\n[[rule]]\nmatch = "box 1/c.png"\nskip = true\n'
        '[[rule]]\nmatch = "a.*"\nmodel = "released"\n'
    )
    output = tmp_path / "out"
    made = run(output, f"--rules={tmp_path / 'rules.toml'}")
    assert set(made) == {"a.png", "box 1/b.png"}
    assert all(made[name] != plain[name] for name in made)
    found = records(output)
    digest = saved_model.digest("released")
    assert (found["a.png"]["model"], found["a.png"]["model_digest"]) == ("released", digest)
    assert found["box 1/b.png"]["model_digest"] != digest
    xmp = said_of(made["a.png"])["xmp"]
    assert xmp["Xmp.autochrome.ModelDigest"] == digest
    by_released = autochrome.colorize(scans / "a.png")
    np.testing.assert_array_equal(np.asarray(Image.open(output / "a.png")), by_released)
    assert found["box 1/c.png"]["status"] == "skipped"
    assert found["box 1/b.png"]["guided"]["palette"]["file"] == "warm.txt"
    assert said_of(made["box 1/b.png"])["xmp"]["Xmp.autochrome.Guided"] == "palette"
    capsys.readouterr()
    run(tmp_path / "new", f"--rules={tmp_path / 'rules.toml'}", "--dry_run")
    out = capsys.readouterr().out
    assert "make, rule a.*, model released\ta.png" in out
    (tmp_path / "rules.toml").write_text('[[rule]]\nmatch = "a.*"\nmodel = "released_1"\n')
    run(tmp_path / "new", f"--rules={tmp_path / 'rules.toml'}", "--dry_run")
    assert "make, rule a.*, model released_1\ta.png" in capsys.readouterr().out
    assert "make, rule box 1/**\tbox 1/b.png" in out
    assert "skip, rule box 1/c.png\tbox 1/c.png" in out
