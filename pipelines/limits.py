"""A time limit for one photo, so that a file made to keep a decoder busy does not hold up a shard."""

import contextvars
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pipelines.outcomes import Rejected

PHOTO_SECONDS = 60.0
"""Far more than the largest photo that is accepted takes to decode on a slow core."""

T = TypeVar("T")
_of_thread = threading.local()


def timed(work: Callable[[], T], seconds: float = PHOTO_SECONDS) -> T:
    """Does a piece of work, but does not wait for it longer than so many seconds.

    Python cannot stop a decoder that runs in C, so the work is done by another thread, in the context of this one. When
    the time is up that thread is left behind, to end when it ends or with the process, and the caller goes on with the
    next photo.

    Raises:
        Rejected: ``timed_out``; or what the work raises.
    """
    # Whoever stops waiting, for whatever reason, must not be given this answer for the next question.
    worker: _Worker = _of_thread.__dict__.pop("worker", None) or _Worker()
    try:
        result, error = worker.do(partial(contextvars.copy_context().run, work), seconds)
    except queue.Empty:
        raise Rejected("timed_out", f"not done after {seconds:g} s") from None
    _of_thread.worker = worker
    if error is not None:
        try:
            raise error
        finally:
            del error  # it refers to this frame, and by other frames to pixels
    return result


class _Worker:
    """A thread that does one piece of work after the other; it ends when this object is gone.

    An executor of the standard library costs several times as much for each, and joins its threads when the process
    ends, also those that never end.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        threading.Thread(target=_serve, args=(self._asked, self._answered), name="photo", daemon=True).start()

    def __del__(self) -> None:
        self._asked.put(None)

    def do(self, work: Callable[[], Any], seconds: float) -> tuple[Any, BaseException | None]:
        """What the work returned or raised; queue.Empty when the time is up."""
        self._asked.put(work)
        return self._answered.get(timeout=seconds)


def _serve(
    asked: queue.SimpleQueue[Callable[[], Any] | None],
    answered: queue.SimpleQueue[tuple[Any, BaseException | None]],
) -> None:
    while (work := asked.get()) is not None:
        try:
            answered.put((work(), None))
        except BaseException as error:
            answered.put((None, error))
        del work  # and with it the photo, while the next is waited for
