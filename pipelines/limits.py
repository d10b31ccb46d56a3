"""A time limit for one photo, so that a file made to keep a decoder busy does not hold up a shard."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import TypeVar

from pipelines.outcomes import Rejected

PHOTO_SECONDS = 60.0
"""Far more than the largest photo that is accepted takes to decode on a slow core."""

T = TypeVar("T")
_of_thread = threading.local()


def timed(work: Callable[[], T], seconds: float = PHOTO_SECONDS) -> T:
    """Does a piece of work, but does not wait for it longer than so many seconds.

    Python cannot stop a decoder that runs in C; when the time is up its thread is left behind, to end when it ends, and
    the caller goes on with the next photo.

    Raises:
        Rejected: ``timed_out``; or what the work raises.
    """
    worker = getattr(_of_thread, "worker", None)
    if worker is None:
        worker = _of_thread.worker = concurrent.futures.ThreadPoolExecutor(1, "photo")
    try:
        return worker.submit(work).result(seconds)
    except concurrent.futures.TimeoutError as error:
        worker.shutdown(wait=False, cancel_futures=True)
        del _of_thread.worker
        raise Rejected("timed_out", f"not done after {seconds:g} s") from error
