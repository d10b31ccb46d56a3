"""`colorize` and `prepare` on a machine that loses power: see ``power.py`` for what that leaves on the disk."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from colorize_job import digests
from power import World, recorded

from pipelines import colorize, prepare
from pipelines.archive import lease
from pipelines.archive.manifest import Record, has_records

PHOTOS = 6


@pytest.fixture(scope="module")
def scans(tmp_path_factory, grey_photos, encoded: Callable[..., bytes]) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    (folder / "box").mkdir()
    for index in range(PHOTOS - 1):
        (folder / "box" / f"{index}.png").write_bytes(encoded(grey_photos["coins"][index : index + 60, :80], "PNG"))
    (folder / "letter.jpg").write_text("Dear archive,\n")
    return folder


@pytest.fixture(scope="module")
def colour(scans, saved_model_dir) -> Callable[[Path], dict[str, int]]:
    """Runs `colorize`; gives what it did."""

    def run(output: Path) -> dict[str, int]:
        assert colorize.main([f"--input={scans}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
        return json.loads((output / "manifest" / "last_run.json").read_text())

    return run


@pytest.fixture(scope="module")
def undisturbed(colour, tmp_path_factory) -> tuple[Path, list[World]]:
    """A whole run, and what a power cut would have left of it at each moment."""
    output = tmp_path_factory.mktemp("undisturbed")
    with recorded(output) as disk:
        colour(output)
    return output, disk.worlds


def records(world: World) -> dict[str, Record]:
    """The records in a world; other lines are passed over."""
    found = {}
    for name, data in world.items():
        if has_records(name):
            for line in data.split(b"\n")[:-1]:
                record = Record.from_json(line.decode())
                found[record.name] = record
    return found


def test_no_record_survives_a_power_cut_that_its_file_does_not(undisturbed):
    _, worlds = undisturbed
    told = 0
    for world in worlds:
        for record in records(world).values():
            for output in record.outputs:
                assert hashlib.sha256(world[output.name]).hexdigest() == output.sha256
                told += 1
    assert told


def test_once_on_the_disk_a_record_stays_there(undisturbed):
    _, worlds = undisturbed
    for kind in (worlds[::2], worlds[1::2]):
        numbers = [len(records(world)) for world in kind]
        assert numbers == sorted(numbers)
        assert numbers[-1] == PHOTOS


def test_after_a_power_cut_a_run_ends_with_the_bytes_of_an_undisturbed_one(undisturbed, colour, tmp_path):
    whole, worlds = undisturbed
    moments = [
        world for index, world in enumerate(worlds) if index == 0 or records(world) != records(worlds[index - 1])
    ]
    for index, world in enumerate([*moments[:: max(1, len(moments) // 3)], worlds[-2], worlds[-1]]):
        output = tmp_path / str(index)
        output.mkdir()
        for name, data in world.items():
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (output / name).write_bytes(data)
        (output / lease.FILE).unlink(missing_ok=True)  # of this process, which has not really lost its power
        last = colour(output)
        assert last["found"] == len(records(world))
        assert digests(output) == digests(whole)
        shutil.rmtree(output)


def test_no_account_of_a_shard_survives_a_power_cut_that_its_shard_does_not(photo_tree, tmp_path):
    flags = ["--size=32", "--num_shards=2", "--validation_percent=30", "--direct_num_workers=1"]
    with recorded(tmp_path) as disk:
        assert prepare.main([f"--input={photo_tree}", f"--output={tmp_path}", *flags]) == 0
    for world in disk.worlds:
        for name, data in world.items():
            if name.endswith(".tfrecord.json"):
                assert len(world[json.loads(data)["shard"]["name"]]) == json.loads(data)["shard"]["bytes"]
    assert disk.worlds[-1] == disk.worlds[-2]
