import os
from pathlib import Path

import pytest

from pipelines import storage
from tfrecords.errors import UserError


def write_half(path: Path, error: BaseException) -> None:
    with storage.whole_file(str(path)) as file:
        file.write(b"half")
        raise error


def test_a_whole_file_appears(tmp_path):
    path = tmp_path / "new" / "folder" / "ü [1].bin"
    with storage.whole_file(str(path)) as file:
        file.write(b"one")
        file.write(b"two")
        assert not path.exists()
    assert storage.read(str(path)) == b"onetwo"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_nothing_appears_when_the_block_raises(tmp_path):
    with pytest.raises(RuntimeError, match="halfway"):
        write_half(tmp_path / "a.bin", RuntimeError("halfway"))
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_before_stays_when_the_block_raises(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_half(path, KeyboardInterrupt())
    assert path.read_bytes() == b"before"
    storage.write(str(path), b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


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


def test_what_is_there_is_not_created(tmp_path):
    path = tmp_path / "new" / "a.json"
    assert storage.create(str(path), b"first")
    assert not storage.create(str(path), b"second")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def test_where_there_are_no_links_files_are_created_all_the_same(tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError("no links on this file system")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    test_what_is_there_is_not_created(tmp_path)


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


def test_join_and_normalized(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert storage.join("gs://bucket/out", "a/b c.jpg") == "gs://bucket/out/a/b c.jpg"
    assert storage.join(str(tmp_path), "a/b") == f"{tmp_path}/a/b"
    (tmp_path / "link").symlink_to(tmp_path)
    assert storage.normalized("link/x/../y/") == str(tmp_path / "y")
    assert storage.normalized("gs://bucket/out/") == "gs://bucket/out"
