"""Change small files that several processes share: read a version, and replace the file only if it still has it.

On a local disk a process holds a lock while it changes such a file. In a bucket the request names the generation that
the object must have. Other file systems have neither, and the last writer wins.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from pipelines.files import (
    beneath,
    bucket_reads,
    buckets,
    faults,
    local_files,
    local_writes,
    locked_files,
    patience,
    storage,
)

_CHANGED = (404, 412)
"""Statuses of a request for an object that was replaced or removed since it was found."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a file.

    Attributes:
        data: its bytes.
        id: changes with every write.
        changed: when it was written, in seconds since 1970 by the clock of the file system.
    """

    data: bytes
    id: str
    changed: float


def read(uri: str) -> Version | None:
    """Read a file; return None if there is none.

    Raises:
        storage.io_errors, WorldError: it cannot be read.
    """
    if storage.is_in_bucket(uri):
        while blob := buckets.find(uri):
            try:
                data = bucket_reads.read(uri, blob.generation)
            except storage.io_errors() as error:
                if faults.status_of(error) not in _CHANGED:
                    raise
            else:
                return Version(data=data, id=str(blob.generation), changed=blob.changed)
        return None
    return patience.locally(uri, lambda: _read_locally(_local(uri)))


def _local(uri: str) -> Path:
    """Return the path of a file in a folder of the output, after checking that neither is a link."""
    path = Path(uri)
    beneath.check(path.parent.parent, f"{path.parent.name}/{path.name}")
    return path


def _read_locally(path: Path) -> Version | None:
    with locked_files.held(path, to_read=True) as file:  # an auditor may have no right to write
        if file is None:
            return None
        return Version(data=file.read(), id=locked_files.version(file), changed=locked_files.changed(file))


def replace(uri: str, data: bytes, version: Version) -> bool:
    """Replace a file if it has not changed since it was read; return False if it has changed or is gone.

    In a bucket the result is also False if the answer was lost, although the data were written: read the file again.
    """
    if storage.is_in_bucket(uri):
        return buckets.replace(uri, io.BytesIO(data), version.id)
    return local_writes.replace(_local(uri), data, version.id)


def remove(uri: str, version: Version) -> None:
    """Remove a file if it has not changed since it was read."""
    if storage.is_in_bucket(uri):
        buckets.remove(uri, version.id)
    else:
        local_writes.remove(_local(uri), version.id)


def clock(folder: str) -> float:
    """Return the time by the clock of ``Version.changed``; this writes a file into the folder and removes it."""
    if not storage.is_in_bucket(folder):
        return local_writes.patiently(folder, lambda: locked_files.clock(Path(folder)))
    uri = storage.join(folder, local_files.hidden_name("clock"))
    storage.write(uri, b"clock")
    blob = buckets.find(uri)
    storage.remove([uri])
    return blob.changed if blob else 0.0
