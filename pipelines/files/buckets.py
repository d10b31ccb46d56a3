"""List, find, write and delete objects in Cloud Storage. An object is written whole or not at all.

Beam's file systems list a bucket in one go, overwrite existing objects, and rename by copying. Here one request writes
an object, and the bucket carries it out only if the existing object still has the expected generation. Requests can
therefore be repeated (`pipelines.files.cloud`), and when two writers race for an object, each leaves a complete one.
`pipelines.files.bucket_reads` reads the contents of objects.
"""

import contextlib
import io
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import BinaryIO

import google_crc32c
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from pipelines.files import cloud, content_types, holds
from pipelines.files.cloud import SCHEME, TIMEOUT, patiently
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import Attempts
from tfrecords.errors import DeniedError, OutageError

_DELETED_AT_ONCE = 16
_RACES = 10


@dataclass(frozen=True, kw_only=True)
class Blob:
    """An object in a bucket.

    Attributes:
        uri: of the object.
        size: in bytes.
        generation: changes with every write.
        changed: time of the last write by the clock of Cloud Storage, in seconds since 1970.
    """

    uri: str
    size: int
    generation: int
    changed: float = 0.0

    @property
    def fingerprint(self) -> str:
        """What differs between two versions of the object."""
        return f"{self.size}-{self.generation}"


def _pages(uri: str, prefix: str, **options: str) -> Iterator[tuple[list[storage.Blob], set[str]]]:
    """Yield a listing page by page: the objects of the page, and all subfolders so far.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    under_way: list[Attempts] = []
    bucket, _ = cloud.split(uri)
    listing = cloud.client().list_blobs(
        bucket,
        prefix=prefix,
        timeout=TIMEOUT,
        # Each page has its own attempts; the time between two pages is spent by the caller.
        retry=lambda request: under_way[-1].retry(request),  # noqa: PLW0108 (the last one of its time)
        **options,
    )
    pages = listing.pages
    while True:
        with patiently(uri) as attempts:
            under_way[:] = [attempts]
            page = next(pages, None)
        if page is None:
            return
        yield list(page), listing.prefixes


def pages(folder: str) -> Iterator[tuple[list[Blob], list[str]]]:
    """Yield the direct contents of a folder, page by page: objects, and subfolders with a trailing slash.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    bucket, prefix = cloud.split(folder.rstrip("/") + "/")
    known: set[str] = set()
    for page, prefixes in _pages(folder, prefix, delimiter="/"):
        blobs = [_listed(blob) for blob in page if not blob.name.endswith("/")]
        subfolders = sorted(prefixes - known)
        known.update(subfolders)
        yield blobs, [f"{SCHEME}{bucket}/{subfolder}" for subfolder in subfolders]


def below(uri: str) -> Iterator[Blob]:
    """Yield the objects below a folder, or the one object with that name, in pages of 1,000.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    _, name = cloud.split(uri)
    folder = name.rstrip("/") + "/" if name else ""
    for page, _ in _pages(uri, name):
        for blob in page:
            inside = blob.name == name or blob.name.startswith(folder)
            if inside and not blob.name.endswith("/"):
                yield _listed(blob)


def matching(pattern: str) -> Iterator[Blob]:
    """Yield the objects that match a glob, with the rules of Beam: ``**`` crosses folders.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    from apache_beam.io.filesystem import FileSystem  # takes a second, which local paths need not wait for

    _, name = cloud.split(pattern)
    literal = re.split(r"[*?[]", name, maxsplit=1)[0]
    matches = re.compile(FileSystem.translate_pattern(pattern)).match
    for page, _ in _pages(pattern, literal):
        for found in map(_listed, page):
            if matches(found.uri) and not found.uri.endswith("/"):
                yield found


def _listed(blob: storage.Blob) -> Blob:
    changed = blob.updated.timestamp() if blob.updated else 0.0
    return Blob(
        uri=f"{SCHEME}{blob.bucket.name}/{blob.name}",
        size=int(blob.size),
        generation=int(blob.generation),
        changed=changed,
    )


def find(uri: str, neighbours: Neighbours | None = None) -> Blob | None:
    """Look up an object by name; return None if the object or the bucket does not exist.

    Args:
        uri: of the object.
        neighbours: other objects of the input, where this object alone may be forbidden.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the object is the only one that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    if not cloud.split(uri)[1]:
        return None
    blob = cloud.blob(uri)
    try:
        with patiently(uri, neighbours=neighbours) as attempts:
            blob.reload(retry=attempts.retry, timeout=TIMEOUT)
    except NotFound:
        return None
    return _listed(blob)


def write(uri: str, file: bytes | BinaryIO, check: Callable[[], None] | None = None) -> None:
    """Write an object whole or not at all; if several writers race, each writes a whole object and the last one wins.

    Nothing is written if the same bytes are there already, from another worker or from a request of this one whose
    answer was lost.

    Args:
        uri: of the object.
        file: the data; a file is written from its start, wherever its position is.
        check: called before each request that writes; an exception from it stops the write.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    generation = 0
    for _ in range(_RACES):
        if check is not None:
            check()
        if replace(uri, file, generation):
            return
        with patiently(uri) as attempts:
            there = cloud.blob(uri)
            try:
                there.reload(retry=attempts.retry, timeout=TIMEOUT)
            except NotFound:
                generation = 0
                continue
        file.seek(0)
        if b64decode(there.crc32c) == _crc32c(file):
            return
        generation = int(there.generation)
    raise OutageError(f"other programs keep writing {uri}; let one run at a time write there")


def create(uri: str, data: bytes) -> bool:
    """Write an object only if there is none; if several writers race, one succeeds.

    Returns:
        whether it was written; False if an object exists already.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    return replace(uri, io.BytesIO(data), 0)


def replace(uri: str, file: BinaryIO, generation: int) -> bool:
    """Replace an object of the given generation (0: there is none); return False if it has another generation.

    The result is also False if the answer is lost and the repeated request finds the object that the first one wrote.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    return upload(uri, file, generation) is not None


def upload(uri: str, file: BinaryIO, generation: int, metadata: dict[str, str] | None = None) -> int | None:
    """Do what `replace` does, with optional custom metadata; return the new generation, or None instead of False."""
    blob = cloud.blob(uri)
    blob.metadata = metadata
    try:
        with _kept(uri), patiently(uri, is_awaited=False) as attempts:
            # With a known size, up to 8 MB take one request. The bucket verifies the checksum.
            blob.upload_from_file(
                file,
                rewind=True,
                content_type=content_types.of(uri),
                size=file.seek(0, io.SEEK_END),
                if_generation_match=generation,
                checksum="crc32c",
                retry=attempts.retry,
                timeout=TIMEOUT,
            )
    except PreconditionFailed:
        return None
    return int(blob.generation)


@contextlib.contextmanager
def _kept(uri: str) -> Iterator[None]:
    """Turn a refusal that comes from a retention policy or a hold into an error that says so."""
    try:
        yield
    except DeniedError as error:
        if what := holds.of_object(uri):
            remedy = "leave it with --keep_existing, or start again later"
            raise DeniedError(f"{uri} cannot be replaced or removed: {what} keeps it; {remedy}") from error
        raise


def _crc32c(file: BinaryIO) -> bytes:
    checksum = google_crc32c.Checksum()
    for _ in checksum.consume(file, 1 << 20):
        pass
    return bytes(checksum.digest())


def delete(uris: Iterable[str]) -> None:
    """Delete objects in parallel; missing ones are ignored.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    with ThreadPoolExecutor(_DELETED_AT_ONCE) as pool:
        # Each call keeps the caller's context, which may want refusals at once (`pipelines.files.cloud.at_launch`).
        for deleted in [pool.submit(copy_context().run, _delete, uri) for uri in uris]:
            deleted.result()


def _delete(uri: str) -> None:
    with _kept(uri), patiently(uri) as attempts, contextlib.suppress(NotFound):
        cloud.blob(uri).delete(retry=attempts.retry, timeout=TIMEOUT)


def remove(uri: str, generation: int) -> None:
    """Delete an object if it still has that generation. Raises what `delete` raises."""
    with _kept(uri), patiently(uri) as attempts, contextlib.suppress(NotFound, PreconditionFailed):
        cloud.blob(uri).delete(if_generation_match=generation, retry=attempts.retry, timeout=TIMEOUT)
