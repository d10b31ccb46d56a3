"""Read input files, and separate a fault of one file from a fault of all files.

A file that is missing or forbidden is the fault of that photo only while other files of the input can be read. If none
can be read, a mount is gone or rights are lost: the read is retried, and then the job stops.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import BinaryIO, TypeVar

from pipelines.files import blobs, bucket_reads, cloud, faults, local_reads, patience, storage, web
from pipelines.files.blobs import Generation
from pipelines.files.faults import Fault
from pipelines.files.neighbours import Neighbours
from tfrecords.errors import OutageError

T = TypeVar("T")
_IS_OPTIONAL = ContextVar("is_optional", default=False)


@contextlib.contextmanager
def optional() -> Iterator[None]:
    """Allow all files that are read in the block to be missing or forbidden.

    A report can be viewed while the archive is offline, or by a person without rights to it.
    """
    token = _IS_OPTIONAL.set(True)
    try:
        with cloud.at_launch():
            yield
    finally:
        _IS_OPTIONAL.reset(token)


def read(uri: str, generation: Generation | None = None) -> bytes:
    """Return the bytes of a file; an object can be limited to one generation.

    Raises:
        Rejected: it is on the web, and cannot be read (`pipelines.files.web`).
        storage.io_errors: this one file is missing, changed or forbidden.
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    if storage.is_in_bucket(uri):
        return _in_bucket(uri, lambda known: bucket_reads.read(uri, generation, neighbours=known))
    if web.is_url(uri):
        return web.read(uri)
    return _on_disk(uri, lambda: storage.read(uri))


def read_range(uri: str, start: int, size: int, generation: Generation | None = None) -> bytes:
    """Return bytes from the middle of a file. Raises what `read` raises, or ValueError if the file ends early."""
    if storage.is_in_bucket(uri):
        return _in_bucket(uri, lambda known: bucket_reads.read_range(uri, start, size, generation, neighbours=known))
    if web.is_url(uri):
        return web.read_range(uri, start, size)
    return _on_disk(uri, lambda: storage.read_range(uri, start, size))


def opened(uri: str) -> BinaryIO:
    """Open a file for reading by range. Opening and reading raise what `read` raises."""
    if storage.is_in_bucket(uri):
        return _in_bucket(uri, lambda known: bucket_reads.opened(uri, neighbours=known))
    return _on_disk(uri, lambda: storage.opened(uri))


def _in_bucket(uri: str, work: Callable[[Neighbours], T]) -> T:
    bucket = blobs.bucket_of(uri)
    known = bucket_reads.neighbours_in(bucket)
    try:
        done = work(known)
    except storage.io_errors() as error:
        if not _IS_OPTIONAL.get() and faults.is_missing(error) and not known.can_be_read(uri):
            raise OutageError(
                f"{uri} is gone, and no other object of {bucket} can be read; start again when it answers"
            ) from error
        raise
    known.was_read(uri)
    return done


def _on_disk(path: str, work: Callable[[], T]) -> T:
    if storage.is_remote(path) or _IS_OPTIONAL.get():
        return patience.locally(path, work)
    known = local_reads.NEIGHBOURS

    def is_of_all(error: Exception) -> bool:
        may_be = faults.is_missing(error) or faults.of(error) is Fault.DENIED
        return may_be and not known.can_be_read(path)

    done = patience.locally(path, work, is_of_all)
    known.was_read(os.path.abspath(path))  # noqa: PTH100 (called once a photo; the process may move to another folder)
    return done
