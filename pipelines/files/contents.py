"""What a file in the output holds now, and a fingerprint that tells cheaply whether that has changed.

A fingerprint is what a listing says of a file. On a local disk these are its size, the time its content changed and the
time anything about it changed: programs that edit a photo in place and put its time back (``exiftool -P``) do not hide
from the last one. In a bucket they are the size and the generation. Two equal fingerprints mean equal bytes. Two
different ones prove nothing, because a copied or restored file has a new fingerprint: then the bytes are read.
"""

import hashlib
import os
import stat
from collections.abc import Collection
from dataclasses import dataclass

from pipelines.files import buckets, faults, marks, own_objects, patience, storage
from pipelines.files.faults import Fault
from pipelines.files.sources import Source


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        bytes: how many.
        sha256: of them; '' for a file that nobody may read.
        fingerprint: of the file, taken before it was read.
        own_run: number of the run that wrote it, as the file itself says, see `pipelines.files.marks`; 0 if it does
            not.
    """

    bytes: int
    sha256: str
    fingerprint: str
    own_run: int = 0

    def may_go(self, digests: Collection[str]) -> bool:
        """Returns whether nobody's work is lost with a file that no record of its photo tells of.

        Args:
            digests: of what earlier runs wrote there.
        """
        # A power cut may leave an empty file, and nobody makes a photo of no bytes.
        return self.bytes == 0 or self.own_run > 0 or self.sha256 in digests


def sha256(data: bytes) -> str:
    """Returns the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def listed(file: Source) -> str:
    """Returns the fingerprint of a file that was listed in the output; '' where it is gone."""
    return file.fingerprint if storage.is_remote(file.uri) else _local(file.uri)


def fingerprint(uri: str) -> str:
    """Returns the fingerprint of a file; '' where there is none."""
    if storage.is_in_bucket(uri):
        found = buckets.find(uri)
        return f"{found.size}-{found.generation}" if found else ""
    return _local(uri)


def _local(path: str) -> str:
    try:
        about = patience.locally(path, lambda: os.stat(path))  # noqa: PTH116 (called once a photo)
    except OSError as error:
        if faults.of(error) is Fault.PHOTO:
            return ""
        raise
    return f"{about.st_size}-{about.st_mtime_ns}-{about.st_ctime_ns}" if stat.S_ISREG(about.st_mode) else ""


def read(uri: str) -> Content | None:
    """Reads a file; None where there is none.

    Raises:
        storage.IO_ERRORS: it cannot be read for another reason than its permissions on a local disk.
    """
    found = own_objects.find(uri) if storage.is_in_bucket(uri) else None
    before = f"{found.size}-{found.generation}" if found else fingerprint(uri)
    if not before:
        return None
    try:
        data = storage.read(uri)
    except PermissionError:
        return Content(int(before.partition("-")[0]), "", before)
    except storage.IO_ERRORS as error:
        if faults.is_missing(error):
            return None
        raise
    digest = sha256(data)
    if found is not None:
        return Content(len(data), digest, before, found.own_run)
    return Content(len(data), digest, before, 0 if storage.is_remote(uri) else marks.read(uri, digest))


def remove(uri: str, content: Content) -> None:
    """Removes a file that was read; in a bucket only if it has not been written since.

    Raises:
        storage.IO_ERRORS: it cannot be removed.
    """
    if storage.is_in_bucket(uri):
        buckets.remove(uri, int(content.fingerprint.partition("-")[2]))
    else:
        storage.remove([uri])
