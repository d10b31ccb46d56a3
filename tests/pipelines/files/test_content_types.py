import pytest

from pipelines.files import content_types
from pipelines.images import formats


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("box.png/a.JPG", "image/jpeg"),
        ("a.tif.p001.png", "image/png"),
        ("manifest/photos-00000-of-00001.jsonl", "application/x-ndjson"),
        ("index.html", "text/html; charset=utf-8"),
        ("train-00000-of-00001.tfrecord", "application/octet-stream"),
        ("png", "application/octet-stream"),
    ],
)
def test_a_name_has_its_type(name, media_type):
    assert content_types.of(name) == media_type


def test_every_format_that_is_written_has_a_type():
    assert all(content_types.of(f"a{extension}").startswith("image/") for extension in formats.ADDED)
