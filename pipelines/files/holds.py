"""Find out what protects an object: a retention policy, the object's own retention, or a hold.

In Cloud Storage, a refusal for this reason has status 403, like a missing right, and a hold even has the same reason
(``forbidden``). The metadata of the object say what protects it.
"""

from model import loaded
from pipelines.files import cloud, stores
from pipelines.files.cloud import patiently
from tfrecords.errors import DeniedError


def of_object(uri: str) -> str:
    """Return what protects an object from being replaced or removed; '' if nothing does or it cannot be known."""
    try:
        with patiently(uri) as attempts:
            return stores.of(uri).protection(uri, attempts)
    except DeniedError:
        return ""


def of_bucket(uri: str) -> str:
    """Return what protects new objects of a bucket; '' if nothing does, or if its settings cannot be read."""
    try:
        with cloud.at_launch(), patiently(uri) as attempts:
            return stores.of(uri).protection_of_bucket(uri, attempts)
    except DeniedError:
        return ""
    except loaded.errors("google.api_core.exceptions", "ClientError"):
        return ""


def check_creatable(uri: str) -> None:
    """Check that an object can be created, without creating it.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: the object cannot be created.
    """
    with cloud.at_launch(), patiently(uri) as attempts:
        stores.of(uri).start_upload(uri, attempts)
