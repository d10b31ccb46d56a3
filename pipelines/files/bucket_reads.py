"""Read objects: whole, by range, or as an open file. What is read is exactly what was stored.

An interrupted read resumes in the middle of the object. All parts come from one generation of the object, and the
checksum of whole objects is verified if the store has one.
"""

import errno
import io
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipelines.files import buckets, faults, stores
from pipelines.files.blobs import Blob, Generation
from pipelines.files.cloud import patiently
from pipelines.files.faults import Fault
from pipelines.files.neighbours import Neighbours
from tfrecords.words import counted

_LOOKED_AT = 8
# Listing a tar seeks over its contents. A smaller buffer costs a request per member; a larger one reads whole scans.
_BUFFER = 4 << 20


def read(uri: str, generation: Generation | None = None, *, neighbours: Neighbours | None = None) -> bytes:
    """Return the bytes of an object after verifying their checksum; usually one request.

    Args:
        uri: of the object.
        generation: that the object must have; None for any.
        neighbours: other objects of the input, where this object alone may be forbidden.

    Raises:
        storage.io_errors: the object is missing, has another generation, or is the only one
            that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    with patiently(uri, neighbours=neighbours) as attempts:
        return stores.of(uri).read(uri, generation, attempts)


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
        storage.io_errors: the object is the only one that is forbidden; while reading: it was
            replaced or deleted.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    blob = buckets.find(uri, neighbours)
    if blob is None:
        raise FileNotFoundError(errno.ENOENT, "no such object", uri)
    return io.BufferedReader(_Reader(blob, neighbours), buffer or _BUFFER)


def read_range(
    uri: str, start: int, size: int, generation: Generation | None = None, *, neighbours: Neighbours | None = None
) -> bytes:
    """Return bytes from the middle of an object; usually one request.

    No store gives a checksum for a part. The bytes are counted and are all of one generation; TLS protects them
    in transit.

    Raises:
        ValueError: the object ends before the end of the range.
        storage.io_errors: the object is missing, has another generation, or is the only one
            that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    if not size:
        return b""
    with patiently(uri, neighbours=neighbours) as attempts:
        data = stores.of(uri).read_range(uri, start, size, generation, attempts)
    if len(data) != size:
        raise ValueError(f"the object ends {counted(size - len(data), 'byte')} before the range {start:,} + {size:,}")
    return data


@cache
def neighbours_in(bucket: str) -> Neighbours:
    """Return what this process knows about the objects that it read from a bucket as input."""
    return Neighbours(_opens, _beside)


def _opens(uri: str) -> bool:
    """Request one byte of an object, once, and return whether it can be read."""
    try:
        return stores.of(uri).opens(uri)
    except Exception as error:
        if faults.of(error) is Fault.WORLD:
            raise
        return False


def _beside(uri: str) -> Iterator[str]:
    """Yield some objects of the same folder, listed once."""
    try:
        yield from stores.of(uri).beside(uri, _LOOKED_AT)
    except Exception as error:
        if faults.of(error) is Fault.WORLD:
            raise
