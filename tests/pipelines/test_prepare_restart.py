"""`prepare --overwrite` on a runner that starts the job again after a failure."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prepare_job import digests

from pipelines.dataset.job import Prepare
from pipelines.dataset.prepare_photos import PreparePhotos, Settings
from pipelines.errors import JobFailedError
from pipelines.runtime import runners

SETTINGS = Settings(size=32, num_shards=6, validation_percent=0)


@pytest.fixture(scope="module")
def tree(tmp_path_factory, photos, encoded: Callable[..., bytes]) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for index in range(12):
        (folder / f"{index}.jpg").write_bytes(encoded(photos["coffee"][: 90 + index, :90], "JPEG"))
    return folder


def run(job: Prepare) -> None:
    runners.run(job, runners.beam_options(["--direct_num_workers=1"]))


def test_a_job_that_is_started_again_keeps_the_shards_that_it_finished(tree, tmp_path):
    output, whole = tmp_path / "records", tmp_path / "whole"
    run(Prepare(str(tree), PreparePhotos(str(whole), SETTINGS, threads=1)))
    run(Prepare(str(tree), PreparePhotos(str(output), replace(SETTINGS, size=40), threads=1)))
    # A copy of it is the same launch.
    job = Prepare(str(tree), PreparePhotos(str(output), SETTINGS, overwrite=True, threads=1))
    *first, last = sorted(whole.glob("*.tfrecord"), key=lambda path: path.stat().st_mtime_ns)
    # A shard that cannot be written ends the job when the others are done.
    (output / last.name).unlink()
    (output / last.name / "folder").mkdir(parents=True)
    with pytest.raises(JobFailedError):
        run(replace(job))
    done = {path.name: (output / path.name).stat().st_ino for path in first}
    (output / last.name / "folder").rmdir()
    (output / last.name).rmdir()
    run(replace(job))
    assert {path.name: (output / path.name).stat().st_ino for path in first} == done
    assert digests(output) == digests(whole)
    run(replace(job, photos=replace(job.photos, run="another launch")))
    assert {path.name: (output / path.name).stat().st_ino for path in first} != done
    assert digests(output) == digests(whole)
