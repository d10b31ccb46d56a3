import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from power import recorded
from this_thread import here

from pipelines.files import local_files


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


def test_a_file_that_fails_its_check_does_not_appear(tmp_path):
    def check() -> None:
        (path,) = tmp_path.iterdir()
        assert path.read_bytes() == b"whole"
        raise RuntimeError("taken over")

    with pytest.raises(RuntimeError, match="taken over"), local_files.whole_file(tmp_path / "a.bin", check) as file:
        file.write(b"whole")
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

    monkeypatch.setattr(Path, "hardlink_to", here(refused, Path.hardlink_to))
    test_what_is_there_is_not_created(tmp_path)


def write(path: Path, data: bytes) -> None:
    with local_files.whole_file(path) as file:
        file.write(data)


def create(path: Path, data: bytes) -> None:
    assert local_files.create(path, data)


@pytest.mark.parametrize("make", [write, create])
def test_a_file_has_its_name_only_when_its_bytes_are_on_the_disk(tmp_path, make):
    data = b"x" * 100_000
    with recorded(tmp_path) as disk:
        make(tmp_path / "new" / "folder" / "a.bin", data)
    found = {world.get("new/folder/a.bin") for world in disk.worlds}
    assert found == {None, data}
    assert disk.worlds[-2].keys() == {"new/folder/a.bin"}, "its name may be lost although it was written"


def test_a_power_cut_leaves_the_file_as_it_was_or_as_it_will_be(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    with recorded(tmp_path) as disk:
        write(path, b"after")
    assert {world["a.bin"] for world in disk.worlds} == {b"before", b"after"}
    assert disk.worlds[-2] == {"a.bin": b"after"}


def test_where_folders_cannot_be_synced_files_are_written_all_the_same(tmp_path, monkeypatch):
    def refused(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", here(refused, os.fsync))
    write(tmp_path / "new" / "a.bin", b"x")
    assert (tmp_path / "new" / "a.bin").read_bytes() == b"x"


def test_a_disk_that_fails_to_sync_ends_the_writing(tmp_path, monkeypatch):
    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", here(failing, os.fsync))
    with pytest.raises(OSError, match="Input/output error"):
        write(tmp_path / "a.bin", b"x")
    assert list(tmp_path.iterdir()) == []


def test_sweeping_leaves_alone_what_a_living_process_writes(tmp_path):
    (tmp_path / local_files.hidden_name("dead.bin")).write_bytes(b"half")
    with local_files.whole_file(tmp_path / "a.bin") as file:
        file.write(b"x")
        local_files.sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


LEAVING = """
import os, sys, threading
from pathlib import Path
from pipelines.files import local_files

folder, begun, over = Path(sys.argv[1]), threading.Event(), threading.Event()

def write():
    with local_files.whole_file(folder / "slow.bin") as file:
        file.write(b"half")
        begun.set()
        over.wait()

threading.Thread(target=write).start()
begun.wait()
local_files.abandon()
late = threading.Thread(target=local_files.create, args=(folder / "late.bin", b"late"))
late.start()
late.join(0.2)
local_files.create(folder / "last.bin", b"what the one who ends the process still has to write")
print(sorted(os.listdir(folder)), flush=True)
os._exit(0)
"""


def test_a_process_that_is_about_to_end_leaves_nothing_unfinished(tmp_path):
    command = [sys.executable, "-c", LEAVING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "['last.bin']\n"
    assert [path.name for path in tmp_path.iterdir()] == ["last.bin"]
