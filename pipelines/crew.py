"""Threads that share the work of one process, and share its memory: where that runs out, fewer go on.

Decoding, prediction, colour conversion and encoding run in C without Python's lock, so that threads keep all cores busy
with one model in memory, and a slow photo holds up no other.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

import cv2

T = TypeVar("T")
_QUEUED_PER_THREAD = 2


def out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, OpenCV or TensorFlow says that there is no memory."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, cv2.error) and getattr(error, "code", 0) == cv2.Error.StsNoMem)
        or type(error).__name__ == "ResourceExhaustedError"
    )


class Gate:
    """Lets so many pieces of work run at a time; fewer, once one of them had too little memory.

    Attributes:
        limit: how many may run at a time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running = 0
        self._alone = 0
        self._changed = threading.Condition()

    def run(self, work: Callable[[], T]) -> T:
        """Does a piece of work; when memory runs out, once more while nothing else runs, and halves the limit for all.

        Raises:
            MemoryError: there is too little for this piece alone.
        """
        self._enter()
        try:
            return work()
        except Exception as error:
            if not out_of_memory(error):
                raise
        finally:
            self._leave()
        self._enter_alone()
        try:
            return work()
        except Exception as error:
            if out_of_memory(error):
                raise MemoryError(str(error)) from error
            raise
        finally:
            self._leave(alone=True)

    def _enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.limit and not self._alone)
            self._running += 1

    def _enter_alone(self) -> None:
        with self._changed:
            self.limit = max(1, self.limit // 2)
            self._alone += 1  # from here on nobody else enters
            self._changed.wait_for(lambda: self._running == 0)
            self._running += 1

    def _leave(self, *, alone: bool = False) -> None:
        with self._changed:
            self._running -= 1
            self._alone -= alone
            self._changed.notify_all()


class Crew(Generic[T]):
    """Does pieces of work on several threads and gives results as they come, a few pieces ahead of the one who asks.

    Args:
        threads: how many.
        gate: that the work goes through; crews of one process share it.
    """

    def __init__(self, threads: int, gate: Gate) -> None:
        self._pool = ThreadPoolExecutor(threads, "photo")
        self._most = threads * _QUEUED_PER_THREAD
        self._gate = gate
        self._pending: set[Future[T]] = set()

    def add(self, work: Callable[[], T], too_large: Callable[[], T]) -> Iterator[T]:
        """Takes a piece of work; yields what is done by now, after waiting where too much is under way.

        Args:
            work: to be done, twice where memory runs out.
            too_large: what to give in its place where there is too little memory for it alone.

        Raises:
            Exception: what a piece raised.
        """
        self._pending.add(self._pool.submit(self._one, work, too_large))
        yield from self._finished(at_most=self._most - 1)

    def rest(self) -> Iterator[T]:
        """Yields the results of all that is under way; raises what a piece raised."""
        yield from self._finished(at_most=0)

    def _one(self, work: Callable[[], T], too_large: Callable[[], T]) -> T:
        try:
            return self._gate.run(work)
        except MemoryError:
            return too_large()

    def _finished(self, at_most: int) -> Iterator[T]:
        done = {future for future in self._pending if future.done()}
        while len(self._pending) - len(done) > at_most:
            done |= wait(self._pending - done, return_when=FIRST_COMPLETED).done
        self._pending -= done
        for future in done:
            yield future.result()

    def close(self) -> None:
        """Ends the threads; what has not begun is not done."""
        self._pool.shutdown(wait=False, cancel_futures=True)
