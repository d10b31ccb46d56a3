"""What lies beside photos: ignored and counted alike in folders and tars, in both jobs, and copied on request."""

import json
import tarfile
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from colorized_folder import Folder
from photo_files import file_of

from pipelines import colorize, notices, prepare
from pipelines.archive.sidecar_copies import CopySidecars, copy_name
from pipelines.files.sources import Source

BESIDE = ["._a.bmp", "a.xmp", "a.bmp.json", "Thumbs.db", "box/@eaDir/b.jpg/THUMB.jpg", "box/b.txt", "lonely.json"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Three photos and what lies beside them, in a folder and the same in a tar."""
    folder = tmp_path_factory.mktemp("sidecars") / "scans"
    draw = np.random.default_rng(0)
    for name, file_format in (("a.bmp", "BMP"), ("box/b.jpg", "JPEG"), ("rejects/c.jpg", "JPEG")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file_of(draw.integers(0, 256, (40, 40, 3), np.uint8), file_format))
    for name in BESIDE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"beside: {name}")
    with tarfile.open(folder.parent / "tars.tar", "w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, str(path.relative_to(folder)), recursive=False)
    return folder


@pytest.fixture(scope="module")
def coloured(scans, saved_model_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("sidecars") / "out"
    (output / "box").mkdir(parents=True)
    (output / "box" / "b.txt").write_text("somebody else's")
    flags = [f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}", "--direct_num_workers=1"]
    assert colorize.main([*flags, "--exclude=rejects", "--exclude=*.no", "--copy_sidecars"]) == 0
    return output


def test_what_is_no_photo_is_ignored_and_counted(coloured):
    report = json.loads((coloured / "report.json").read_text())
    assert report["outcomes"] == {"ignored": len(BESIDE) + 1, "written": 2}
    assert report["inputs"] == len(BESIDE) + 3
    assert (coloured / "rejected.jsonl").read_text() == ""


def test_sidecars_go_along_under_the_names_of_the_outputs(coloured):
    assert (coloured / "a.bmp.xmp").read_text() == "beside: a.xmp"
    assert (coloured / "a.bmp.png.json").read_text() == "beside: a.bmp.json"
    assert not (coloured / "lonely.json").exists()
    assert (coloured / "box" / "b.txt").read_text() == "somebody else's"


def test_a_tar_gives_the_same_counts_in_prepare(scans, tmp_path):
    for source in (scans, scans.parent / "tars.tar"):
        output = tmp_path / source.name
        flags = [f"--input={source}", f"--output={output}", "--size=32", "--direct_num_workers=1"]
        assert prepare.main([*flags, "--exclude", "rejects/*"]) == 0
        outcomes = json.loads((output / "dataset.json").read_text())["outcomes"]
        assert outcomes == {"ignored": len(BESIDE) + 1, "written": 2}


def test_names_of_copies():
    assert copy_name("box/x.tif.png", ".xmp", whole=True) == "box/x.tif.png.xmp"
    assert copy_name("box/x.tif.png", ".xmp", whole=False) == "box/x.tif.xmp"
    assert copy_name("x~2.jpg", ".json", whole=False) == "x~2.json"


def test_a_sidecar_that_is_not_copied_is_told_once(tmp_path, capsys):
    sources = []
    for name in ("a.xmp", "b.xmp", "gone.xmp"):
        (tmp_path / name).write_text(f"beside: {name}")
        sources.append(Source(uri=str(tmp_path / name), name=name, size=13, fingerprint="1"))
    (tmp_path / "gone.xmp").unlink()
    output = tmp_path / "out"
    output.mkdir()
    for name in ("a.xmp", "b.xmp"):
        (output / name).write_text("somebody else's")
    made = Folder(tmp_path)
    records = [
        made.add(f"{stem}.jpg", b"scan", b"colour", [np.zeros((8, 8, 3), np.uint8)]) for stem in ("a", "b", "gone")
    ]
    with notices.on_terminal(), beam.Pipeline(runner="FnApiRunner") as pipeline:
        ignored = pipeline | "Ignored" >> beam.Create(sources)
        _ = pipeline | beam.Create(records) | CopySidecars(str(output), ignored)
    lines = [line for line in capsys.readouterr().err.splitlines() if "sidecars" in line]
    assert sorted(lines) == [
        f"autochrome: files in {output} differ from the sidecars of the input, and stay; remove them to get those of "
        "the input",
        "autochrome: some sidecars cannot be read, and are not copied",
    ]
    assert {path.name for path in output.iterdir()} == {"a.xmp", "b.xmp"}
