"""Objects that are written with a mark, and replaced only if they are this program's, see `pipelines.files.marks`."""

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


@dataclass(frozen=True)
class Found:
    """An object that is there.

    Attributes:
        size: in bytes.
        generation: another one after every write.
        crc32c: of its bytes, in base64.
        own_run: number of the run that wrote it, as the object says; 0 if it does not.
    """

    size: int
    generation: int
    crc32c: str
    own_run: int


def find(uri: str) -> Found | None:
    """Looks an object up; None where there is none.

    Raises:
        google.api_core.exceptions.GoogleAPIError: it alone is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    blob = cloud.blob(uri)
    try:
        with patiently(uri) as attempts:
            blob.reload(retry=attempts.retry, timeout=TIMEOUT)
    except NotFound:
        return None
    own_run = marks.run_in((blob.metadata or {}).get(marks.KEY), blob.crc32c)
    return Found(int(blob.size), int(blob.generation), blob.crc32c or "", own_run)


def write(
    uri: str, data: bytes, run: int, may_replace: Callable[[Found], bool], check: Callable[[], None]
) -> tuple[int, bool] | None:
    """Writes a marked object unless another one is in the way; one request where there is none.

    Args:
        uri: of the object.
        data: its bytes. If they are there already, nothing is written.
        run: number of the run.
        may_replace: whether an object that is there may be replaced.
        check: called before each request that writes; what it raises ends the writing.

    Returns:
        the object's generation, and whether it replaced another one; None where one is in the way.

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
    raise OutageError(f"{uri} is written by others all the time; let one run at a time write there")
