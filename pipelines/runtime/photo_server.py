"""The child process of `photo_process`: it receives photos one by one, passes each to a handler, and reports back.

It imports neither Beam nor TensorFlow, so that it starts in 0.3 s, and has one thread. A handler is a function

    handler(parent: Parent, data: bytes, *arguments) -> result

of any module; result and arguments are pickled.
"""

import contextlib
import fcntl
import importlib
import logging
import os
import pickle
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import cv2

from pipelines.errors import Rejected
from pipelines.images.limits import Limits, address_space, enforced, is_memory_there, waiting
from pipelines.images.memory import out_of_memory
from pipelines.runtime.shared_memory import SharedMemory

Handler = Callable[..., Any]
_MUCH = 1 << 14
"""Bytes that are worth the shared memory."""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One photo of a call: the size of its file in bytes, further arguments of the handler, and its limits."""

    size: int
    arguments: tuple[Any, ...]
    limits: Limits


@dataclass(frozen=True)
class Call:
    """From the parent: handle these photos.

    The bytes of their files, one after the other, are in the shared memory; or they follow.
    """

    photos: tuple[Photo, ...]
    is_shared: bool


@dataclass(frozen=True)
class Shared:
    """From the child: a message is in the shared memory, pickled; its size in bytes."""

    size: int


@dataclass(frozen=True)
class Ready:
    """From the child: it has started."""


@dataclass(frozen=True)
class Told:
    """From the child, before it has started: a line for the user."""

    line: str


@dataclass(frozen=True)
class Question:
    """From the child: the handler asks the parent something; the answer is sent unwrapped."""

    content: Any


@dataclass(frozen=True)
class File:
    """From the child: the bytes of a file follow."""


@dataclass(frozen=True)
class Done:
    """From the child: the result of the handler for each photo, and their processor time in seconds."""

    results: tuple[Any, ...]
    processor: float


@dataclass(frozen=True)
class Refused:
    """From the child: the handler raised Rejected, so the remaining photos were not handled."""

    reason: str
    detail: str


@dataclass(frozen=True)
class NoMemory:
    """From the child: the handler ran out of memory, so the remaining photos were not handled.

    Attributes:
        is_limit: whether the limit is the cause; otherwise the machine has too little memory.
        is_fresh: whether this was the first photo of the process.
    """

    is_limit: bool
    is_fresh: bool


@dataclass(frozen=True)
class Failed:
    """From the child: the handler raised another error (one line, traceback); remaining photos were not handled."""

    error: str
    traceback: str


class Parent:
    """The parent process, as seen by a handler."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, question: Any) -> Any:
        """Return the parent's answer to a question; the wall-clock limit is paused meanwhile."""
        self._connection.send(Question(question))
        with waiting():
            try:
                return self._connection.recv()
            except (EOFError, OSError):
                _end()

    def give(self, data: bytes) -> None:
        """Send a finished file, so that this process can free it."""
        self._connection.send(File())
        self._connection.send_bytes(data)


def serve(connection: Connection, memory: SharedMemory, handler: Handler) -> None:
    """Handle photos until the parent closes the connection."""
    parent = Parent(connection)
    at_rest = address_space()
    is_fresh = True
    connection.send(Ready())
    while True:
        try:
            call = connection.recv()
            data = b"" if call.is_shared else connection.recv_bytes()
        except (EOFError, OSError):
            return
        part = memory.part if call.is_shared else partial(_part, data)
        reply = _reply(handler, parent, part, call.photos, at_rest, is_fresh)
        del data, part
        _send(connection, memory, reply)
        is_fresh = False


def _part(data: bytes, start: int, size: int) -> bytes:
    return data if size == len(data) else data[start : start + size]


def _send(connection: Connection, memory: SharedMemory, reply: Done | Refused | NoMemory | Failed) -> None:
    pickled = pickle.dumps(reply)
    if len(pickled) >= _MUCH and memory.put([pickled]):
        connection.send(Shared(len(pickled)))
    else:
        connection.send_bytes(pickled)


def _reply(
    handler: Handler,
    parent: Parent,
    part: Callable[[int, int], bytes],
    photos: tuple[Photo, ...],
    at_rest: int,
    is_fresh: bool,
) -> Done | Refused | NoMemory | Failed:
    started = time.process_time()
    results = []
    start = 0
    for photo in photos:
        file = part(start, photo.size)
        start += photo.size
        try:
            with enforced(photo.limits, at_rest):
                results.append(handler(parent, file, *photo.arguments))
        except Exception as error:
            if out_of_memory(error):
                return NoMemory(is_memory_there(photo.limits), is_fresh)
            if isinstance(error, Rejected):
                return Refused(error.reason, error.detail)
            return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())
        is_fresh = False
    return Done(tuple(results), time.process_time() - started)


def _end() -> NoReturn:
    os._exit(0)


def _end_with_parent(lifeline: int) -> None:
    """Let the kernel end this process, whatever it is doing, when the other end of a pipe closes with the parent.

    The signal is SIGIO, whose default action is to terminate. A thread that waits for the end of the pipe would not
    run while a decoder holds Python's lock.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # closed before the signal was set up
        _end()


def _load_codecs() -> None:
    """Load modules that decoders import on demand, because imports fail in odd ways under a memory limit."""
    import imagecodecs
    import tifffile  # noqa: F401
    from PIL import Image

    Image.init()
    decoders = ("jpeg2k_decode", "jpeg8_decode", "jpegls_decode", "jpegsof3_decode", "jpegxl_decode", "png_decode")
    for name in (*decoders, "cms_transform", "deflate_encode", "jpeg8_encode", "lzw_decode", "packbits_decode"):
        getattr(imagecodecs, name)


class _Lines(logging.Handler):
    """Sends what is logged to the parent."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(Told(record.getMessage()))


@contextlib.contextmanager
def _logged_to(connection: Connection) -> Iterator[None]:
    """Send what the compiler of loops logs within the block to the parent."""
    logger, handler = logging.getLogger("tfrecords.compiled"), _Lines(connection)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield
    logger.removeHandler(handler)


def main() -> None:
    """Run the process; its arguments are three file descriptors, and a handler as ``module:name``."""
    connection, lifeline, memory = map(int, sys.argv[1:4])
    module, _, name = sys.argv[4].partition(":")
    _end_with_parent(lifeline)
    for ending in (signal.SIGXCPU, signal.SIGALRM):
        signal.signal(ending, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError):  # not on every system
        Path("/proc/self/oom_score_adj").write_text("1000")  # to be killed before the process that holds the model
    cv2.setNumThreads(1)
    handler = getattr(importlib.import_module(module), name)
    _load_codecs()
    # Numba looks for BLAS, which no loop needs, and SciPy takes 0.15 s to import.
    sys.modules["scipy.linalg.cython_blas"] = None  # type: ignore[assignment]
    parent = Connection(connection)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        with _logged_to(parent):
            # A module of a handler may have a function that loads what is not in memory after its import.
            getattr(importlib.import_module(module), "warm_up", lambda: None)()
        serve(parent, SharedMemory(memory), handler)


if __name__ == "__main__":
    # Classes that are pickled must not be in __main__.
    importlib.import_module("pipelines.runtime.photo_server").main()
