"""The child's side of the conversation, in this process; `test_photo_process` has real children."""

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import pytest

from pipelines.errors import Rejected
from pipelines.images.limits import Limits
from pipelines.runtime import photo_server, shared_memory
from pipelines.runtime.photo_server import (
    Call,
    Done,
    Failed,
    File,
    NoMemory,
    Parent,
    Photo,
    Question,
    Ready,
    Refused,
    Shared,
    serve,
)
from pipelines.runtime.shared_memory import SharedMemory


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    """Limits are those of a whole process, and this one is that of the tests."""
    monkeypatch.setattr(photo_server, "enforced", lambda limits, at_rest: contextmanager(lambda: (yield))())
    monkeypatch.setattr(photo_server, "waiting", contextmanager(lambda: (yield)))


MEMORY = SharedMemory(shared_memory.created())


@contextmanager
def served(handler: Callable[..., object]) -> Iterator[Connection]:
    """The parent's end of a server that runs in a thread; the server ends with the block."""
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=serve, args=(theirs, MEMORY, handler))
    thread.start()
    try:
        assert ours.recv() == Ready()
        yield ours
    finally:
        ours.close()
        thread.join()


def send(connection: Connection, *files: bytes, memory: SharedMemory | None = None) -> None:
    photos = (Photo(size=len(file), arguments=(number,), limits=Limits.of(9)) for number, file in enumerate(files))
    is_shared = memory is not None and memory.put(files)
    connection.send(Call(tuple(photos), is_shared))
    if not is_shared:
        connection.send_bytes(b"".join(files))


@pytest.mark.parametrize("memory", [None, MEMORY], ids=["socket", "memory"])
def test_photos_of_a_call_are_cut_apart_and_answered_together(memory):
    with served(lambda parent, data, number: (data, number)) as connection:
        for files in ((b"abc", b"", b"defg"), (b"x",), (b"y" * 30_000, b"z" * 20_000)):
            send(connection, *files, memory=memory)
            reply = connection.recv()
            if isinstance(reply, Shared):
                assert sum(map(len, files)) < reply.size < 60_000
                reply = MEMORY.unpickled(reply.size)
            assert isinstance(reply, Done)
            assert reply.results == tuple((file, number) for number, file in enumerate(files))
            assert reply.processor >= 0


def test_a_handler_asks_and_gives():
    def handler(parent: Parent, data: bytes, number: int) -> int:
        half = parent.ask(data[0])
        parent.give(b"file" * half)
        return half + 1

    with served(handler) as connection:
        send(connection, bytes([6]))
        assert connection.recv() == Question(6)
        connection.send(3)
        assert (connection.recv(), connection.recv_bytes()) == (File(), b"filefilefile")
        assert connection.recv().results == (4,)


def test_the_first_failure_of_a_call_is_its_reply_and_the_server_goes_on():
    errors = {
        b"r": Rejected("unreadable", "cut short"),
        b"m": MemoryError(),
        b"b": ZeroDivisionError("by zero"),
    }

    def handler(parent: Parent, data: bytes, number: int) -> bytes:
        if data in errors:
            raise errors[data]
        return data

    with served(handler) as connection:
        send(connection, b"a", b"r", b"b")
        assert connection.recv() == Refused("unreadable", "cut short")
        send(connection, b"b", b"r")
        reply = connection.recv()
        assert isinstance(reply, Failed)
        assert reply.error == "ZeroDivisionError: by zero"
        assert "Traceback" in reply.traceback
        send(connection, b"m")
        assert isinstance(connection.recv(), NoMemory)
        send(connection, b"a")
        assert connection.recv().results == (b"a",)


def test_a_lack_of_memory_tells_whether_earlier_photos_may_be_why():
    def handler(parent: Parent, data: bytes, number: int) -> None:
        if data == b"m":
            raise MemoryError

    for files, is_fresh in (((b"m",), True), ((b"a", b"m"), False)):
        with served(handler) as connection:
            send(connection, *files)
            assert connection.recv().is_fresh == is_fresh
            send(connection, b"m")
            assert not connection.recv().is_fresh
