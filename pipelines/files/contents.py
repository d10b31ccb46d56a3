"""Describe what a file in the output contains, with a fingerprint that shows cheaply whether it has changed.

A fingerprint comes from a listing. For a local file it consists of the size, the modification time and the inode change
time; programs that edit a photo in place and restore its modification time (``exiftool -P``) still alter the last one.
For an object it consists of the size and the generation or ETag. Equal fingerprints mean equal bytes. Different
fingerprints prove nothing, because a copied or restored file gets a new one; in that case the bytes are read.
"""

import hashlib
import os
import stat
from base64 import b64decode
from collections.abc import Collection
from dataclasses import dataclass

from pipelines.files import buckets, faults, marks, own_objects, patience, storage, stores
from pipelines.files.faults import Fault
from pipelines.files.sources import Source
from tfrecords import shards

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of a file.

    Attributes:
        bytes: its size.
        sha256: in hex; '' if the file may not be read.
        fingerprint: taken before the file was read.
        own_run: number of the run that wrote it, according to its mark (`pipelines.files.marks`); 0 without a valid
            mark.
    """

    bytes: int
    sha256: str
    fingerprint: str
    own_run: int = 0

    def may_go(self, digests: Collection[str]) -> bool:
        """Return whether the file can be deleted without losing anybody's work, although no record mentions it.

        Args:
            digests: SHA-256 of the files that earlier runs wrote there.
        """
        # A power cut may leave an empty file, and no photo has zero bytes.
        return self.bytes == 0 or self.own_run > 0 or self.sha256 in digests


def sha256(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hex."""
    return hashlib.sha256(data).hexdigest()


def listed(file: Source) -> str:
    """Return the fingerprint of a file that was listed in the output; '' if it is gone."""
    return file.fingerprint if storage.is_remote(file.uri) else _local(file.uri)


def fingerprint(uri: str) -> str:
    """Return the fingerprint of a file; '' if there is none."""
    if storage.is_in_bucket(uri):
        found = buckets.find(uri)
        return found.fingerprint if found else ""
    return _local(uri)


def _local(path: str) -> str:
    try:
        about = patience.locally(path, lambda: os.stat(path))  # noqa: PTH116 (called once a photo)
    except OSError as error:
        if faults.of(error) is Fault.PHOTO:
            return ""
        raise
    return f"{about.st_size}-{about.st_mtime_ns}-{about.st_ctime_ns}" if stat.S_ISREG(about.st_mode) else ""


def checksum(uri: str) -> int | None:
    """Return the crc32c of a file, or None if there is none. An object is read only if its store has no crc32c.

    Raises:
        WorldError: the disk or the bucket fails.
    """
    if storage.is_in_bucket(uri):
        found = own_objects.find(uri)
        if found is None:
            return None
        if found.checksum and stores.of(uri).checksum_kind == "crc32c":
            return int.from_bytes(b64decode(found.checksum))
        return _checksum(uri)
    return patience.locally(uri, lambda: _checksum(uri))


def _checksum(path: str) -> int | None:
    try:
        with storage.opened(path) as file:
            return shards.checksum(iter(lambda: file.read(_CHUNK), b""))[1]
    except FileNotFoundError:
        return None


def read(uri: str) -> Content | None:
    """Read a file; return None if there is none.

    Raises:
        storage.io_errors: it cannot be read, for a reason other than its permissions on a local disk.
    """
    found = own_objects.find(uri) if storage.is_in_bucket(uri) else None
    before = f"{found.size}-{found.generation}" if found else fingerprint(uri)
    if not before:
        return None
    try:
        data = storage.read(uri)
    except PermissionError:
        return Content(bytes=int(before.partition("-")[0]), sha256="", fingerprint=before)
    except storage.io_errors() as error:
        if faults.is_missing(error):
            return None
        raise
    digest = sha256(data)
    if found is not None:
        return Content(bytes=len(data), sha256=digest, fingerprint=before, own_run=found.own_run)
    return Content(
        bytes=len(data),
        sha256=digest,
        fingerprint=before,
        own_run=0 if storage.is_remote(uri) else marks.read(uri, digest),
    )


def remove(uri: str, content: Content) -> None:
    """Remove a file that was read before; an object only if it has not been written since.

    Raises:
        storage.io_errors: it cannot be removed.
    """
    if storage.is_in_bucket(uri):
        buckets.remove(uri, content.fingerprint.partition("-")[2])
    else:
        storage.remove([uri])
