"""Which inputs a collection of photos comes from."""

import apache_beam as beam
import pytest

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
