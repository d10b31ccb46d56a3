"""Write objects with a mark, and replace an object only if this program wrote it; see `pipelines.files.marks`."""

import io
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.files import buckets, marks, stores
from pipelines.files.blobs import NONE, Generation
from tfrecords.errors import OutageError

_RACES = 10


@dataclass(frozen=True, kw_only=True)
class Found:
    """An existing object.

    Attributes:
        size: in bytes.
        generation: changes with every new content.
        checksum: of its bytes, in base64; '' if the store has none.
        own_run: number of the run that wrote it, according to its mark; 0 without a valid mark.
    """

    size: int
    generation: Generation
    checksum: str
    own_run: int


def find(uri: str) -> Found | None:
    """Look up an object; return None if there is none.

    Raises:
        storage.io_errors: the object is the only one that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    blob = buckets.find(uri)
    if blob is None:
        return None
    own_run = marks.run_in(blob.mark, blob.checksum or None)
    return Found(size=blob.size, generation=blob.generation, checksum=blob.checksum, own_run=own_run)


def write(
    uri: str, data: bytes, run: int, may_replace: Callable[[Found], bool], check: Callable[[], None]
) -> tuple[Generation, bool] | None:
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
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    checksum = stores.of(uri).checksum(io.BytesIO(data))
    generation: Generation = NONE
    for _ in range(_RACES):
        check()
        written = buckets.upload(uri, io.BytesIO(data), generation, {marks.KEY: marks.of(run, checksum)})
        if written is not None:
            return written, generation != NONE
        found = find(uri)
        if found is None:
            generation = NONE
            continue
        if found.checksum == checksum:
            return found.generation, False
        if not may_replace(found):
            return None
        generation = found.generation
    raise OutageError(f"other programs keep writing {uri}; let one run at a time write there")
