"""The clients for accounts of Azure Blob Storage, and what its errors mean."""

import contextlib
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient

from model.causes import in_one_line
from pipelines.files import blobs, store_settings
from pipelines.files.blobs import StoreError
from tfrecords.errors import UserError

TIMEOUT = (10, 60)
"""Seconds to connect, and seconds of silence, after which a request has failed."""
_VARIABLES = ("CONNECTION_STRING", "ACCOUNT", "KEY", "SAS_TOKEN", "SERVICE_ENDPOINT")
_ARCHIVED = ("BlobArchived", "BlobBeingRehydrated")
_OPTIONS = {"retry_total": 0, "connection_timeout": TIMEOUT[0], "read_timeout": TIMEOUT[1]}


def service(uri: str) -> BlobServiceClient:
    """Return the client for the account of a URI.

    Raises:
        UserError: neither the URI nor a setting names an account, or the settings cannot be used.
    """
    settings = store_settings.current()
    variables = tuple(os.environ.get(f"AZURE_STORAGE_{name}", "") for name in _VARIABLES)
    connection, name, key, token, endpoint = variables
    place = blobs.split(uri)[0].partition("@")[2]
    if place:
        address = f"https://{place.replace('.dfs.', '.blob.')}"
        name = place.partition(".")[0]
    else:
        connection = settings.azure_connection_string or ("" if settings.blob_service_endpoint else connection)
        address = (
            settings.blob_service_endpoint or endpoint or (f"https://{name}.blob.core.windows.net" if name else "")
        )
    if connection and not place:
        return _connected(connection)
    if not address:
        raise UserError(
            f"{uri} names no account; write abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, set "
            "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT, or give --blob_service_endpoint"
        )
    return _made(address, name or urlsplit(address).netloc.partition(".")[0], key, token, settings)


@lru_cache(maxsize=4)
def _connected(connection: str) -> BlobServiceClient:
    try:
        return BlobServiceClient.from_connection_string(connection, **_OPTIONS)
    except ValueError as error:
        raise UserError(f"the connection string for Azure cannot be used: {in_one_line(error)}; correct it") from error


@lru_cache(maxsize=4)
def _made(address: str, name: str, key: str, token: str, settings: store_settings.Settings) -> BlobServiceClient:
    if key:
        credential: Any = AzureNamedKeyCredential(name, key)
    elif token:
        credential = AzureSasCredential(token)
    elif address.startswith("http://"):  # the library sends no token there
        raise UserError(
            f"{address} has no TLS, so it needs a key; set AZURE_STORAGE_KEY or AZURE_STORAGE_CONNECTION_STRING"
        )
    else:
        credential = DefaultAzureCredential(managed_identity_client_id=settings.azure_managed_identity_client_id)
    return BlobServiceClient(address, credential, **_OPTIONS)


def forget() -> None:
    """Make clients again when they are needed."""
    _connected.cache_clear()
    _made.cache_clear()


@contextlib.contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turn errors of the library into `StoreError` and, for what may pass, ``ConnectionError``."""
    try:
        yield
    except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
        raise ConnectionError(in_one_line(error)) from error
    except HttpResponseError as error:
        code = getattr(error, "error_code", None)
        reason = str(getattr(code, "value", code) or "")
        if reason in _ARCHIVED:
            raise StoreError(412, reason, f"{uri} is archived; rehydrate it first") from error
        if reason == "BlobAlreadyExists":  # 409, though the condition failed
            raise StoreError(412, reason, f"{uri} exists") from error
        status = error.status_code or (401 if isinstance(error, ClientAuthenticationError) else 400)
        raise StoreError(max(status, 400), reason, f"{reason}: {in_one_line(error)}".removeprefix(": ")) from error
    except AzureError as error:
        raise StoreError(401, type(error).__name__, in_one_line(error)) from error
