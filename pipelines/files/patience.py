"""Wait for a disk or a bucket that fails, for a limited time, and tell the user about it.

Failed operations are retried after random pauses whose limit doubles, for a fixed total time. After five seconds a line
on the terminal says what the program waits for; another line says when it works again. Every failure is also a log
record, which a runner such as Dataflow keeps and a local run does not show.
"""

import errno
import functools
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from pipelines import notices
from pipelines.files import faults
from pipelines.files.faults import Fault
from tfrecords.errors import OutageError, WorldError
from tfrecords.words import counted

T = TypeVar("T")
_LOG = logging.getLogger(__package__)

_REMEDIES = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space, or ask for a larger quota",
    errno.EROFS: "mount the disk for writing",
}

LOCAL_SECONDS = 45.0
BUCKET_SECONDS = 300.0
DENIED_SECONDS = 60.0
"""Changes of rights and credentials take a while to spread, and somebody may be renewing them."""
TOLD_AFTER_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_LOCAL_PAUSE = 0.25, 32.0, 8.0
_LOOK_EVERY_SECONDS = 0.5


class Attempts:
    """The attempts at one operation: a context that lasts until the operation succeeds or finally fails."""

    def __init__(
        self,
        subject: str,
        problem: str,
        seconds: float,
        is_retried: Callable[[Exception], bool],
        *,
        longest_pause: float | None = None,
        denied_seconds: float | None = None,
        is_awaited: bool = False,
    ) -> None:
        """Prepare an operation.

        Args:
            subject: what the program waits for, such as ``gs://bucket``.
            problem: what to say about it while it fails, such as ``does not answer``.
            seconds: total time of all attempts.
            is_retried: returns whether an error may pass.
            longest_pause: the limit at which pauses stop doubling, in seconds; None for that of a bucket.
            denied_seconds: total time while access is denied; None to treat this like any other error.
            is_awaited: whether to tell the user also if the first attempt neither succeeds nor fails.
        """
        self._subject = subject
        self._problem = problem
        self._seconds = seconds
        self._denied_seconds = denied_seconds
        self._cause = ""
        self._started = time.monotonic()
        self._since = self._started if is_awaited else None
        self._is_told = False
        self._is_retried = is_retried
        self._longest_pause = longest_pause or LONGEST_PAUSE

    @functools.cached_property
    def retry(self) -> Any:
        """The policy for requests to a store, a `google.api_core.retry.Retry`."""
        from google.api_core.retry import Retry  # slow to import, and local runs do without it

        return Retry(
            predicate=self._is_retried,
            initial=FIRST_PAUSE,
            maximum=self._longest_pause,
            multiplier=2,
            timeout=self._seconds,
            on_error=self._failed,
        )

    def make(self, work: Callable[[], T]) -> T:
        """Do some local work by the same policy; raise its last error.

        Nothing is imported for it: a process without a free file descriptor could not.
        """
        until = time.monotonic() + self._seconds
        longest = FIRST_PAUSE
        while True:
            try:
                return work()
            except Exception as error:
                if not self._is_retried(error):
                    raise
                self._failed(error)
                pause = random.uniform(0.0, longest)
                if time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            longest = min(2 * longest, self._longest_pause)

    def __enter__(self) -> Self:
        if self._since is not None:
            _WATCH.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._since is not None:
            _WATCH.discard(self)
        if self._is_told and kind is None:
            notices.tell(self._subject, f"{self._subject} works again", logging.INFO)

    def alive(self) -> None:
        """Record that data arrived: a large file takes long, which is not a fault."""
        if self._since is not None and not self._cause:
            self._since = time.monotonic()

    def _failed(self, error: Exception) -> None:
        self._cause = f" ({faults.cause(error)})"
        if self._denied_seconds is not None and faults.of(error) is Fault.DENIED:
            self._problem, self._seconds = "denies access", self._denied_seconds
        if self._since is None:
            self._since = self._started
            _WATCH.add(self)
        _LOG.info("%s %s%s; trying again", self._subject, self._problem, self._cause)

    def look(self, now: float) -> None:
        """Tell the user once what the program waits for, if it has taken long."""
        if not self._is_told and self._since is not None and now - self._since >= TOLD_AFTER_SECONDS:
            duration = in_words(self._seconds)
            line = f"{self._subject} {self._problem}{self._cause}; trying for {duration}"
            self._is_told = notices.tell(self._subject, line)


class _Watch:
    """A thread that watches running operations; it starts with the first operation that is added."""

    def __init__(self) -> None:
        self._under_way: set[Attempts] = set()
        self._lock = threading.Lock()
        self._pid = 0

    def add(self, attempts: Attempts) -> None:
        with self._lock:
            self._under_way.add(attempts)
            if self._pid != os.getpid():  # a forked process has no threads
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="patience", daemon=True).start()

    def discard(self, attempts: Attempts) -> None:
        with self._lock:
            self._under_way.discard(attempts)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)
            with self._lock:
                under_way = list(self._under_way)
            for attempts in under_way:
                attempts.look(time.monotonic())


_WATCH = _Watch()


def is_passing(error: Exception) -> bool:
    """Return whether an error may go away by itself."""
    return faults.of(error) is Fault.PASSING


def locally(
    path: str, work: Callable[[], T], is_retried: Callable[[Exception], bool] = is_passing, *, done: str = "read"
) -> T:
    """Do some local work; retry while the disk, file descriptors or memory fail.

    Args:
        path: of the file or folder, or another subject for messages.
        work: called once per attempt; each attempt starts from the beginning.
        is_retried: returns whether an error may pass.
        done: what is done to the subject, for messages.

    Raises:
        OutageError: it failed for 45 seconds.
        WorldError: the file system is damaged or full.
        Exception: any other error from ``work``.
    """
    try:
        return work()
    except Exception as error:
        if not is_retried(error):
            _raise(path, error)
        _LOG.info("%s cannot be %s (%s); trying again", path, done, faults.cause(error))
    attempts = Attempts(path, f"cannot be {done}", LOCAL_SECONDS, is_retried, longest_pause=LONGEST_LOCAL_PAUSE)
    try:
        with attempts:
            return attempts.make(work)
    except Exception as error:
        if not is_retried(error):
            _raise(path, error)
        said = f"{path} could not be {done} for {in_words(LOCAL_SECONDS)}: {faults.cause(error)}"
        raise OutageError(f"{said}; {_advice(error)}") from error


def _raise(path: str, error: Exception) -> NoReturn:
    if isinstance(error, OSError) and faults.of(error) is Fault.WORLD:
        remedy = _REMEDIES.get(error.errno or 0, "repair the file system")
        raise WorldError(f"{path}: {faults.cause(error)}; {remedy}, then start again") from error
    raise error


def _advice(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return "give the workers more memory, or run fewer of them"
    if number in (errno.EMFILE, errno.ENFILE):
        return "allow more open files (`ulimit -n`), or run fewer workers"
    return "check the disk or the mount, then start again (or move the file away if it is lost)"


def in_words(seconds: float) -> str:
    """Return a duration in seconds as a readable text."""
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else counted(round(seconds), "second")
