"""Requests to Cloud Storage: the client that makes them, how often they are repeated, and what their failures mean.

Requests that fail with 408, 429 or 5xx, and cut connections, are tried again for five minutes. Those that are refused
(401, 403, credentials that cannot be renewed) are tried again for one minute, unless only the object is refused: then
other objects of the bucket can be read at that moment, which is asked of the bucket.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from google.cloud import storage

from model import google_cloud
from model.google_cloud import SCHEME, TIMEOUT, client, refusal, split
from pipelines.files import faults, patience
from pipelines.files.faults import Fault
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import Attempts
from tfrecords.errors import DeniedError, OutageError

__all__ = ["SCHEME", "TIMEOUT", "client", "split"]

_DENIALS = 3
"""Attempts before it is asked whether the object alone is refused."""
_IS_LAUNCH = ContextVar("is_launch", default=False)


@contextlib.contextmanager
def at_launch() -> Iterator[None]:
    """Lets requests of the block that are refused fail at once: before any work there is nothing to save by waiting."""
    token = _IS_LAUNCH.set(True)
    try:
        yield
    finally:
        _IS_LAUNCH.reset(token)


def blob(uri: str) -> storage.Blob:
    """Returns an object of which nothing is known yet."""
    bucket, name = split(uri)
    return client().bucket(bucket).blob(name)


class _Denials:
    """Decides for one operation how often a request that is refused is made again.

    Attributes:
        is_own: whether only the object is refused, and others of the bucket are not.
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
        """Returns whether a request that failed so is made again."""
        if faults.of(error) is not Fault.DENIED:
            return patience.is_passing(error)
        if faults.is_kept(error):
            return False
        now = time.monotonic()
        self._since = self._since if self._number else now
        self._number += 1
        if self._is_alone:
            # Others could be read a moment ago, and it is refused still.
            self.is_own = self._neighbours is not None and self._neighbours.is_one_of_few(self._uri)
        elif self._neighbours is not None and self._number >= _DENIALS:
            self._is_alone = self._neighbours.can_be_read(self._uri)
        return not self.is_own and now - self._since < self._seconds

    def in_words(self, error: Exception) -> str:
        """Returns what is refused, and what to do about it."""
        refused = refusal(self._uri, faults.cause(error))
        if self._is_alone and self._neighbours is not None:
            return f"{self._neighbours.refused} met here are forbidden; {refused}"
        return refused


@contextlib.contextmanager
def patiently(
    uri: str,
    *,
    neighbours: Neighbours | None = None,
    is_awaited: bool = True,
) -> Iterator[Attempts]:
    """Gives the retry policy of one operation, and tells what is wrong with the world from what is with an object.

    Args:
        uri: of the object or folder.
        neighbours: objects of the bucket, where one object alone may be refused.
        is_awaited: whether an answer is expected within seconds; large objects take longer to send.

    Raises:
        OutageError: no attempt succeeded for five minutes.
        DeniedError: all were refused for a minute, and not because of this object alone.
        google.api_core.exceptions.GoogleAPIError: the object is missing, of another generation, or alone refused.
    """
    denied_seconds = 0.0 if _IS_LAUNCH.get() else patience.DENIED_SECONDS
    denials = _Denials(uri, neighbours, denied_seconds)
    bucket = f"{SCHEME}{split(uri)[0]}"
    try:
        with Attempts(
            bucket,
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
                f"{uri}: Cloud Storage fails ({faults.cause(error)}) for {duration}; start again later"
            ) from error
        raise


def check(paths: Mapping[str, str]) -> None:
    """Makes sure that folders in Cloud Storage can be listed with the credentials that there are; asks once for each.

    Args:
        paths: by the flag they were given with; local ones are passed over.

    Raises:
        UserError: access is refused, or there is no such bucket.
        OutageError: a bucket does not answer for five minutes.
    """
    for flag, path in paths.items():
        if path.startswith(SCHEME):
            with at_launch(), patiently(path) as attempts:
                google_cloud.check(flag, path, attempts.retry)
