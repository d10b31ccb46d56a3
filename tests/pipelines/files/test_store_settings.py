"""Beam's flags say how stores are reached, in the process that launches a job and in its workers."""

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from objects import BUCKET, served

from pipelines.files import cloud, sources, storage, store_settings
from pipelines.files.store_settings import Settings
from pipelines.runtime import runners

PROJECT = "--billing_project=archive"


def test_every_request_names_the_project_that_pays():
    requests: list[str] = []
    with served({"in/a.jpg": b"photo", "in/box/b.jpg": b"photo"}, requests) as bucket:
        runners.beam_options([PROJECT])
        cloud.check({"--input": bucket})
        assert [photo.read() for photo in sources.find(f"{bucket}/in")] == [b"photo"] * 2
        assert storage.size(f"{bucket}/in/a.jpg") == 5
        runners.beam_options([])
    # The library asks by itself, once, about the bucket.
    asked = [request for request in requests if f"{BUCKET}/o" in request]
    assert len(asked) > 4
    assert [request for request in asked if "userProject=archive" not in request] == []


def test_settings_are_those_of_the_job(monkeypatch):
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)
    assert store_settings.current() == Settings()
    flags = ["--s3_endpoint_url=http://localhost:9000", "--s3_disable_ssl", PROJECT]
    options = runners.beam_options(flags)
    expected = Settings(s3_endpoint_url="http://localhost:9000", s3_disable_ssl=True, billing_project="archive")
    assert store_settings.current() == expected
    # As Beam sets up a worker.
    FileSystems.set_options(PipelineOptions.from_dictionary(options.get_all_options(drop_default=True)))
    assert store_settings.current() == expected
    runners.beam_options([])
    assert store_settings.current() == Settings()
