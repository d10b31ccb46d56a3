"""Process photos in child processes, so that a broken file that crashes, hangs or fills memory does not harm the job.

The parent keeps a few children, gives each one photo at a time, answers its questions and takes the files it makes. A
child processes many photos. It has limits (`pipelines.images.limits`) and is replaced if it dies.
"""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from pipelines.errors import PhotoProcessError, Rejected, Undecided
from pipelines.files import patience
from pipelines.images.limits import Limits
from pipelines.runtime import local_threads
from pipelines.runtime.photo_child import Answer, Give, PhotoProcess, Reply
from pipelines.runtime.photo_server import Done, Failed, Handler, NoMemory, Photo, Refused

_LOG = logging.getLogger(__package__)
_STARTS = 3


class _Early:
    """Processes for one handler that are started before a job asks for them.

    This process is busy meanwhile, with the imports that the first photo waits for. One core is left to it: as many
    processes start at once as there are other cores, and each of the others when the one before it is ready.
    """

    def __init__(self, handler: str) -> None:
        self._handler = handler
        self._started = deque[PhotoProcess]()
        self._left = 0
        self._lock = threading.Lock()

    def start(self, number: int) -> None:
        """Start that many."""
        at_once = min(number, max(1, local_threads.cores() - 1))
        self._started.extend(PhotoProcess(self._handler) for _ in range(at_once))
        self._left += number - at_once
        if self._left:
            threading.Thread(target=self._start_others, args=(self._started[-1],), name="early", daemon=True).start()

    def _start_others(self, last: PhotoProcess) -> None:
        with contextlib.suppress(OSError):  # whoever needs a process starts one, and reports why that fails
            while True:
                last.look()
                with self._lock:
                    if not self._left:
                        return
                    self._left -= 1
                    last = PhotoProcess(self._handler)
                    self._started.append(last)

    def take(self) -> PhotoProcess | None:
        """Return one of them; None if the caller is to start one."""
        with self._lock:
            if self._started:
                return self._started.popleft()
            self._left = max(0, self._left - 1)
        return None


_early: dict[str, _Early] = {}


def start_early(handler: str, number: int) -> None:
    """Start child processes that later `PhotoProcesses` of this process will use, so that they are ready by then.

    Args:
        handler: as ``module:name``, so that its module need not be imported yet.
        number: of the processes.
    """
    _early.setdefault(handler, _Early(handler)).start(number)


class PhotoProcesses:
    """The child processes of one parent: one for each photo that its threads handle at a time.

    Args:
        handler: processes each photo; or its name, ``module:name``.
        started: how many to start at once, so that they are ready for the first photos.
        limits: of a photo, by the size of its file in bytes; `Limits.of` unless given.
        most: how many work at a time, while other threads wait; 0 for any number. With a thread more than processes,
            they work on while one of the threads waits for a disk.
    """

    def __init__(
        self,
        handler: Handler | str,
        started: int = 0,
        limits: Callable[[int], Limits] | None = None,
        *,
        most: int = 0,
    ) -> None:
        self._limits = limits
        self._turn = threading.Semaphore(most) if most else contextlib.nullcontext()
        self._handler = handler if isinstance(handler, str) else f"{handler.__module__}:{handler.__qualname__}"
        self._idle = deque(self._started() for _ in range(started))
        self._is_ended = False
        self._lock = threading.Lock()
        self.processor_seconds = 0.0

    def call(
        self,
        data: bytes,
        *arguments: Any,
        answer: Answer = lambda question: None,
        give: Give = lambda file: None,
        alone: bool = False,
    ) -> Any:
        """Let a child handle one photo.

        Args:
            data: the bytes of the file.
            arguments: further arguments of the handler, picklable.
            answer: answers the handler's questions.
            give: takes the files that the handler makes.
            alone: whether to end idle processes and use a fresh one.

        Returns:
            the result of the handler.

        Raises:
            Rejected: by the handler; or ``timed_out``, ``too_large``: beyond the limits of processor time or memory.
            Undecided: the process died, or had too little memory.
            PhotoProcessError: the child dies at its start, or the handler has a bug.
            OutageError: no child could be started for 45 seconds, for lack of descriptors, processes or memory.
            Exception: any error from ``answer`` and ``give``.
        """
        if alone:
            self.close()
        limits = self._limits_of(data)
        reply = self._reply((Photo(size=len(data), arguments=arguments, limits=limits),), [data], answer, give)
        if isinstance(reply, NoMemory):
            raise _verdict(reply, limits)
        if isinstance(reply, Refused):
            raise Rejected(reply.reason, reply.detail)
        if isinstance(reply, Failed):
            fault = PhotoProcessError(f"a bug in autochrome, please report it: {reply.error}")
            fault.add_note(reply.traceback)
            raise fault
        return reply.results[0]

    def call_together(self, photos: Sequence[tuple[bytes, tuple[Any, ...]]]) -> tuple[Any, ...] | None:
        """Let a child handle several small photos in one call: waking it up for each would cost a third of the time.

        Args:
            photos: for each, its bytes and further arguments of the handler, which asks nothing and makes no files.

        Returns:
            the result of the handler for each; None if it could not handle one of them: then call each by itself.

        Raises:
            PhotoProcessError: the child cannot be started.
        """
        described = tuple(
            Photo(size=len(data), arguments=arguments, limits=self._limits_of(data)) for data, arguments in photos
        )
        try:
            reply = self._reply(described, [data for data, _ in photos], lambda question: None, lambda file: None)
        except (Rejected, Undecided):
            return None
        return reply.results if isinstance(reply, Done) else None

    def _reply(self, photos: tuple[Photo, ...], files: Sequence[bytes], answer: Answer, give: Give) -> Reply:
        with self._turn:
            process = self._ready()
            try:
                reply = process.call(photos, files, answer, give)
            except BaseException:
                process.close()
                raise
            if isinstance(reply, NoMemory):  # the process may still hold some of the memory
                process.close()
                return reply
            self._idle.append(process)
        if isinstance(reply, Done):
            with self._lock:
                self.processor_seconds += reply.processor
        return reply

    def _limits_of(self, data: bytes) -> Limits:
        return (self._limits or Limits.of)(len(data))

    def _ready(self) -> PhotoProcess:
        if self._is_ended:
            raise PhotoProcessError("the job has ended")
        for _ in range(_STARTS):
            try:
                process = self._idle.pop()
            except IndexError:
                process = patience.locally("the process for photos", self._started, done="started")
            if process.wait_until_ready():
                return process
            process.close()
            _LOG.warning("the process for photos was killed at its start; starting another one")
        raise PhotoProcessError(
            f"the process that opens photos was killed {_STARTS} times at its start; is there enough memory?"
        )

    def _started(self) -> PhotoProcess:
        early = _early.get(self._handler)
        return (early and early.take()) or PhotoProcess(self._handler)

    def end(self) -> None:
        """End the children that are idle; whoever calls one after this fails."""
        self._is_ended = True
        self.close()

    def close(self) -> None:
        """End the children that are idle."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()


def _verdict(reply: NoMemory, limits: Limits) -> Rejected | Undecided:
    if not reply.is_limit:
        return Undecided("out_of_memory", "it needs more memory than this machine has")
    detail = f"it needs more than {limits.memory / 1e9:.1f} GB of memory"
    # The memory that earlier photos left behind must not decide.
    return Rejected("too_large", detail) if reply.is_fresh else Undecided("too_large", detail)
