import pytest

from tfrecords.uris import is_remote


@pytest.mark.parametrize(
    ("path", "remote"),
    [("gs://b/a", True), ("s3://b", True), ("/a", False), ("a/b", False), ("a:/b", False), ("", False)],
)
def test_only_a_path_with_a_scheme_is_remote(path, remote):
    assert is_remote(path) == remote
