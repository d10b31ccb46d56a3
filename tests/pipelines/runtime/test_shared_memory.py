import os

import pytest

from pipelines.runtime import shared_memory
from pipelines.runtime.shared_memory import SharedMemory


@pytest.fixture
def memory():
    descriptor = shared_memory.created()
    found = SharedMemory(descriptor)
    yield descriptor, found
    os.close(descriptor)
    found.close()


def test_another_view_of_the_memory_has_the_bytes(memory):
    descriptor, ours = memory
    theirs = SharedMemory(descriptor)
    assert ours.put([b"abc", b"", b"defg"])
    assert [theirs.part(*place) for place in ((0, 3), (3, 0), (3, 4))] == [b"abc", b"", b"defg"]
    theirs.close()
    assert ours.part(3, 4) == b"defg"


def test_what_does_not_fit_is_refused(memory):
    _, ours = memory
    half = bytes(shared_memory.SIZE // 2)
    assert ours.put([half, half])
    assert not ours.put([half, half, b"x"])
    assert SharedMemory(shared_memory.NONE).put([])
    assert not SharedMemory(shared_memory.NONE).put([b"x"])


def test_it_keeps_its_size(memory):
    descriptor, _ = memory
    for size in (0, 2 * shared_memory.SIZE):
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, size)
