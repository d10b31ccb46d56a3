"""Find out what protects an object in Cloud Storage: a retention policy, the object's own retention, or a hold.

A refusal for this reason has status 403, like a missing right, and a hold even has the same reason (``forbidden``). The
metadata of the object say what protects it.
"""

from google.api_core.exceptions import ClientError, NotFound

from pipelines.files import cloud
from pipelines.files.cloud import TIMEOUT, client, patiently, split
from tfrecords.errors import DeniedError


def of_object(uri: str) -> str:
    """Return what protects an object from being replaced or removed; '' if nothing does or it cannot be known."""
    blob = cloud.blob(uri)
    try:
        with patiently(uri) as attempts:
            blob.reload(retry=attempts.retry, timeout=TIMEOUT)
    except (NotFound, DeniedError):
        return ""
    if blob.temporary_hold or blob.event_based_hold:
        return "a hold"
    until = [time for time in (blob.retention_expiration_time, blob.retention.retain_until_time) if time is not None]
    return f"a retention policy, until {max(until):%Y-%m-%d}" if until else ""


def of_bucket(uri: str) -> str:
    """Return what protects new objects of a bucket; '' if nothing does, or if its settings cannot be read."""
    try:
        with cloud.at_launch(), patiently(uri) as attempts:
            bucket = client().get_bucket(split(uri)[0], retry=attempts.retry, timeout=TIMEOUT)
    except (ClientError, DeniedError):
        return ""
    if bucket.retention_period:
        return "its retention policy"
    return "its default hold" if bucket.default_event_based_hold else ""


def check_creatable(uri: str) -> None:
    """Check that an object can be created, without creating it: start an upload and send nothing.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: the object cannot be created.
    """
    with cloud.at_launch(), patiently(uri) as attempts:
        cloud.blob(uri).create_resumable_upload_session(size=0, retry=attempts.retry, timeout=TIMEOUT)
