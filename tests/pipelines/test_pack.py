import hashlib
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import mistake
from prepared_folder import examples

from model import packs
from pipelines import pack, prepare
from tfrecords.color import dequantize_chroma, dequantize_luminance, srgb_to_lab
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError


@pytest.fixture(scope="module")
def records(photo_tree, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("pack") / "records"
    flags = ["--size=64", "--num_shards=2", "--validation_percent=30", "--direct_num_workers=1"]
    assert prepare.main([f"--input={photo_tree}", f"--output={output}", *flags]) == 0
    return output


@pytest.fixture(scope="module")
def packed(records) -> Path:
    output = records.parent / "packs"
    assert pack.main([f"--data={records}", f"--output={output}", "--side=32", "--quality=95"]) == 0
    return output


def lab(rgb: np.ndarray) -> np.ndarray:
    return srgb_to_lab(rgb)


def test_packs_hold_the_pictures_of_the_records(records, packed):
    contents = packs.describe(packed)
    description = Description.from_json((records / FILE_NAME).read_text())
    found = [lab(packs.decode(one)) for split in packs.SPLITS for one in packs.read(packed, contents, split)]
    assert {split: contents.count(split) for split in packs.SPLITS} == {
        split: description.count(split) for split in packs.SPLITS
    }
    assert contents.count("validation") > 0
    for example in examples(records):
        whole = np.dstack([dequantize_luminance(example.luminance), dequantize_chroma(example.chroma)])
        small = whole.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
        errors = [np.abs(one - small).mean() for one in found]
        assert min(errors) < 4, example.name


def test_packs_know_the_set_they_are_made_from(records, packed):
    contents = packs.describe(packed)
    description = Description.from_json((records / FILE_NAME).read_text())
    assert contents.source == {"fingerprint": description.fingerprint, "size": 64}
    assert contents.statistics["train"]["chroma"] == description.statistics["train"]["chroma"]
    assert contents.size == 32
    assert contents.settings == {"quality": 95, "seed": 0}


def test_the_same_set_gives_the_same_bytes_and_the_seed_another_order(records, packed, tmp_path):
    command = [f"--data={records}", "--side=32", "--quality=95"]
    assert pack.main([*command, f"--output={tmp_path}/same"]) == 0
    assert pack.main([*command, f"--output={tmp_path}/other", "--seed=1"]) == 0
    assert packs.describe(tmp_path / "same") == packs.describe(packed)
    pictures = [packs.read(folder, packs.describe(folder), "train") for folder in (packed, tmp_path / "other")]
    assert pictures[0] != pictures[1]
    assert sorted(pictures[0]) == sorted(pictures[1])


def test_no_file_is_larger_than_it_may_be():
    sizes = [400, 300, 500, 5000, 200, 200]
    groups = pack._files([bytes(size) for size in sizes], limit=1000)
    assert [[len(one) for one in group] for group in groups] == [[400, 300], [500], [5000], [200, 200]]
    for group in groups:
        assert len(packs.encoded(group)) <= 1000 or len(group) == 1
    assert pack._files([], limit=1000) == []


def test_a_run_that_was_killed_is_started_again(records, packed, tmp_path):
    (tmp_path / "train-00004-of-00009.pack").write_bytes(b"half")
    assert pack.main([f"--data={records}", f"--output={tmp_path}", "--side=32", "--quality=95"]) == 0
    assert packs.describe(tmp_path) == packs.describe(packed)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in packed.iterdir()}


def test_mistakes_are_one_line(records, packed, tmp_path, capsys):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in records.glob("*.*"):
        (damaged / path.name).write_bytes(path.read_bytes())
    [shard, *_] = sorted(damaged.glob("train*.tfrecord"))
    shard.write_bytes(shard.read_bytes()[:-5])
    output = f"--output={tmp_path}/out"
    for words, what in (
        ([f"--data={records}", output, "--side=128"], "choose --side=64 or less"),
        ([f"--data={records}", f"--output={packed}"], "has packs already"),
        ([f"--data={damaged}", output], f"{shard.name} cannot be read"),
        ([f"--data={tmp_path}", output], "has no dataset.json"),
        ([f"--data={records}", f"--output={shard}/out"], "cannot be written"),
        ([f"--data={records}", "--output=gs://bucket/out"], "must be a folder on this machine"),
        ([f"--data={records}", output, "--quality=0"], "--quality"),
    ):
        assert what in mistake(["pack", *words], packed, capsys)


def test_a_set_without_photos_is_not_packed(tmp_path, capsys):
    empty = Description(size=64, splits={"train": [], "validation": []}, settings={}, outcomes={"grayscale": 3})
    (tmp_path / FILE_NAME).write_text(empty.to_json())
    said = mistake(["pack", f"--data={tmp_path}", f"--output={tmp_path}/out"], tmp_path, capsys)
    assert "has no training examples; prepare more photos" in said


def test_a_full_disk_is_not_the_user_s_mistake(records, tmp_path):
    command = [sys.executable, "-m", "pipelines.cli", "pack", f"--data={records}", f"--output={tmp_path}/out"]
    full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # noqa: E731
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=full)
    *_, said = done.stderr.splitlines()
    assert done.returncode == 1
    assert said.startswith("autochrome: error: ")
    assert "File too large" in said
    assert not packs.is_pack(tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*"))


def test_a_pack_is_described_by_what_its_files_are(packed):
    fields = json.loads((packed / packs.FILE_NAME).read_text())
    for files in fields["splits"].values():
        for file in files:
            assert hashlib.sha256((packed / file["name"]).read_bytes()).hexdigest() == file["sha256"]


def test_commands_to_run_next_can_be_copied(records, tmp_path, capsys):
    data, output = Path(shutil.copytree(records, tmp_path / "my records")), tmp_path / "my packs"
    assert pack.main([f"--data={data}", f"--output={output}"]) == 0
    assert f"next: python -m model.jax_train --data '{output}' --output run" in capsys.readouterr().out
    shard = max(data.glob("train-*.tfrecord"), key=lambda path: path.stat().st_size)
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(UserError, match=rf"run `autochrome inspect '{data}' --verify`"):
        pack.pack(str(data), str(tmp_path / "other"), side=0, quality=50, file_mib=1, seed=0)
