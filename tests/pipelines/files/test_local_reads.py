"""Local reads against what the operating system itself refuses."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from this_thread import here

from pipelines.files import local_reads, patience, storage
from tfrecords.errors import DeniedError, OutageError

# The first page of a process, which is not there: the kernel answers a read of it with EIO.
BAD_DISK = "/proc/self/mem"


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 0.3)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(patience, "LONGEST_LOCAL_PAUSE", 0.05)


@contextmanager
def without_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_read_that_the_disk_refuses_is_an_outage(tmp_path):
    path = tmp_path / "a.jpg"
    path.symlink_to(BAD_DISK)
    for read in (
        lambda: storage.read(str(path)),
        lambda: storage.read_range(str(path), 0, 10),
        lambda: storage.read_if_there(str(path)),
        lambda: storage.opened(str(path)).read(),
    ):
        with pytest.raises(OutageError, match=r"a\.jpg could not be read for .*: Input/output error; check the disk"):
            read()


def test_a_process_without_descriptors_is_an_outage(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    for read in (
        lambda: storage.read(str(path)),
        lambda: storage.opened(str(path)),
        lambda: local_reads.listed(str(tmp_path)),
    ):
        with (
            without_descriptors(),
            pytest.raises(OutageError, match=r"Too many open files; allow more open files"),
        ):
            read()
    assert storage.read(str(path)) == b"photo"


def test_a_file_that_can_be_opened_again_is_read_on(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    data = os.urandom(100_000)
    path.write_bytes(data)
    preadv, calls = os.preadv, []

    def stale(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        calls.append(descriptor)
        if len(calls) % 2:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return preadv(descriptor, buffers, offset)

    with storage.opened(str(path)) as file:
        monkeypatch.setattr(os, "preadv", here(stale, preadv))
        assert file.read(10) == data[:10]
        assert file.seek(-50_000, os.SEEK_END) == 50_000
        assert file.read() == data[50_000:]
        assert file.seek(0) == 0
        assert file.read() == data
    assert len(calls) > 4


def test_what_is_missing_is_told_at_once(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for name in ("nothing", "nothing/below", "file/below"):
        assert storage.read_if_there(str(tmp_path / name)) is None
        assert storage.size(str(tmp_path / name)) == -1
        with pytest.raises(storage.io_errors()):
            storage.opened(str(tmp_path / name))
    assert storage.size(str(tmp_path / "file")) == 0


def test_what_may_not_be_read_is_not_missing(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "claim.json").write_text("{}")
    folder.chmod(0)
    uid = os.geteuid()
    try:
        if uid == 0:
            os.seteuid(65534)
        for look in (storage.read_if_there, storage.size):
            with pytest.raises(DeniedError, match=r"claim\.json: access is denied \(Permission denied\)"):
                look(str(folder / "claim.json"))
    finally:
        os.seteuid(uid)
        folder.chmod(0o755)


def test_names_with_wildcards_are_names(tmp_path):
    (tmp_path / "photo1.jpg").write_bytes(b"another")
    assert storage.size(str(tmp_path / "photo[1].jpg")) == -1
    assert storage.read_if_there(str(tmp_path / "*.jpg")) is None
