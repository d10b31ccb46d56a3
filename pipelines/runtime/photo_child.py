"""One child process that handles photos, as its parent sees it."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from pipelines import notices
from pipelines.errors import PhotoProcessError, Rejected, Undecided
from pipelines.images.limits import Limits
from pipelines.runtime import shared_memory
from pipelines.runtime.photo_server import (
    Call,
    Done,
    Failed,
    File,
    NoMemory,
    Photo,
    Question,
    Ready,
    Refused,
    Shared,
    Told,
)
from pipelines.runtime.shared_memory import SharedMemory

Answer = Callable[[Any], Any]
Give = Callable[[bytes], None]
Reply = Done | Refused | NoMemory | Failed
_REUSED_BYTES = 64 << 20
"""A block of memory beyond this size is given back at once."""
# A child ends when its parent does, and ignores signals that are sent to all processes of a job.
_UNHEARD = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}


class PhotoProcess:
    """One child process.

    Args:
        handler: processes each photo: a function, as ``module:name``; see `pipelines.runtime.photo_server`.
    """

    def __init__(self, handler: str) -> None:
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            shared = shared_memory.created()
            if shared != shared_memory.NONE:
                theirs.callback(os.close, shared)
            memory = SharedMemory(shared)
            ours.callback(memory.close)
            end, other_end = socket.socketpair()
            ours.callback(end.close)
            theirs.callback(other_end.close)
            lifeline, held = os.pipe()
            ours.callback(os.close, held)
            theirs.callback(os.close, lifeline)
            self._process = _started(handler, other_end.fileno(), lifeline, shared)
            ours.pop_all()
        self._connection = Connection(end.detach())
        self._memory = memory
        self._is_ready = False
        self._close = weakref.finalize(self, _ended, self._process, self._connection, memory, held)

    def wait_until_ready(self) -> bool:
        """Wait until the process has started; return False if it was killed instead.

        Raises:
            PhotoProcessError: it exited by itself, so another one would do the same.
        """
        if not self._is_ready:
            try:
                while isinstance(message := self._connection.recv(), Told):
                    # From whichever process: all tell the same.
                    notices.tell("the processes for photos", message.line, logging.INFO)
                self._is_ready = message == Ready()
            except (EOFError, OSError):
                code = self._process.wait()
                if code >= 0:
                    raise PhotoProcessError(
                        f"the process that opens photos ended at its start with exit code {code}"
                    ) from None
        return self._is_ready

    def look(self) -> None:
        """Wait until the process has told something or ended; another thread may wait until it is ready meanwhile."""
        self._connection.poll(None)

    def call(self, photos: tuple[Photo, ...], files: Sequence[bytes], answer: Answer, give: Give) -> Reply:
        """Let the process handle photos.

        Args:
            photos: at least one.
            files: the bytes of each.
            answer: answers the handler's questions.
            give: takes the files that the handler makes.

        Raises:
            Rejected: ``timed_out``: a photo took more processor time than allowed.
            Undecided: the process died.
            Exception: any error from ``answer`` and ``give``; the process cannot be used after that.
        """
        limits = photos[0].limits
        try:
            is_shared = self._memory.put(files)
            self._connection.send(Call(photos, is_shared))
            if not is_shared:
                self._connection.send_bytes(files[0] if len(files) == 1 else b"".join(files))
        except OSError:
            raise self._death(limits) from None
        while True:
            try:
                message = self._connection.recv()
                if isinstance(message, Shared):
                    message = self._memory.unpickled(message.size)
                file = self._connection.recv_bytes() if isinstance(message, File) else b""
            except (EOFError, OSError):
                raise self._death(limits) from None
            if isinstance(message, File):
                give(file)
                del file
            elif isinstance(message, Question):
                answered = answer(message.content)
                try:
                    self._connection.send(answered)
                except OSError:
                    raise self._death(limits) from None
            else:
                ended: Done | Refused | NoMemory | Failed = message
                return ended

    def _death(self, limits: Limits) -> Rejected | Undecided:
        """Return what the way in which the process died says about its photo."""
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return Rejected("timed_out", f"it took more than {limits.processor} s of processor time")
        if code == -signal.SIGALRM:
            return Undecided("timed_out", f"it took more than {limits.wall} s")
        if code == -signal.SIGKILL:
            return Undecided("out_of_memory", "its process was killed, probably because memory ran out")
        with contextlib.suppress(ValueError):
            return Undecided("crashed", f"its process died of {signal.Signals(-code).name}")
        return Undecided("crashed", f"its process ended with exit code {code}")

    def close(self) -> None:
        """Kill the process at once."""
        self._close()


def _environment() -> dict[str, str]:
    """Return the parent's environment with its module path, one thread for numpy, and pictures that reuse memory.

    By default glibc gives the memory of each picture back at once, and the system has to clear it for the next one,
    which takes 2 % of a run.
    """
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 (a string is wanted)
    reuse = {"MALLOC_MMAP_THRESHOLD_": str(_REUSED_BYTES), "MALLOC_TRIM_THRESHOLD_": str(2 * _REUSED_BYTES)}
    return {**reuse, **os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _started(handler: str, connection: int, lifeline: int, shared: int) -> "subprocess.Popen[bytes]":
    """Start the process, which gets these descriptors."""
    descriptors = connection, lifeline, shared
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _UNHEARD)  # the child inherits the mask
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "pipelines.runtime.photo_server", *map(str, descriptors), handler],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[descriptor for descriptor in descriptors if descriptor != shared_memory.NONE],
            env=_environment(),
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _ended(process: "subprocess.Popen[bytes]", connection: Connection, memory: SharedMemory, lifeline: int) -> None:
    connection.close()
    memory.close()
    os.close(lifeline)
    process.kill()
    process.wait()
