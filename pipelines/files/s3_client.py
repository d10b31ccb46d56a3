"""The client for S3, and what its errors mean."""

import contextlib
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import boto3
from botocore import UNSIGNED, exceptions
from botocore.config import Config
from botocore.parsers import ResponseParserError

from model.causes import in_one_line
from pipelines.files import store_settings
from pipelines.files.blobs import StoreError
from pipelines.files.store_settings import Settings
from tfrecords.errors import UserError

TIMEOUT = (10, 60)
"""Seconds to connect, and seconds of silence, after which a request has failed."""
_CONNECTIONS = 64
# The request did not arrive whole or in time, or met another one: these have statuses that mean something else.
_PASSING = frozenset(
    {"BadDigest", "IncompleteBody", "RequestTimeout", "ConditionalRequestConflict", "OperationAborted"}
)
_ARCHIVED = "InvalidObjectState"
_NETWORK = (
    *(exceptions.HTTPClientError, exceptions.ConnectionError, exceptions.IncompleteReadError),
    *(exceptions.ChecksumError, exceptions.FlexibleChecksumError, exceptions.MetadataRetrievalError),
)


def client() -> Any:
    """Return the client for the current settings.

    Raises:
        UserError: the configuration of AWS cannot be used.
    """
    return _made(store_settings.current(), os.environ.get("AWS_PROFILE", ""), endpoint())[0]


def has_credentials() -> bool:
    """Return whether requests are signed; without credentials, only public buckets can be read."""
    return _made(store_settings.current(), os.environ.get("AWS_PROFILE", ""), endpoint())[1]


def endpoint() -> str:
    """Return the address of a store other than Amazon's, from a flag or the environment; else ''."""
    given = store_settings.current().s3_endpoint_url
    return given or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


@lru_cache(maxsize=4)
def _made(settings: Settings, profile: str, address: str) -> tuple[Any, bool]:
    try:
        session = boto3.session.Session(
            aws_access_key_id=settings.s3_access_key_id,
            aws_secret_access_key=settings.s3_secret_access_key,
            aws_session_token=settings.s3_session_token,
            region_name=settings.s3_region_name,
            profile_name=profile or None,
        )
        is_signed = session.get_credentials() is not None
        config = Config(
            connect_timeout=TIMEOUT[0],
            read_timeout=TIMEOUT[1],
            max_pool_connections=_CONNECTIONS,
            retries={"total_max_attempts": 1},  # `pipelines.files.patience` repeats requests
            signature_version=None if is_signed else UNSIGNED,
            s3=None if not address or _style(session) else {"addressing_style": "path"},
        )
        made = session.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name=session.region_name or ("us-east-1" if address else None),
            api_version=settings.s3_api_version,
            verify=settings.s3_verify,
            use_ssl=not settings.s3_disable_ssl,
            config=config,
        )
    except (exceptions.BotoCoreError, ValueError) as error:
        raise UserError(f"the settings for S3 cannot be used: {in_one_line(error)}; correct them") from error
    return made, is_signed


def _style(session: boto3.session.Session) -> str:
    """Return how the user's configuration wants buckets to be addressed; '' for either."""
    scoped = session._session.get_scoped_config().get("s3")
    return str(scoped.get("addressing_style", "")) if isinstance(scoped, dict) else ""


@contextlib.contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turn errors of the library into `StoreError` and, for what may pass, ``ConnectionError``."""
    try:
        yield
    except exceptions.ClientError as error:
        told = error.response.get("Error", {})
        reason = str(told.get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
        if reason in _PASSING:
            raise ConnectionError(f"{reason}: {told.get('Message', '')}") from error
        if reason == _ARCHIVED:
            raise StoreError(412, reason, f"{uri} is archived; restore it first (`aws s3 restore-object`)") from error
        # A redirection that the library did not follow: the bucket is in another region or at another endpoint.
        status = max(status, 400)
        raise StoreError(status, reason, f"{reason}: {told.get('Message', '')}".strip(": ")) from error
    except _NETWORK as error:
        raise ConnectionError(in_one_line(error)) from error
    except ResponseParserError as error:
        raise StoreError(400, "NotS3", f"the answer is not that of S3: {in_one_line(error)}") from error
    except exceptions.BotoCoreError as error:
        # Credentials that are missing, incomplete or cannot be renewed, and names that S3 does not allow.
        raise StoreError(401, type(error).__name__, in_one_line(error)) from error
