"""Which inputs a collection of photos comes from."""

import apache_beam as beam
import numpy as np
import pytest
from objects import served
from photo_files import file_of

from pipelines import colorize, prepare
from pipelines.files.find_photos import FindPhotos, patterns_of
from tfrecords.errors import UserError


def test_inputs_are_known_whatever_transforms_lie_between(tmp_path):
    folders = [str(tmp_path / name) for name in ("a", "b", "c")]
    for folder in folders:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").write_bytes(b"x")
    pipeline = beam.Pipeline()
    one = pipeline | "One" >> FindPhotos(folders[0])
    more = pipeline | "More" >> FindPhotos(folders[1:])
    assert list(patterns_of(one)) == folders[:1]
    both = (one, more) | beam.Flatten()
    keyed = both | beam.Map(lambda photo: (photo.name, photo)) | beam.GroupByKey()
    assert sorted(patterns_of(keyed | beam.FlatMap(lambda pair: pair[1]))) == folders
    assert list(patterns_of(pipeline | beam.Create([]))) == []


def test_an_input_that_does_not_exist_is_refused_before_the_job(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        _ = beam.Pipeline() | FindPhotos(str(tmp_path / "nowhere"))


def test_an_empty_bucket_is_refused_before_the_job():
    with served({"other/a.jpg": b"a"}) as bucket, pytest.raises(UserError, match="has no photos"):
        _ = beam.Pipeline() | FindPhotos(f"{bucket}/in")


@pytest.mark.parametrize("command", ["prepare", "colorize", "colorize --dry_run"])
def test_a_launch_lists_a_bucket_once_before_the_job(command, tmp_path, saved_model_dir):
    draw = np.random.default_rng(0)
    photos = {
        f"in/box {number}/a.jpg": file_of(draw.integers(0, 256, (40, 40, 3), np.uint8), "JPEG") for number in "12"
    }
    requests: list[str] = []
    arguments = [f"--output={tmp_path}/out", "--direct_num_workers=1"]
    with served(photos, requests) as bucket:
        if command == "prepare":
            assert prepare.main([f"--input={bucket}/in", *arguments, "--size=32"]) == 0
        else:
            dry_run = command.split()[1:]
            assert colorize.main([f"--input={bucket}/in", *arguments, f"--model={saved_model_dir}", *dry_run]) == 0
    assert sum("/o/in/dataset.json" in request for request in requests) == 1
    assert sum("maxResults=1&" in request for request in requests) == 1
    # Once to see whether there are photos, and once by the job.
    assert sum("prefix=in/&delimiter=/" in request for request in requests) == 2
    assert sum("prefix=in/box+1/" in request for request in requests) == 2
    assert sum("prefix=in/box+2/" in request for request in requests) == 1
