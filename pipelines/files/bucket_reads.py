"""Read objects from Cloud Storage: whole, by range, or as an open file. What is read is exactly what was stored.

An interrupted read resumes in the middle of the object. All parts come from one generation of the object, and the
checksum of whole objects is verified.
"""

import errno
import io
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from typing import Any

import google_crc32c
from google.api_core.exceptions import RequestRangeNotSatisfiable
from google.api_core.retry import if_exception_type
from google.cloud.storage.exceptions import DataCorruption

from pipelines.files import buckets, cloud, faults
from pipelines.files.buckets import Blob
from pipelines.files.cloud import SCHEME, TIMEOUT, patiently
from pipelines.files.faults import Fault
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import Attempts

_LOOKED_AT = 8
# Listing a tar seeks over its contents. A smaller buffer costs a request per member; a larger one reads whole scans.
_BUFFER = 4 << 20


def read(uri: str, generation: int | None = None, *, neighbours: Neighbours | None = None) -> bytes:
    """Return the bytes of an object after verifying their checksum (crc32c); usually one request.

    Args:
        uri: of the object.
        generation: that the object must have; None for any.
        neighbours: other objects of the input, where this object alone may be forbidden.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the object is missing, has another generation, or is the only one
            that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    with patiently(uri, neighbours=neighbours) as attempts:
        again = attempts.retry.with_predicate(if_exception_type(DataCorruption))
        return bytes(again(_read)(uri, generation, attempts))


def _read(uri: str, generation: int | None, attempts: Attempts) -> bytes:
    blob = cloud.blob(uri)
    arrived = _Arrived(attempts)
    options = {"if_generation_match": generation, "retry": attempts.retry, "timeout": TIMEOUT}
    blob.download_to_file(arrived, checksum=None, **options)
    data = arrived.getvalue()
    if blob.content_encoding != "gzip":  # compressed objects arrive unpacked, so their checksum does not apply
        if blob.crc32c is None:
            blob.reload(**{**options, "if_generation_match": blob.generation or generation})
        # The library verifies nothing after an interrupted download was resumed.
        if google_crc32c.Checksum(data).digest() != b64decode(blob.crc32c):
            raise DataCorruption(None, f"{uri} arrived with a wrong checksum")
    return data


class _Arrived(io.BytesIO):
    """The bytes of a download that have arrived; each part proves that the bucket still answers."""

    def __init__(self, attempts: Attempts) -> None:
        super().__init__()
        self._attempts = attempts

    def write(self, data: Any, /) -> int:
        self._attempts.alive()
        return super().write(data)


class _Reader(io.RawIOBase):
    """An object open for reading; every request is a range of the same generation."""

    def __init__(self, blob: Blob, neighbours: Neighbours | None) -> None:
        self._blob = blob
        self._neighbours = neighbours
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._position = offset + (0, self._position, self._blob.size)[whence]
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        size = max(0, min(len(buffer), self._blob.size - self._position))
        buffer[:size] = read_range(
            self._blob.uri, self._position, size, self._blob.generation, neighbours=self._neighbours
        )
        self._position += size
        return size

    def readall(self) -> bytes:
        # The default would ask for 8 kB at a time.
        return self.read(max(0, self._blob.size - self._position)) or b""


def opened(uri: str, *, neighbours: Neighbours | None = None, buffer: int = 0) -> io.BufferedReader:
    """Open an object for reading by range.

    Args:
        uri: of the object.
        buffer: bytes to read at a time; 0 for 4 MB.
        neighbours: other objects of the input, where this object alone may be forbidden.

    Raises:
        FileNotFoundError: there is no such object.
        google.api_core.exceptions.GoogleAPIError: the object is the only one that is forbidden; while reading: it was
            replaced or deleted.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    blob = buckets.find(uri, neighbours)
    if blob is None:
        raise FileNotFoundError(errno.ENOENT, "no such object", uri)
    return io.BufferedReader(_Reader(blob, neighbours), buffer or _BUFFER)


def read_range(
    uri: str, start: int, size: int, generation: int | None = None, *, neighbours: Neighbours | None = None
) -> bytes:
    """Return bytes from the middle of an object; usually one request.

    Cloud Storage gives no checksum for a part. The bytes are counted and are all of one generation; TLS protects them
    in transit.

    Raises:
        ValueError: the object ends before the end of the range.
        google.api_core.exceptions.GoogleAPIError: the object is missing, has another generation, or is the only one
            that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    if not size:
        return b""
    with patiently(uri, neighbours=neighbours) as attempts:
        arrived = _Arrived(attempts)
        cloud.blob(uri).download_to_file(
            arrived,
            start=start,
            end=start + size - 1,
            raw_download=True,
            if_generation_match=generation,
            checksum=None,
            retry=attempts.retry,
            timeout=TIMEOUT,
        )
    data = arrived.getvalue()
    if len(data) != size:
        raise ValueError(f"the object ends {size - len(data):,} bytes before the range {start:,} + {size:,}")
    return data


@cache
def neighbours_in(bucket: str) -> Neighbours:
    """Return what this process knows about the objects that it read from a bucket as input."""
    return Neighbours(_opens, _beside)


def _opens(uri: str) -> bool:
    """Request one byte of an object, once, and return whether it can be read."""
    try:
        cloud.blob(uri).download_to_file(io.BytesIO(), start=0, end=0, raw_download=True, checksum=None, retry=None)
    except RequestRangeNotSatisfiable:  # an empty object that may be read
        return True
    except Exception as error:
        if faults.of(error) is Fault.WORLD:
            raise
        return False
    return True


def _beside(uri: str) -> Iterator[str]:
    """Yield some objects of the same folder, listed once."""
    bucket, name = cloud.split(uri)
    folder = name.rpartition("/")[0]
    options = {"prefix": f"{folder}/" if folder else "", "max_results": _LOOKED_AT, "timeout": TIMEOUT, "retry": None}
    try:
        yield from [f"{SCHEME}{bucket}/{blob.name}" for blob in cloud.client().list_blobs(bucket, **options)]
    except Exception as error:
        if faults.of(error) is Fault.WORLD:
            raise
