"""What Cloud Storage keeps from being replaced or removed: by a retention policy, an object's retention, or a hold.

Such a refusal has status 403, like a missing right, and for a hold also its reason (``forbidden``). So the object
itself is asked, whose metadata name what keeps it.
"""

from google.api_core.exceptions import ClientError, NotFound

from pipelines.files import cloud
from pipelines.files.cloud import TIMEOUT, client, patiently, split
from tfrecords.errors import DeniedError


def of_object(uri: str) -> str:
    """Returns in words what keeps an object from being replaced or removed; '' if nothing does or nothing tells."""
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
    """Returns in words what keeps new objects of a bucket; '' if nothing does, or if its settings may not be read."""
    try:
        with cloud.at_launch(), patiently(uri) as attempts:
            bucket = client().get_bucket(split(uri)[0], retry=attempts.retry, timeout=TIMEOUT)
    except (ClientError, DeniedError):
        return ""
    if bucket.retention_period:
        return "its retention policy"
    return "its default hold" if bucket.default_event_based_hold else ""


def check_creatable(uri: str) -> None:
    """Makes sure that an object can be created, without creating it: asks for an upload and sends nothing.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: it cannot.
    """
    with cloud.at_launch(), patiently(uri) as attempts:
        cloud.blob(uri).create_resumable_upload_session(size=0, retry=attempts.retry, timeout=TIMEOUT)
