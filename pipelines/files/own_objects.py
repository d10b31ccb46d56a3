"""Write objects with a mark, and replace an object only if this program wrote it; see `pipelines.files.marks`."""

import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import google_crc32c
from google.api_core.exceptions import NotFound

from pipelines.files import buckets, cloud, marks
from pipelines.files.cloud import TIMEOUT, patiently
from tfrecords.errors import OutageError

_RACES = 10


@dataclass(frozen=True, kw_only=True)
class Found:
    """An existing object.

    Attributes:
        size: in bytes.
        generation: changes with every write.
        crc32c: of its bytes, in base64.
        own_run: number of the run that wrote it, according to its mark; 0 without a valid mark.
    """

    size: int
    generation: int
    crc32c: str
    own_run: int


def find(uri: str) -> Found | None:
    """Look up an object; return None if there is none.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the object is the only one that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    blob = cloud.blob(uri)
    try:
        with patiently(uri) as attempts:
            blob.reload(retry=attempts.retry, timeout=TIMEOUT)
    except NotFound:
        return None
    own_run = marks.run_in((blob.metadata or {}).get(marks.KEY), blob.crc32c)
    return Found(size=int(blob.size), generation=int(blob.generation), crc32c=blob.crc32c or "", own_run=own_run)


def write(
    uri: str, data: bytes, run: int, may_replace: Callable[[Found], bool], check: Callable[[], None]
) -> tuple[int, bool] | None:
    """Write a marked object unless somebody else's object is there; one request if there is none.

    Args:
        uri: of the object.
        data: its bytes. Nothing is written if the same bytes are there already.
        run: number of the run.
        may_replace: returns whether an existing object may be replaced.
        check: called before each request that writes; an exception from it stops the write.

    Returns:
        the generation of the object, and whether it replaced another one; None if an object must not be replaced.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    crc32c = b64encode(google_crc32c.Checksum(data).digest()).decode()
    generation = 0
    for _ in range(_RACES):
        check()
        written = buckets.upload(uri, io.BytesIO(data), generation, {marks.KEY: marks.of(run, crc32c)})
        if written is not None:
            return written, generation != 0
        found = find(uri)
        if found is None:
            generation = 0
            continue
        if found.crc32c == crc32c:
            return found.generation, False
        if not may_replace(found):
            return None
        generation = found.generation
    raise OutageError(f"other programs keep writing {uri}; let one run at a time write there")
