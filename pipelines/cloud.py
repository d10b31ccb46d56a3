"""Requests to Cloud Storage: the client that makes them, how often they are repeated, and what their failures mean.

Requests that fail with 408, 429 or 5xx, and cut connections, are tried again for five minutes. Those that are refused
(401, 403, credentials that cannot be renewed) are tried again for one minute, unless only the object is refused: then
other objects of the bucket can be read at that moment, which is asked of the bucket.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from functools import cache

from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import storage

from pipelines import faults, patience
from pipelines.errors import DeniedError, OutageError
from pipelines.faults import Fault
from pipelines.neighbours import Neighbours
from pipelines.patience import Attempts
from tfrecords.errors import UserError

SCHEME = "gs://"
TIMEOUT = (10, 60)
"""Seconds to connect, and seconds of silence, after which a request has failed."""
_DENIALS = 3
"""Attempts before it is asked whether the object alone is refused."""
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


@cache
def client() -> storage.Client:
    """Returns a client with the credentials of the environment; without any, one that reads public buckets.

    STORAGE_EMULATOR_HOST is honoured, as by Beam.

    Raises:
        UserError: GOOGLE_APPLICATION_CREDENTIALS names a file that is missing or holds no credentials.
    """
    try:
        return storage.Client(project=None)
    except DefaultCredentialsError as error:
        if os.environ.get(_KEY_FILE):
            raise UserError(f"{_KEY_FILE} cannot be used ({faults.cause(error)}); correct or unset it") from error
        return storage.Client.create_anonymous_client()


def is_anonymous() -> bool:
    """Returns whether there are no credentials."""
    return isinstance(client()._credentials, AnonymousCredentials)


def split(uri: str) -> tuple[str, str]:
    """Returns bucket and name."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    return bucket, name


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
        self._number = 0
        self._since = 0.0

    def is_retried(self, error: Exception) -> bool:
        """Returns whether a request that failed so is made again."""
        if faults.of(error) is not Fault.DENIED:
            return patience.is_passing(error)
        now = time.monotonic()
        self._since = self._since if self._number else now
        self._number += 1
        if self._neighbours is not None and self._number >= _DENIALS:
            self.is_own = self._neighbours.can_be_read(self._uri) and self._neighbours.is_one_of_few(self._uri)
        return not self.is_own and now - self._since < self._seconds


@contextlib.contextmanager
def patiently(
    uri: str,
    *,
    neighbours: Neighbours | None = None,
    denied_seconds: float | None = None,
    is_awaited: bool = True,
) -> Iterator[Attempts]:
    """Gives the retry policy of one operation, and tells what is wrong with the world from what is with an object.

    Args:
        uri: of the object or folder.
        neighbours: objects of the bucket, where one object alone may be refused.
        denied_seconds: how long a refused request is repeated; None for a minute.
        is_awaited: whether an answer is expected within seconds; large objects take longer to send.

    Raises:
        OutageError: no attempt succeeded for five minutes.
        DeniedError: all were refused for a minute, and not because of this object alone.
        google.api_core.exceptions.GoogleAPIError: the object is missing, of another generation, or alone refused.
    """
    seconds = patience.DENIED_SECONDS if denied_seconds is None else denied_seconds
    denials = _Denials(uri, neighbours, seconds)
    bucket = f"{SCHEME}{split(uri)[0]}"
    try:
        with Attempts(
            bucket, "does not answer", patience.BUCKET_SECONDS, denials.is_retried, is_awaited=is_awaited
        ) as attempts:
            yield attempts
    except Exception as error:
        fault = faults.of(error)
        if fault is Fault.DENIED and not denials.is_own:
            raise DeniedError(f"{uri}: {refusal(uri, error)}, then start again") from error
        if fault is Fault.PASSING:
            duration = patience.in_words(patience.BUCKET_SECONDS)
            raise OutageError(
                f"{uri}: Cloud Storage fails ({faults.cause(error)}) for {duration}; start again later"
            ) from error
        raise


def refusal(uri: str, error: BaseException) -> str:
    """Returns in words that access to an object or folder is refused, and what to do about it."""
    if is_anonymous():
        return (
            f"{SCHEME}{split(uri)[0]} is not public and there are no Google credentials; "
            "run `gcloud auth application-default login`"
        )
    return f"access is denied ({faults.cause(error)}); grant it, or log in with `gcloud auth application-default login`"
