"""What an operator does to `prepare`: kill -9, a full disk, two runs at once. Whole runs in processes of their own."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import messages
import numpy as np
import pytest
from prepare_job import Job, digests, storm

from pipelines import prepare
from tfrecords.description import FILE_NAME, Description
from tfrecords.shards import SPLITS

FLAGS = ("--size=128", "--num_shards=8", "--validation_percent=20")
CROPS = 60
PHOTOS = 4 * CROPS + 2
KILLS = [1, pytest.param(5, marks=pytest.mark.chaos)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos: dict[str, np.ndarray], grey_photos, encoded: Callable[..., bytes]) -> Path:
    """Crops of real photos in colour, one grey, one cut short."""
    root = tmp_path_factory.mktemp("crops")
    for name, pixels in photos.items():
        (root / name).mkdir()
        rows, columns = pixels.shape[0] - 160, pixels.shape[1] - 160
        for index in range(CROPS):
            top, left = index * rows // CROPS, 7 * index % columns
            crop = pixels[top : top + 160, left : left + 160]
            (root / name / f"{index}.jpg").write_bytes(encoded(crop, "JPEG", quality=92))
    (root / "grey.jpg").write_bytes(encoded(grey_photos["camera"], "JPEG"))
    (root / "cut short.jpg").write_bytes(encoded(photos["coffee"], "JPEG")[:9000])
    return root


@pytest.fixture(scope="module")
def undisturbed(tree, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed") / "records"
    assert prepare.main([f"--input={tree}", f"--output={output}", *FLAGS, "--direct_num_workers=1"]) == 0
    return output


@pytest.mark.parametrize("kills", KILLS)
def test_killed_at_random_moments_it_ends_with_the_bytes_of_an_undisturbed_run(tree, undisturbed, tmp_path, kills):
    result = storm(tree, tmp_path, *FLAGS, photos=PHOTOS, kills=kills, seed=1)
    assert result.killed_at
    assert result.reopened == []
    assert digests(tmp_path) == digests(undisturbed)
    outcomes = json.loads((tmp_path / FILE_NAME).read_text())["outcomes"]
    description = Description.from_json((tmp_path / FILE_NAME).read_text())
    assert sum(outcomes.values()) == PHOTOS
    assert sum(description.count(split) for split in SPLITS) == outcomes["written"]


def test_a_disk_that_is_full_ends_the_run_with_a_line_and_no_torn_shard(tree, undisturbed, tmp_path):
    expected = digests(undisturbed)
    sizes = sorted(path.stat().st_size for path in undisturbed.glob("*.tfrecord"))
    with Job(tree, tmp_path, *FLAGS, file_limit=sizes[len(sizes) // 2]) as job:
        code, stdout, stderr = job.finish()
    assert code == 1
    assert stdout == ""
    said = messages.lasting(stderr)
    assert len(said) == 1
    assert re.fullmatch(r"autochrome: error: .*File too large.*", said[0])
    assert not (tmp_path / FILE_NAME).exists()
    shards = {name: digest for name, digest in digests(tmp_path).items() if name.endswith(".tfrecord")}
    assert shards.items() <= expected.items()
    assert len(shards) < len(sizes)
    assert prepare.main([f"--input={tree}", f"--output={tmp_path}", *FLAGS, "--direct_num_workers=1"]) == 0
    assert digests(tmp_path) == expected


def test_two_runs_at_once_into_one_folder_do_no_harm(tree, undisturbed, tmp_path):
    flags = (*FLAGS, "--direct_num_workers=1")
    with Job(tree, tmp_path, *flags) as one, Job(tree, tmp_path, *flags) as other:
        for job in (one, other):
            code, _, stderr = job.finish()
            assert (code, messages.lasting(stderr)) == (0, [])
    assert digests(tmp_path) == digests(undisturbed)
