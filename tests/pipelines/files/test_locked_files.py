import fcntl
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.files import local_files, locked_files


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lease.json"
    path.write_bytes(b"old")
    return path


def seen(path) -> str:
    with locked_files.held(path) as file:
        return locked_files.version(file)


def test_a_file_that_has_not_changed_is_replaced(file):
    assert locked_files.replace(file, b"new", seen(file))
    assert file.read_bytes() == b"new"
    assert [path.name for path in file.parent.iterdir()] == ["lease.json"]


def test_a_folder_that_is_a_file_has_no_files(file):
    with locked_files.held(file / "lease.json") as found:
        assert found is None


def test_a_file_that_somebody_changed_or_removed_is_left_alone(file):
    known = seen(file)
    file.unlink()
    assert not locked_files.replace(file, b"new", known)
    assert not locked_files.remove(file, known)
    file.write_bytes(b"theirs")
    os.utime(file, ns=(1, 1))
    assert not locked_files.replace(file, b"new", known)
    assert not locked_files.remove(file, known)
    assert file.read_bytes() == b"theirs"
    assert locked_files.remove(file, seen(file))
    assert not file.exists()


def test_one_of_many_replaces_a_version(file):
    texts, known = [b"%d" % number for number in range(8)], seen(file)
    with ThreadPoolExecutor(len(texts)) as pool:
        done = list(pool.map(lambda text: locked_files.replace(file, text, known), texts))
    assert [text for text, is_done in zip(texts, done, strict=True) if is_done] == [file.read_bytes()]


def test_a_file_is_locked_while_it_is_held(file):
    with file.open() as other:
        with locked_files.held(file), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_link_is_not_followed(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(OSError, match="symbolic links"), locked_files.held(tmp_path / "link"):
        pass


def test_only_a_damaged_file_is_repaired(file):
    locked_files.repair(file, b"whole", is_whole=lambda data: data == b"old")
    assert file.read_bytes() == b"old"
    locked_files.repair(file, b"new", is_whole=lambda data: False)
    assert file.read_bytes() == b"new"
    file.unlink()
    locked_files.repair(file, b"new", is_whole=lambda data: False)
    assert not file.exists()


def test_the_clock_is_that_of_the_file_system_and_leaves_no_file(tmp_path):
    before = locked_files.clock(tmp_path / "folder")
    (tmp_path / "folder" / "a").touch()
    after = locked_files.clock(tmp_path / "folder")
    assert before <= (tmp_path / "folder" / "a").stat().st_mtime <= after
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a"]
    assert not local_files.is_unfinished("a")
