"""How `WriteManifest` finds the run of `ColorizePhotos`."""

import apache_beam as beam
import pytest

from pipelines.archive import runs
from pipelines.archive.lease import Lease
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.runs import Run
from tfrecords.errors import UserError


def test_a_run_is_found_by_its_folder_in_its_own_pipeline_only(tmp_path):
    pipeline, other = beam.Pipeline(), beam.Pipeline()
    none = pipeline | beam.Create([])
    folder = str(tmp_path / "out")
    run = Run(
        lease=Lease(folder=folder),
        recipe=Recipe(model="m", model_digest="ab", settings=Settings(), settings_digest="cd"),
        results=none,
        records=none,
        damaged=none,
        unfinished=none,
    )
    runs.check_alone(pipeline, folder)
    runs.register(pipeline, run)
    assert runs.of(pipeline, f"{tmp_path}/./out/") is run
    with pytest.raises(UserError, match="two ColorizePhotos write into"):
        runs.check_alone(pipeline, f"{folder}/")
    runs.check_alone(other, folder)
    for unknown in ((other, folder), (pipeline, str(tmp_path))):
        with pytest.raises(UserError, match="give both the same folder"):
            runs.of(*unknown)
