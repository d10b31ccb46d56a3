"""Several machines that prepare one set, each its own part of the shards."""

import json
from pathlib import Path

import pytest
from command_line import mistake
from prepare_job import Job, digests

from pipelines import cli, prepare
from pipelines.dataset import partitions
from pipelines.runtime.partition import Partition
from tfrecords.description import FILE_NAME

FLAGS = ("--size=32", "--num_shards=4", "--validation_percent=30")
LOCAL = "--direct_num_workers=1"


@pytest.fixture(scope="module")
def whole(photo_tree, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "records"
    assert prepare.main([f"--input={photo_tree}", f"--output={output}", *FLAGS, LOCAL]) == 0
    return output


def test_parts_in_any_order_make_the_files_of_one_run_and_the_last_one_describes_the_set(
    whole, photo_tree, tmp_path, capsys
):
    output = tmp_path / "records"
    command = ["prepare", str(photo_tree), str(output), *FLAGS, LOCAL]
    counted = {}
    for part, rest in (("3/3", "1/3, 2/3"), ("1/3", "2/3")):
        assert cli.main([*command, f"--partition={part}"]) == 0
        said = capsys.readouterr()
        assert f"partition {part} is complete; not complete yet: {rest}. The partition that ends last" in said.err
        assert f"Prepared partition {part} of {photo_tree}\n" in said.out
        assert "next:" not in said.out
        counted[part] = partitions.counts(str(output), Partition(int(part[0]), 3))
        made = sum(counted[part].values())
        assert f"\npreparing: {made} of {made} photos in" in f"\n{said.err}"
        assert not {FILE_NAME, "rejected.jsonl"} & {path.name for path in output.iterdir()}
        capsys.readouterr()
        for inspected in (["inspect", str(output), "--verify"], ["pack", "--data", str(output), "--output", "packs"]):
            have, lack = ("3/3", "1/3, 2/3") if part == "3/3" else ("1/3, 3/3", "2/3")
            assert mistake(inspected, tmp_path, capsys) == (
                f"{output} is not complete: partitions with finished shards: {have}; without any: {lack}; run the same "
                "`autochrome prepare` without --partition, which makes what is missing, or with each of them again"
            )
    before = digests(output)
    for wrong, complaint in (
        ("--partition=1/2", "number of parts was 3, now 2); give all partitions the same photos, flags and number of"),
        ("--exclude=n00000002", "there were 17 photos, now 15); give all partitions the same photos"),
        ("--overwrite", "--overwrite would delete the records of the other partitions"),
    ):
        assert cli.main([*command, "--partition=2/3", wrong]) == 2
        error = capsys.readouterr().err
        assert complaint in error
        assert error.count("\n") == 1
        assert digests(output) == before
    assert cli.main([*command, "--partition=2/3"]) == 0
    said = capsys.readouterr()
    assert "not complete" not in said.err
    assert f"next: autochrome train --data {output}" in said.out
    assert digests(output) == digests(whole)
    counted["2/3"] = partitions.counts(str(output), Partition(2, 3))
    outcomes = json.loads((output / FILE_NAME).read_text())["outcomes"]
    assert {key: sum(part.get(key, 0) for part in counted.values()) for key in outcomes} == outcomes
    (output / "train-00001-of-00004.tfrecord").unlink()
    assert cli.main([*command, "--partition=2/3"]) == 0
    assert digests(output) == digests(whole)


def test_parts_that_run_at_once_and_one_of_which_was_killed_make_the_files_of_one_run(whole, photo_tree, tmp_path):
    def part(number: int) -> Job:
        return Job(photo_tree, tmp_path, *FLAGS, LOCAL, f"--partition={number}/2")

    with part(1) as killed:
        killed.wait_for(1)
        killed.kill()
    assert not (tmp_path / FILE_NAME).exists()
    with part(1) as one, part(2) as other:
        ended = [job.finish() for job in (one, other)]
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert any("next: autochrome train" in stdout for _, stdout, _ in ended)
    assert digests(tmp_path) == digests(whole)
