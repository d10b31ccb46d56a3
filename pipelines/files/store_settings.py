"""How to reach stores, as flags of jobs say: Beam takes them to each worker.

Commands without Beam's flags, and whoever gives none, use the settings of the store's own tools: environment variables
and configuration files.
"""

import sys
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of a job for stores; each is None if it is not given.

    Attributes:
        billing_project: that pays for requests to Cloud Storage.
        s3_access_key_id: key for S3.
        s3_secret_access_key: its secret.
        s3_session_token: its token, if it is a temporary one.
        s3_endpoint_url: address of a store that is compatible with S3.
        s3_region_name: region.
        s3_api_version: version of the API.
        s3_verify: file of certificates to trust.
        s3_disable_ssl: whether to use HTTP.
        s3_request_payer: whether the user pays for requests to S3.
        azure_connection_string: connection string of an account of Azure.
        blob_service_endpoint: address of an account of Azure.
        azure_managed_identity_client_id: identity of this machine to use for Azure.
    """

    billing_project: str | None = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = None
    s3_session_token: str | None = None
    s3_endpoint_url: str | None = None
    s3_region_name: str | None = None
    s3_api_version: str | None = None
    s3_verify: str | None = None
    s3_disable_ssl: bool | None = None
    s3_request_payer: bool | None = None
    azure_connection_string: str | None = None
    blob_service_endpoint: str | None = None
    azure_managed_identity_client_id: str | None = None


_NAMES = tuple(field.name for field in fields(Settings))
_LAST: tuple[Any, Settings] = (None, Settings())


def current() -> Settings:
    """Return the settings of the job that this process launches or works for."""
    global _LAST
    # Without a job there is no need to import Beam, which takes a second.
    beam = sys.modules.get("apache_beam.io.filesystems")
    options = beam and beam.FileSystems._pipeline_options
    if options is None:
        return Settings()
    if _LAST[0] is not options:
        _LAST = options, Settings(**given(options))
    return _LAST[1]


def given(options: Any) -> dict[str, Any]:
    """Return the settings among Beam's options that are given, by name."""
    from pipelines.files import store_options  # noqa: F401 (Beam knows the options of the classes that are loaded)

    return {name: value for name, value in options.get_all_options().items() if name in _NAMES and value}
