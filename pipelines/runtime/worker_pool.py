"""Threads that share the work of one process, and share its memory: where that runs out, fewer go on.

Decoding, prediction, colour conversion and encoding run in C without Python's lock, so that threads keep all cores busy
with one model in memory, and a slow photo holds up no other.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from pipelines.errors import Undecided
from pipelines.images.memory import out_of_memory

T = TypeVar("T")
_QUEUED_PER_THREAD = 2


class Gate:
    """Lets a number of pieces of work run at a time; fewer, once one of them had too little memory.

    Attributes:
        limit: how many may run at a time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running = 0
        self._alone = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Waits until one more may run; when the block runs out of memory, halves the limit for all."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.limit and not self._alone)
            self._running += 1
        try:
            yield
        except Exception as error:
            if is_lack_of_memory(error):
                self.limit = max(1, self.limit // 2)
            raise
        finally:
            self._leave()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until nothing else runs, and lets nothing else in while the block does."""
        with self._changed:
            self._alone += 1  # from here on nobody else enters
            self._changed.wait_for(lambda: self._running == 0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._alone -= 1
            self._leave()

    def _leave(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether work failed because this machine has too little memory, here or in a child process."""
    return out_of_memory(error) or (isinstance(error, Undecided) and error.reason == "out_of_memory")


def unless_out_of_memory(work: Callable[[], T], otherwise: T) -> T:
    """Returns the result of some work, or ``otherwise`` when it runs out of memory."""
    try:
        return work()
    except Exception as error:
        if not out_of_memory(error):
            raise
    return otherwise


class WorkerPool(Generic[T]):
    """Does pieces of work on several threads and gives results as they come, a few pieces ahead of the one who asks.

    Args:
        threads: how many.
        gate: that the work goes through; pools of one process share it.
    """

    def __init__(self, threads: int, gate: Gate) -> None:
        self._pool = ThreadPoolExecutor(threads, "photo")
        self._most = threads * _QUEUED_PER_THREAD
        self._gate = gate
        self._pending: set[Future[list[T]]] = set()
        self._last: deque[Callable[[], T]] = deque()

    def add(self, work: Callable[[], T], last: Callable[[], T]) -> Iterator[T]:
        """Takes a piece of work; yields what is done by now, after waiting where too much is under way.

        Args:
            work: to be done.
            last: to be done instead, after everything else and alone, if it raises Undecided or runs out of memory.

        Raises:
            Exception: what a piece raised.
        """
        self._pending.add(self._pool.submit(self._one, work, last))
        yield from self._finished(at_most=self._most - 1)

    def rest(self) -> Iterator[T]:
        """Yields the results of all that is under way, then of what is to be done alone; raises what a piece raised."""
        yield from self._finished(at_most=0)
        while self._last:
            with self._gate.alone():
                result = self._last.popleft()()
            yield result

    def _one(self, work: Callable[[], T], last: Callable[[], T]) -> list[T]:
        """The result; none if the work is to be done again."""
        try:
            with self._gate.entered():
                return [work()]
        except Exception as error:
            if not isinstance(error, Undecided) and not out_of_memory(error):
                raise
        self._last.append(last)
        return []

    def _finished(self, at_most: int) -> Iterator[T]:
        done = {future for future in self._pending if future.done()}
        while len(self._pending) - len(done) > at_most:
            done |= wait(self._pending - done, return_when=FIRST_COMPLETED).done
        self._pending -= done
        for future in done:
            yield from future.result()

    def close(self) -> None:
        """Ends the threads; what has not begun is not done."""
        self._pool.shutdown(wait=False, cancel_futures=True)
