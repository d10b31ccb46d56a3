import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import skimage.color
from PIL import Image, ImageOps

from model import saved_model
from model.colorizer import Colorizer
from pipelines import colorize
from pipelines.archive.manifest import Record
from tfrecords.errors import UserError


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def upright(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@pytest.fixture(scope="module")
def before(photo_tree) -> dict[str, tuple[str, int]]:
    return snapshot(photo_tree)


@pytest.fixture(scope="module")
def coloured(before, photo_tree, saved_model_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("coloured") / "out"
    flags = [f"--input={photo_tree}", f"--output={output}", f"--model={saved_model_dir}", "--format=png"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    return output


def pairs(photo_tree: Path, coloured: Path) -> list[tuple[Path, Path]]:
    found = []
    for path in coloured.rglob("*.png"):
        name = path.relative_to(coloured)
        source = photo_tree / name
        found.append((source if source.exists() else source.with_suffix(""), path))
    return found


def test_the_tree_is_mirrored(photo_tree, coloured):
    sources = {path.relative_to(photo_tree) for path in photo_tree.rglob("*") if path.is_file()}
    expected = {str(name) if name.suffix == ".png" else f"{name}.png" for name in sources if name.parts[0] != "broken"}
    found = {str(path.relative_to(coloured)) for path in coloured.rglob("*") if path.is_file()}
    account = {
        "photos-00000-of-00001.jsonl",
        "timings-00000-of-00001.jsonl",
        "runs.json",
        "last_run.json",
        "shards.json",
    }
    assert found == expected | {"report.json", "rejected.jsonl"} | {f"manifest/{name}" for name in account}


def test_sizes_are_those_of_the_upright_photos(photo_tree, coloured):
    found = pairs(photo_tree, coloured)
    assert len(found) == 14
    for source, result in found:
        assert upright(result).shape == upright(source).shape
    assert upright(coloured / "scans" / "box 1" / "turned.jpg.png").shape == (384, 303, 3)


def test_luminance_is_kept_and_colour_is_there(photo_tree, coloured):
    for source, result in pairs(photo_tree, coloured):
        lab = skimage.color.rgb2lab(upright(result))
        error = np.abs(lab[..., 0] - skimage.color.rgb2lab(upright(source))[..., 0])
        assert error.mean() < 0.5
        assert error.max() < 0.5
        assert np.hypot(lab[..., 1], lab[..., 2]).mean() > 3


def test_outcomes_add_up_and_the_model_is_named(before, coloured, saved_model_dir):
    report = json.loads((coloured / "report.json").read_text())
    assert report["outcomes"] == {"unreadable": 3, "written": 14}
    assert sum(report["outcomes"].values()) == len(before)
    assert (report["model"], report["model_digest"]) == ("autoencoder_mini", saved_model.digest(saved_model_dir))
    assert report["settings"]["format"] == "png"
    lines = [json.loads(line) for line in (coloured / "rejected.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == ["broken/cut short.jpg", "broken/empty.jpg", "broken/letter.jpg"]
    assert all(line["reason"] == "unreadable" and line["detail"] for line in lines)


def test_sources_are_not_touched(before, coloured, photo_tree):
    assert snapshot(photo_tree) == before


def test_it_is_the_model_s_chroma(photo_tree, coloured, saved_model_dir):
    seen = np.asarray(Image.open(photo_tree / "moon.jpg"))
    small = skimage.color.rgb2lab(
        np.dstack([np.asarray(Image.fromarray(seen).resize((32, 32), Image.Resampling.BOX))] * 3)
    )
    chroma = Colorizer.load(saved_model_dir).predict(small[None, ..., :1].astype(np.float32) / 100)[0]
    found = skimage.color.rgb2lab(upright(coloured / "moon.jpg.png"))[..., 1:]
    means = found.reshape(32, 16, 32, 16, 2).mean(axis=(1, 3))
    # Where the moon's L leaves room for it, the colour is the model's.
    room = (small[..., 0] > 35) & (small[..., 0] < 75)
    assert room.mean() > 0.3
    assert np.abs(means - chroma)[room].mean() < 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("camera.jpg", "JPEG"),
        ("n00000001/chelsea [left].png", "PNG"),
        ("n00000000/rechts ü.tif", "TIFF"),
    ],
)
def test_one_file_keeps_its_name_and_format(photo_tree, coloured, saved_model_dir, tmp_path, name, expected):
    flags = [f"--input={photo_tree / name}", f"--output={tmp_path / 'out'}", f"--model={saved_model_dir}"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    result = tmp_path / "out" / Path(name).name
    with Image.open(result) as image:
        assert image.format == expected
    png = coloured / (name if name.endswith(".png") else f"{name}.png")
    # The watermark differs: it names the settings, of which the format is one.
    assert np.abs(upright(result).astype(int) - upright(png)).mean() < (5 if expected == "JPEG" else 0.5)


def test_two_runs_give_the_same_bytes(photo_tree, coloured, saved_model_dir, tmp_path):
    flags = [f"--input={photo_tree}/*.jpg", f"--output={tmp_path}", f"--model={saved_model_dir}", "--format=png"]
    assert colorize.main([*flags, "--direct_num_workers=1"]) == 0
    for name in ("camera.jpg.png", "coins.jpg.png", "moon.jpg.png"):
        assert (tmp_path / name).read_bytes() == (coloured / name).read_bytes()


def records(output: Path) -> dict[str, Record]:
    lines = (output / "manifest" / "photos-00000-of-00001.jsonl").read_text().splitlines()
    return {record.name: record for record in map(Record.from_json, lines)}


def test_every_input_has_a_record_that_is_true(before, photo_tree, coloured):
    found = records(coloured)
    assert found.keys() == before.keys()
    for name, record in found.items():
        data = (photo_tree / name).read_bytes()
        assert (record.bytes, record.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert record.status == ("rejected" if name.startswith("broken") else "written")
        for output in record.outputs:
            file = (coloured / output.name).read_bytes()
            assert (output.bytes, output.sha256) == (len(file), hashlib.sha256(file).hexdigest())
            assert upright(coloured / output.name).shape == (output.height, output.width, 3)
    assert found["n00000002/coffee whole.JPEG"].outputs[0].tone == "color"
    assert found["moon.jpg"].outputs[0].tone == "grayscale"
    assert found["moon.jpg"].outputs[0].colourfulness > 5


def test_times_of_every_stage_are_told(before, coloured):
    lines = (coloured / "manifest" / "timings-00000-of-00001.jsonl").read_text().splitlines()
    times = {line["name"]: line["milliseconds"] for line in map(json.loads, lines)}
    assert times.keys() == before.keys()
    assert list(times["moon.jpg"]) == ["read", "decode", "predict", "merge", "encode", "write"]
    assert list(times["broken/letter.jpg"]) == ["read", "decode"]


@pytest.mark.parametrize("output", ["photos", "photos/below", ".", "link", "photos/../photos/x"])
def test_input_and_output_that_overlap_are_refused(
    tmp_path, monkeypatch, saved_model_dir, encoded, grey_photos, output
):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "coins.png").write_bytes(encoded(grey_photos["coins"], "PNG"))
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    is_below = output.endswith(("below", "x"))
    for pattern in ("photos", str(folder), *(() if is_below else ("photos/*.png", "photos/coins.png"))):
        with pytest.raises(UserError, match="overlap; choose a folder apart from the photos"):
            colorize.main([f"--input={pattern}", f"--output={output}", f"--model={saved_model_dir}"])
    assert [path.name for path in folder.iterdir()] == ["coins.png"]
