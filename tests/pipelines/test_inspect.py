import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import mistake
from PIL import Image
from skimage.color import rgb2lab

from pipelines import inspect, prepare
from pipelines.files import storage
from tfrecords.description import FILE_NAME, Description
from tfrecords.words import counted


@pytest.fixture(scope="module")
def original(photo_tree, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("inspect") / "records"
    flags = ["--size=32", "--num_shards=2", "--validation_percent=20", "--direct_num_workers=1"]
    assert prepare.main([f"--input={photo_tree}", f"--output={output}", *flags]) == 0
    return output


@pytest.fixture
def prepared(original, tmp_path) -> Path:
    """A prepared set that may be damaged."""
    return Path(shutil.copytree(original, tmp_path / "records"))


def shards_of(folder: Path) -> list:
    description = Description.from_json((folder / FILE_NAME).read_text())
    return [shard for shards in description.splits.values() for shard in shards]


def test_the_summary(prepared, capsys):
    assert inspect.main([str(prepared)]) == 0
    shown = capsys.readouterr().out
    for shard in shards_of(prepared):
        assert shard.name in shown
        assert f"{shard.crc32c:08x}" in shown
    description = Description.from_json((prepared / FILE_NAME).read_text())
    for split in ("train", "validation"):
        assert f"{split}: {counted(description.count(split), 'example')}\n" in shown
    assert "verified" not in shown
    assert "rejected: grayscale" in shown
    assert "32 x 32" in shown


def test_verify_is_content_with_what_prepare_wrote(prepared, capsys):
    assert inspect.main([str(prepared), "--verify"]) == 0
    assert capsys.readouterr().out.count("ok") == len(shards_of(prepared))


def test_verify_finds_one_flipped_bit(prepared, capsys):
    shard = max(shards_of(prepared), key=lambda shard: shard.bytes)
    data = bytearray((prepared / shard.name).read_bytes())
    data[len(data) // 2] ^= 4
    (prepared / shard.name).write_bytes(data)
    assert inspect.main([str(prepared), "--verify"]) == 1
    shown, told = capsys.readouterr()
    assert told == f"damaged: {shard.name}; delete it, and run the same `autochrome prepare` again\n"
    assert f"{shard.crc32c:08x}" in shown
    assert shown.count("ok") == len(shards_of(prepared)) - 1
    assert inspect.main([str(prepared)]) == 0
    argv = ["inspect", str(prepared), "--sample=1000"]
    assert mistake(argv, prepared, capsys).endswith(f"; run `autochrome inspect {prepared} --verify`")
    moved = prepared.rename(prepared.parent / "my records")
    argv = ["inspect", str(moved), "--sample=1000"]
    assert mistake(argv, moved, capsys).endswith(f"; run `autochrome inspect '{moved}' --verify`")
    moved.rename(prepared)


def test_verify_finds_what_is_missing_or_cut_short(prepared, capsys):
    first, second, *_ = shards_of(prepared)
    assert inspect.verify(str(prepared), first) == ""
    (prepared / first.name).write_bytes((prepared / first.name).read_bytes()[:-1])
    assert f"{first.bytes - 1:,} bytes" in inspect.verify(str(prepared), first)
    (prepared / second.name).unlink()
    assert inspect.verify(str(prepared), second) == inspect.MISSING
    assert inspect.main([str(prepared), "--verify"]) == 1
    again = "run the same `autochrome prepare` again\n"
    told = f"damaged: {first.name}; delete it, and {again}missing: {second.name}; {again}"
    assert capsys.readouterr().err == told


def test_a_shard_that_may_not_be_read_is_not_called_damaged(prepared, monkeypatch, capsys):
    shard = shards_of(prepared)[0]
    opened = storage.opened

    def denied(path: str) -> object:
        if path.endswith(shard.name):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path)

    monkeypatch.setattr(storage, "opened", denied)
    said = f"{prepared / shard.name} cannot be read (Permission denied); allow it to be read, then start again"
    assert mistake(["inspect", str(prepared), "--verify"], prepared, capsys).endswith(said)


def test_verify_finds_shards_that_the_set_does_not_name(prepared, capsys):
    first, *_ = shards_of(prepared)
    shutil.copy(prepared / first.name, prepared / "train-00007-of-00009.tfrecord")
    assert inspect.main([str(prepared), "--verify"]) == 1
    assert capsys.readouterr().err == (
        "not named by dataset.json: train-00007-of-00009.tfrecord; delete what is not yours\n"
    )
    assert inspect.main([str(prepared)]) == 0


def test_verify_finds_a_list_of_rejected_photos_that_was_cut_or_deleted(prepared, capsys):
    path = prepared / "rejected.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    advice = "run the same `autochrome prepare` again"
    counts = f"dataset.json counts {counted(len(lines), 'rejected photo')}"
    path.write_bytes(b"".join(lines[1:]))
    assert inspect.main([str(prepared), "--verify"]) == 1
    assert capsys.readouterr().err == f"rejected.jsonl lists {len(lines) - 1}, and {counts}; {advice}\n"
    path.unlink()
    assert inspect.main([str(prepared), "--verify"]) == 1
    assert capsys.readouterr().err == f"rejected.jsonl is missing, and {counts}; {advice}\n"


def test_it_does_not_import_tensorflow(prepared):
    code = (
        "import sys; from pipelines import cli\n"
        f"assert cli.main(['inspect', {str(prepared)!r}, '--verify']) == 0\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_sample_shows_luminance_beside_colour(prepared, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert inspect.main([str(prepared), "--sample=6"]) == 0
    assert "coffee [left].png" in capsys.readouterr().out
    sheet = np.asarray(Image.open(tmp_path / inspect.SAMPLE_FILE)).astype(int)
    assert sheet.shape == (2 * 32, 4 * 2 * 32, 3)
    luminance, colour = sheet[:32, :32], sheet[:32, 32:64]
    assert np.ptp(luminance, axis=-1).max() <= 1
    assert np.ptp(colour, axis=-1).max() > 30
    difference = rgb2lab(luminance.astype(np.uint8))[..., 0] - rgb2lab(colour.astype(np.uint8))[..., 0]
    assert np.abs(difference).max() < 1


def test_a_sample_is_as_large_as_the_set_at_most(prepared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert inspect.main([str(prepared), "--sample=1000"]) == 0
    assert Image.open(tmp_path / inspect.SAMPLE_FILE).size == (4 * 2 * 32, 3 * 32)


def test_synsets_are_counted_only_where_folders_name_them(prepared, capsys):
    path = prepared / FILE_NAME
    description = json.loads(path.read_text())
    for synsets, said in [
        ({"": 9}, "kB at most\n"),
        ({"": 9, "n02085620": 1}, "kB at most; 1 synset\n"),
        ({"n02085620": 1, "n02085782": 2}, "kB at most; 2 synsets\n"),
    ]:
        description["statistics"]["train"]["synsets"] = synsets
        path.write_text(json.dumps(description))
        assert inspect.main([str(prepared)]) == 0
        assert said in capsys.readouterr().out
