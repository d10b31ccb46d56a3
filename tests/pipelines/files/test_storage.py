import importlib
import sys

import pytest

from pipelines.files import storage


def test_compressed_files_stay_as_they_are(tmp_path):
    path = str(tmp_path / "a.gz")
    storage.write(path, b"not compressed at all")
    assert storage.read(path) == b"not compressed at all"


def test_reading_what_is_not_there(tmp_path):
    for name in ("missing", ""):
        with pytest.raises(storage.io_errors()):
            storage.read(str(tmp_path / name))


@pytest.mark.parametrize("folder", ["/out", "out", "", ".", "gs://bucket/out"])
@pytest.mark.parametrize("name", ["", "..", "a/../../b", "/etc/a", "a//b", "a/.", "./a", "a/", "a\0b"])
def test_a_file_is_never_joined_to_a_place_outside_its_folder(folder, name):
    with pytest.raises(storage.OutsideError):
        storage.join(folder, name)


def test_no_name_is_read_as_a_glob(tmp_path):
    folder = tmp_path / "out[1]"
    for name in ("photo[1].jpg", "photo1.jpg", "*.jpg", "?", "sub/x.jpg"):
        storage.write(str(folder / name), b"123")
    storage.write(str(tmp_path / "out1" / "photo1.jpg"), b"other")
    assert storage.size(str(folder / "photo[1].jpg")) == 3
    assert storage.size(str(tmp_path / "out1" / "photo[1].jpg")) == -1
    assert sorted(storage.names(str(folder))) == ["*.jpg", "?", "photo1.jpg", "photo[1].jpg"]
    assert storage.names(str(tmp_path / "out[2]")) == []
    storage.remove([str(folder / name) for name in ("photo[1].jpg", "?", "missing[1]")])
    assert sorted(storage.names(str(folder))) == ["*.jpg", "photo1.jpg"]
    storage.remove([str(folder / "*.jpg")])
    assert storage.names(str(folder)) == ["photo1.jpg"]
    assert storage.names(str(tmp_path / "out1")) == ["photo1.jpg"]


def test_join_and_normalized(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert storage.join("gs://bucket/out", "a/b c.jpg") == "gs://bucket/out/a/b c.jpg"
    assert storage.join(str(tmp_path), "a/b") == f"{tmp_path}/a/b"
    (tmp_path / "link").symlink_to(tmp_path)
    assert storage.normalized("link/x/../y/") == str(tmp_path / "y")
    assert storage.normalized("gs://bucket/out/") == "gs://bucket/out"


def test_errors_of_a_library_that_is_imported_late_are_ignored_too(monkeypatch):
    """A store is first used, and its library imported, in the block."""
    whole = importlib.import_module("google.api_core.exceptions")
    # To import it again binds this name as well, and others must not get classes that nobody else knows.
    monkeypatch.setattr(importlib.import_module("google.api_core"), "exceptions", whole)
    monkeypatch.delitem(sys.modules, "google.api_core.exceptions")
    with storage.errors_ignored():
        raise importlib.import_module("google.api_core.exceptions").NotFound("no such object")
    with pytest.raises(KeyError), storage.errors_ignored():
        raise KeyError
    with storage.errors_ignored(KeyError):
        raise KeyError
