"""Photos and output stay folders apart."""

import os
from pathlib import Path

import apache_beam as beam
import pytest
import quick_pipeline
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from pipelines.files.keep_apart import KeepApart
from pipelines.files.sources import Source
from tfrecords.errors import UserError


def source(path: Path | str) -> Source:
    return Source(uri=str(path), name="a.jpg", size=1, fingerprint="1-1")


def test_photos_elsewhere_pass(tmp_path):
    photos = [source(tmp_path / "out.jpg"), source(tmp_path / "output" / "a.jpg"), source("gs://bucket/out/a.jpg")]
    with quick_pipeline.running() as pipeline:
        assert_that(pipeline | beam.Create(photos) | KeepApart(str(tmp_path / "out")), equal_to(photos))


@pytest.mark.parametrize("form", ["{0}/out/a.jpg", "{0}/scans/../out/deep/a.jpg", "{1}/out/a.jpg"])
def test_a_photo_in_the_output_stops_the_job(tmp_path, form):
    photo = source(form.format(tmp_path, os.path.relpath(tmp_path)))
    pipeline = beam.Pipeline(runner=FnApiRunner())
    _ = pipeline | beam.Create([photo]) | KeepApart(f"{tmp_path}/out/")
    with pytest.raises(UserError, match="lies in the output"):
        pipeline.run()


def test_an_output_without_a_name_is_refused():
    with pytest.raises(UserError, match="output is empty; name a folder"):
        _ = beam.Pipeline() | beam.Create([]) | KeepApart("")
