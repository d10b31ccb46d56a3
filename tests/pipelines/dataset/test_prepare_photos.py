"""`PreparePhotos` in a pipeline of one's own."""

import logging
import warnings

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipelines import FindPhotos, PreparePhotos, PrepareSettings, Source, prepare
from tfrecords.errors import UserError

SETTINGS = PrepareSettings(size=32, num_shards=2, validation_percent=0)


def mine(photo: Source) -> bool:
    return "whole" in photo.name


def test_a_pipeline_with_a_filter_does_what_the_command_does_and_beam_warns_of_nothing(photo_tree, tmp_path, caplog):
    out, told = tmp_path / "records", tmp_path / "told"
    with warnings.catch_warnings(record=True) as said, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            described = pipeline | FindPhotos(str(photo_tree)) | beam.Filter(mine) | PreparePhotos(str(out), SETTINGS)
            _ = described | beam.Map(lambda records: told.write_text(records.to_json()))
    assert told.read_text() == (out / "dataset.json").read_text()
    assert [one.message for one in said if "apache_beam" in one.filename or "pipelines" in one.filename] == []
    assert [record.message for record in caplog.records] == []
    glob, other = f"--input={photo_tree}/**/* whole.JPEG", tmp_path / "command"
    flags = [glob, f"--output={other}", "--size=32", "--num_shards=2", "--validation_percent=0"]
    assert prepare.main([*flags, "--direct_num_workers=1"]) == 0
    for path in sorted(other.glob("*.tfrecord")):
        assert (out / path.name).read_bytes() == path.read_bytes()


def test_an_output_that_overlaps_with_the_photos_is_refused_before_the_job(photo_tree):
    photos = beam.Pipeline(runner=FnApiRunner()) | FindPhotos(str(photo_tree)) | beam.Filter(mine)
    with pytest.raises(UserError, match="overlap"):
        _ = photos | PreparePhotos(str(photo_tree / "records"), SETTINGS)


@pytest.mark.parametrize(("field", "value"), [("size", 12), ("size", 0), ("size", 4096), ("validation_percent", 100)])
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(UserError, match=f"{field} {value} must be"):
        PrepareSettings(**{field: value})
