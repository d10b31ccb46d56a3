"""What Beam's file systems cannot do on Cloud Storage: list by prefix, and create an object only where there is none.

Beam lists a whole bucket in one go, and writes over what is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from google.api_core.exceptions import PreconditionFailed
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import storage

SCHEME = "gs://"


@dataclass(frozen=True)
class Blob:
    """An object in a bucket: its URI, bytes, and generation, which is another one after every write."""

    uri: str
    size: int
    generation: int


@cache
def _client() -> storage.Client:
    """A client with the credentials of the environment; without any, one for public buckets.

    STORAGE_EMULATOR_HOST is honoured, as by Beam.
    """
    try:
        return storage.Client()
    except DefaultCredentialsError:
        return storage.Client.create_anonymous_client()


def _split(uri: str) -> tuple[str, str]:
    """Bucket and name."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    return bucket, name


def children(folder: str) -> Iterator[str]:
    """Yields what lies directly below a folder: the URIs of its objects, and of its subfolders with a last slash.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
    """
    bucket, prefix = _split(folder.rstrip("/") + "/")
    listing = _client().list_blobs(bucket, prefix=prefix, delimiter="/")
    for page in listing.pages:
        yield from (f"{SCHEME}{bucket}/{blob.name}" for blob in page if not blob.name.endswith("/"))
    yield from (f"{SCHEME}{bucket}/{subfolder}" for subfolder in sorted(listing.prefixes))


def below(uri: str) -> Iterator[Blob]:
    """Yields the objects below a folder, or the one object of that name, a page of 1,000 at a time.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
    """
    bucket, name = _split(uri)
    folder = name.rstrip("/") + "/" if name else ""
    for blob in _client().list_blobs(bucket, prefix=name):
        inside = blob.name == name or blob.name.startswith(folder)
        if inside and not blob.name.endswith("/"):
            yield Blob(f"{SCHEME}{bucket}/{blob.name}", int(blob.size), int(blob.generation))


def create(uri: str, data: bytes) -> bool:
    """Writes an object where there is none; of several writers at once one succeeds.

    Returns:
        whether it was written; False where there is one already.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
    """
    bucket, name = _split(uri)
    try:
        _client().bucket(bucket).blob(name).upload_from_string(data, if_generation_match=0)
    except PreconditionFailed:
        return False
    return True
