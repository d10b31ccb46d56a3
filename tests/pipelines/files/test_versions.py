import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipelines.files import storage, versions

NOBODY = 65534


def test_a_file_is_replaced_only_while_it_is_the_one_that_was_read(tmp_path):
    path = str(tmp_path / "a.json")
    assert versions.read(path) is None
    storage.write(path, b"first")
    version = versions.read(path)
    assert version is not None
    assert version.data == b"first"
    assert versions.replace(path, b"second", version)
    assert not versions.replace(path, b"third", version)
    versions.remove(path, version)
    assert Path(path).read_bytes() == b"second"
    now = versions.read(path)
    assert now is not None
    versions.remove(path, now)
    assert not versions.replace(path, b"fourth", now)
    assert list(tmp_path.iterdir()) == []


def test_the_same_bytes_written_again_are_another_version(tmp_path):
    path = str(tmp_path / "a.json")
    storage.write(path, b"same")
    version = versions.read(path)
    assert versions.replace(path, b"same", version)
    assert versions.read(path).id != version.id


def test_of_many_who_replace_a_file_at_once_one_succeeds(tmp_path):
    path, writers = str(tmp_path / "a.json"), 8
    for _ in range(20):
        storage.write(path, b"before")
        version, together = versions.read(path), threading.Barrier(writers)

        def write(number: int, version=version, together=together) -> bool:
            together.wait()
            return versions.replace(path, b"%d" % number, version)

        with ThreadPoolExecutor(writers) as pool:
            succeeded = [number for number, done in enumerate(pool.map(write, range(writers))) if done]
        assert len(succeeded) == 1
        assert Path(path).read_bytes() == b"%d" % succeeded[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_the_clock_is_that_of_the_file_system(tmp_path):
    before = versions.clock(str(tmp_path / "new"))
    storage.write(str(tmp_path / "a"), b"x")
    assert before <= versions.read(str(tmp_path / "a")).changed <= versions.clock(str(tmp_path))
    assert list((tmp_path / "new").iterdir()) == []


def test_a_file_that_may_only_be_read_is_read():
    with tempfile.TemporaryDirectory() as folder:  # pytest lets nobody else into its own
        path = Path(folder, "a.json")
        path.write_bytes(b"first")
        path.chmod(0o444)
        Path(folder).chmod(0o755)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(NOBODY)  # root may write everything
            version = versions.read(str(path))
        finally:
            os.seteuid(user)
    assert version is not None
    assert version.data == b"first"
