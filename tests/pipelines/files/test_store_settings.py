"""Beam's flags say how stores are reached, in the process that launches a job and in its workers."""

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.files import store_settings
from pipelines.files.store_settings import Settings
from pipelines.runtime import runners


def test_settings_are_those_of_the_job(monkeypatch):
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)
    assert store_settings.current() == Settings()
    flags = ["--s3_endpoint_url=http://localhost:9000", "--s3_disable_ssl"]
    options = runners.beam_options(flags)
    expected = Settings(s3_endpoint_url="http://localhost:9000", s3_disable_ssl=True)
    assert store_settings.current() == expected
    # As Beam sets up a worker.
    FileSystems.set_options(PipelineOptions.from_dictionary(options.get_all_options(drop_default=True)))
    assert store_settings.current() == expected
    runners.beam_options([])
    assert store_settings.current() == Settings()
