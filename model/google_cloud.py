"""Access to Cloud Storage as it is before any work: the client, and whether a folder can be listed with it.

Reading and writing are left to TensorFlow here and to `pipelines.files.buckets` there.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache

from google.api_core.exceptions import ClientError, NotFound, RetryError, ServerError, TooManyRequests
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.cloud import storage
from requests import RequestException

from model.causes import in_one_line
from model.terminal import say
from tfrecords.errors import OutageError, UserError

SCHEME = "gs://"
TIMEOUT = (10, 60)
"""Seconds to connect, and seconds of silence, after which a request has failed."""
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_LOGIN = "`gcloud auth application-default login`"
_PASSING = if_exception_type(ServerError, TooManyRequests, RequestException, TransportError, ConnectionError)
_MINUTES = 5
_UNPAID = "requester pays"
"""What Cloud Storage says, in words alone, to whoever names no project."""
_TOLD_AFTER_SECONDS = 5.0


@cache
def client() -> storage.Client:
    """Return a client with the credentials of the environment; without any, one that reads public buckets.

    STORAGE_EMULATOR_HOST is honoured, as by Beam.

    Raises:
        UserError: GOOGLE_APPLICATION_CREDENTIALS names a file that is missing or holds no credentials.
    """
    try:
        return storage.Client(project=None)
    except DefaultCredentialsError as error:
        if os.environ.get(_KEY_FILE):
            raise UserError(f"{_KEY_FILE} cannot be used: {in_one_line(error)}; correct it or unset it") from error
        return storage.Client.create_anonymous_client()


def split(uri: str) -> tuple[str, str]:
    """Return bucket and name."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    return bucket, name


def refusal(uri: str, cause: str) -> str:
    """Return in words that access to an object or folder is refused, and what to do about it."""
    if isinstance(client()._credentials, AnonymousCredentials):
        return f"{SCHEME}{split(uri)[0]} is not public and there are no Google credentials; run {_LOGIN}"
    return f"access is denied ({cause}); grant access, or log in with {_LOGIN}"


def check_all(paths: Mapping[str, str]) -> None:
    """Check paths by the flag that they were given with; see `check`."""
    for flag, path in paths.items():
        check(flag, path)


def check(flag: str, path: str, retry: Retry | None = None, project: str | None = None) -> None:
    """Check that a folder can be listed; do nothing for a local one.

    Args:
        flag: that it was given with.
        path: local or ``gs://``.
        retry: how requests are repeated that fail; None to do so for five minutes, and to say so after five seconds.
        project: that pays for the request; None for the owner of the bucket.

    Raises:
        UserError: there is no such bucket, or access is refused.
        OutageError: it does not answer.
    """
    if not path.startswith(SCHEME):
        return
    bucket, prefix = split(path)
    retry = retry or Retry(_PASSING, 0.25, 32, 2, timeout=60 * _MINUTES, on_error=_told(bucket))
    try:
        asked = client().bucket(bucket, user_project=project)
        next(iter(client().list_blobs(asked, prefix=prefix, max_results=1, retry=retry, timeout=TIMEOUT)), None)
    except NotFound as error:
        raise UserError(f"{flag} {path}: the bucket {bucket} does not exist") from error
    except (ClientError, GoogleAuthError) as error:
        if getattr(error, "retryable", False):
            raise OutageError(f"{path}: {in_one_line(error)}; start again later") from error
        if _UNPAID in str(error):
            told = f"the requester pays for the bucket {bucket}; name a project with --billing_project"
            raise UserError(f"{flag} {path}: {told}") from error
        raise UserError(f"{flag} {path}: {refusal(path, in_one_line(error))}") from error
    except RetryError as error:
        cause = in_one_line(error.cause or error)
        raise OutageError(
            f"{path}: Cloud Storage failed for {_MINUTES} minutes ({cause}); start again later"
        ) from error


def _told(bucket: str) -> Callable[[Exception], None]:
    """Return what tells the user once that a bucket does not answer."""
    due = time.monotonic() + _TOLD_AFTER_SECONDS

    def tell(error: Exception) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = math.inf
            line = f"{SCHEME}{bucket} does not answer ({in_one_line(error)}); trying for {_MINUTES} minutes"
            say(f"autochrome: {line}", file=sys.stderr)

    return tell
