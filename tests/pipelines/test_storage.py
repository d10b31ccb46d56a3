import os
from pathlib import Path

import pytest

from pipelines import storage
from tfrecords.errors import UserError


def test_compressed_files_stay_as_they_are(tmp_path):
    path = str(tmp_path / "a.gz")
    storage.write(path, b"not compressed at all")
    assert storage.read(path) == b"not compressed at all"


def test_reading_what_is_not_there(tmp_path):
    for name in ("missing", ""):
        with pytest.raises(storage.IO_ERRORS):
            storage.read(str(tmp_path / name))


def test_check_writable_makes_the_folder_and_leaves_nothing_in_it(tmp_path):
    folder = tmp_path / "a" / "b"
    storage.check_writable(str(folder))
    assert list(folder.iterdir()) == []


def test_what_a_kill_leaves_of_the_probe_is_swept(tmp_path, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "remove", killed)
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            storage.check_writable(str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
    storage.sweep(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_check_writable_on_a_file(tmp_path, output):
    (tmp_path / "file").write_bytes(b"keep")
    with pytest.raises(UserError, match=rf"^--output .*{output} cannot be written to \(.+\); choose") as raised:
        storage.check_writable(str(tmp_path / output))
    assert "\n" not in str(raised.value)
    assert (tmp_path / "file").read_bytes() == b"keep"


def test_check_writable_on_an_unknown_scheme():
    with pytest.raises(UserError, match="nosuch://bucket cannot be written to"):
        storage.check_writable("nosuch://bucket")


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
