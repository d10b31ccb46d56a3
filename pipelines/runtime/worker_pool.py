"""Run work on threads of one process that share its memory; if memory runs out, fewer threads continue.

Decoding, prediction, colour conversion and encoding run in C without Python's lock. Threads therefore keep all cores
busy with one model in memory, and a slow photo does not delay others.
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
    """Limits how many tasks run at a time, and lowers the limit when a task runs out of memory.

    Attributes:
        limit: how many tasks may run at a time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running = 0
        self._alone = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Wait until one more task may run; if the block runs out of memory, halve the limit for all."""
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
        """Wait until nothing else runs, and keep other tasks out during the block."""
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
    """Return whether work failed because this machine has too little memory, here or in a child process."""
    return out_of_memory(error) or (isinstance(error, Undecided) and error.reason == "out_of_memory")


def unless_out_of_memory(work: Callable[[], T], otherwise: T) -> T:
    """Return the result of ``work``, or ``otherwise`` if it runs out of memory."""
    try:
        return work()
    except Exception as error:
        if not out_of_memory(error):
            raise
    return otherwise


class WorkerPool(Generic[T]):
    """Runs tasks on several threads and yields results as they finish, a few tasks ahead of the caller.

    Args:
        threads: their number.
        gate: limits the running tasks; all pools of one process share it.
    """

    def __init__(self, threads: int, gate: Gate) -> None:
        self._pool = ThreadPoolExecutor(threads, "photo")
        self._most = threads * _QUEUED_PER_THREAD
        self._gate = gate
        self._pending: set[Future[list[T]]] = set()
        self._last: deque[Callable[[], T]] = deque()
        self._has_failed = False

    def add(self, work: Callable[[], T], last: Callable[[], T]) -> Iterator[T]:
        """Add a task; yield the results that are ready, after waiting if too many tasks are queued.

        Args:
            work: the task.
            last: runs in place of the task, after all others and alone, if it raises Undecided or runs out of memory.

        Raises:
            Exception: any error from a task.
        """
        self._pending.add(self._pool.submit(self._one, work, last))
        yield from self._finished(at_most=self._most - 1)

    def rest(self) -> Iterator[T]:
        """Yield the results of all queued tasks, then of those that run alone. Raises the errors of tasks."""
        yield from self._finished(at_most=0)
        while self._last:
            with self._gate.alone():
                result = self._last.popleft()()
            yield result

    def _one(self, work: Callable[[], T], last: Callable[[], T]) -> list[T]:
        """Return the result in a list; an empty list if the task must run again, or if another one has failed."""
        if self._has_failed:
            return []
        try:
            with self._gate.entered():
                return [work()]
        except Exception as error:
            if not isinstance(error, Undecided) and not out_of_memory(error):
                self._has_failed = True
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
        """End the threads; tasks that have not started are dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
