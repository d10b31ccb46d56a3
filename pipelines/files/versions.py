"""Small files that several processes change: read with their version, and replaced only while they still have it.

On a local disk a process that changes such a file holds a lock on it; in a bucket the request names the generation that
the object must have. On other file systems there is neither, and the last writer wins.
"""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from google.api_core.exceptions import NotFound, PreconditionFailed

from pipelines.files import beneath, bucket_reads, buckets, local_files, local_writes, locked_files, patience, storage


@dataclass(frozen=True)
class Version:
    """A file that was read.

    Attributes:
        data: its bytes.
        id: is another one after every write.
        changed: when it was written, in seconds since 1970 by the clock of the file system.
    """

    data: bytes
    id: str
    changed: float


def read(uri: str) -> Version | None:
    """Reads a file; None where there is none.

    Raises:
        storage.IO_ERRORS, WorldError: it cannot be read.
    """
    if storage.is_in_bucket(uri):
        while blob := buckets.find(uri):
            with contextlib.suppress(NotFound, PreconditionFailed):  # replaced or removed since it was found
                return Version(bucket_reads.read(uri, blob.generation), str(blob.generation), blob.changed)
        return None
    return patience.locally(uri, lambda: _read_locally(_local(uri)))


def _local(uri: str) -> Path:
    """The path of a file in a folder of the output, of which neither may be a link."""
    path = Path(uri)
    beneath.check(path.parent.parent, f"{path.parent.name}/{path.name}")
    return path


def _read_locally(path: Path) -> Version | None:
    with locked_files.held(path) as file:
        if file is None:
            return None
        return Version(file.read(), locked_files.version(file), locked_files.changed(file))


def replace(uri: str, data: bytes, version: Version) -> bool:
    """Writes a file in the place of one that has not changed since it was read; False where it has, or is gone.

    In a bucket an answer that got lost is False as well, although the data are there: read the file again.
    """
    if storage.is_in_bucket(uri):
        return buckets.replace(uri, io.BytesIO(data), int(version.id))
    return local_writes.replace(_local(uri), data, version.id)


def remove(uri: str, version: Version) -> None:
    """Removes a file that has not changed since it was read; any other one is left alone."""
    if storage.is_in_bucket(uri):
        buckets.remove(uri, int(version.id))
    else:
        local_writes.remove(_local(uri), version.id)


def clock(folder: str) -> float:
    """Returns the time by the clock of ``Version.changed``: writes a file into the folder and removes it."""
    if not storage.is_in_bucket(folder):
        return local_writes.patiently(folder, lambda: locked_files.clock(Path(folder)))
    uri = storage.join(folder, local_files.hidden_name("clock"))
    storage.write(uri, b"clock")
    blob = buckets.find(uri)
    storage.remove([uri])
    return blob.changed if blob else 0.0
