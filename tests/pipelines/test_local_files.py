from pathlib import Path

import pytest

from pipelines import local_files


def write_half(path: Path, error: BaseException) -> None:
    with local_files.whole_file(path) as file:
        file.write(b"half")
        raise error


def test_a_whole_file_appears(tmp_path):
    path = tmp_path / "new" / "folder" / "ü [1].bin"
    with local_files.whole_file(path) as file:
        file.write(b"one")
        file.write(b"two")
        assert not path.exists()
    assert path.read_bytes() == b"onetwo"
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
    with local_files.whole_file(path) as file:
        file.write(b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_is_not_created(tmp_path):
    path = tmp_path / "new" / "a.json"
    assert local_files.create(path, b"first")
    assert not local_files.create(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def test_where_there_are_no_links_files_are_created_all_the_same(tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError("no links on this file system")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    test_what_is_there_is_not_created(tmp_path)
