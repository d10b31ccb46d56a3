"""Send requests to a store of objects: one retry policy, one meaning for each failure.

Requests that fail with 408, 429 or 5xx, and dropped connections, are retried for five minutes. Refused requests (401,
403, credentials that cannot be renewed) are retried for one minute, unless only this object is refused. To find out,
other objects of the bucket are read.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from pipelines.files import blobs, faults, patience, stores
from pipelines.files.faults import Fault
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import Attempts
from tfrecords.errors import DeniedError, OutageError

_DENIALS = 3
"""Refusals before other objects are tried."""
_IS_LAUNCH = ContextVar("is_launch", default=False)


@contextlib.contextmanager
def at_launch() -> Iterator[None]:
    """Let refused requests in the block fail at once: before work starts, nothing is lost by stopping."""
    token = _IS_LAUNCH.set(True)
    try:
        yield
    finally:
        _IS_LAUNCH.reset(token)


class _Denials:
    """Decides how often one operation retries a refused request.

    Attributes:
        is_own: whether this object is refused and others of the bucket are not.
    """

    def __init__(self, uri: str, neighbours: Neighbours | None, seconds: float) -> None:
        self.is_own = False
        self._uri = uri
        self._neighbours = neighbours
        self._seconds = seconds
        self._is_alone = False
        self._number = 0
        self._since = 0.0

    def is_retried(self, error: Exception) -> bool:
        """Return whether to retry a request after this error."""
        if faults.of(error) is not Fault.DENIED:
            return patience.is_passing(error)
        if faults.is_kept(error):
            return False
        now = time.monotonic()
        self._since = self._since if self._number else now
        self._number += 1
        if self._is_alone:
            # Others could be read a moment ago, and this object is still refused.
            self.is_own = self._neighbours is not None and self._neighbours.is_one_of_few(self._uri)
        elif self._neighbours is not None and self._number >= _DENIALS:
            self._is_alone = self._neighbours.can_be_read(self._uri)
        return not self.is_own and now - self._since < self._seconds

    def in_words(self, error: Exception) -> str:
        """Return a message that says what is refused and what to do about it."""
        refused = stores.of(self._uri).refusal(self._uri, faults.cause(error))
        if self._is_alone and self._neighbours is not None:
            return f"access to {self._neighbours.refused} is denied; {refused}"
        return refused


@contextlib.contextmanager
def patiently(
    uri: str,
    *,
    neighbours: Neighbours | None = None,
    is_awaited: bool = True,
) -> Iterator[Attempts]:
    """Yield the retry policy for one operation, and separate faults of the object from outages and lost rights.

    Args:
        uri: of the object or folder.
        neighbours: other objects of the bucket, where one object alone may be refused.
        is_awaited: whether an answer is expected within seconds; uploads of large objects take longer.

    Raises:
        OutageError: no attempt succeeded for five minutes.
        DeniedError: all attempts were refused for a minute, and not because of this object alone.
        storage.io_errors: the object is missing, has another generation, or is the only one that is refused.
    """
    denied_seconds = 0.0 if _IS_LAUNCH.get() else patience.DENIED_SECONDS
    denials = _Denials(uri, neighbours, denied_seconds)
    try:
        with Attempts(
            blobs.bucket_of(uri),
            "does not answer",
            patience.BUCKET_SECONDS,
            denials.is_retried,
            denied_seconds=denied_seconds,
            is_awaited=is_awaited,
        ) as attempts:
            yield attempts
    except Exception as error:
        fault = faults.of(error)
        if fault is Fault.DENIED and not denials.is_own:
            raise DeniedError(f"{uri}: {denials.in_words(error)}, then start again") from error
        if fault is Fault.PASSING:
            duration = patience.in_words(patience.BUCKET_SECONDS)
            raise OutageError(
                f"{uri}: {stores.of(uri).title} failed for {duration} ({faults.cause(error)}); start again later"
            ) from error
        raise


def check(paths: Mapping[str, str]) -> None:
    """Check, with one request each, that folders in buckets can be listed with the current credentials.

    Args:
        paths: by flag; local paths are ignored.

    Raises:
        UserError: access is refused, or the bucket does not exist.
        OutageError: a bucket does not answer for five minutes.
    """
    for flag, path in paths.items():
        if stores.is_object(path):
            with at_launch(), patiently(path) as attempts:
                stores.of(path).check(flag, path, attempts)
