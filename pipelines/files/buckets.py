"""Cloud Storage: listed by prefix, read whole or by range, written whole or not at all, whatever the network does.

Beam's file systems list a bucket in one go, write over what is there, and rename by copying. Here an object is written
by one request, which the bucket carries out only if the object is still the one that was there (its generation); so a
request may be repeated (`pipelines.files.cloud`), and of two writers of one object each leaves a whole one. What an
object holds is read by `pipelines.files.bucket_reads`.
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
from apache_beam.io.filesystem import FileSystem
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from pipelines.files import cloud, holds
from pipelines.files.cloud import SCHEME, TIMEOUT, patiently
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import Attempts
from tfrecords.errors import DeniedError, OutageError

_DELETED_AT_ONCE = 16
_RACES = 10


@dataclass(frozen=True)
class Blob:
    """An object in a bucket: its URI, bytes, and generation, which is another one after every write.

    ``changed`` is the time of that write by the clock of Cloud Storage, in seconds since 1970.
    """

    uri: str
    size: int
    generation: int
    changed: float = 0.0


def _pages(uri: str, prefix: str, **options: str) -> Iterator[tuple[list[storage.Blob], set[str]]]:
    """Yields a listing page by page: objects, and the subfolders met so far.

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
        # Each page has attempts of its own; the time between two pages is the caller's.
        retry=lambda request: under_way[-1].retry(request),
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
    """Yields what lies directly below a folder, page by page: its objects, and its subfolders with a last slash.

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
    """Yields the objects below a folder, or the one object of that name, a page of 1,000 at a time.

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
    """Yields the objects that a glob matches, as Beam reads globs: ``**`` crosses folders.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    _, name = cloud.split(pattern)
    literal = re.split(r"[*?[]", name, maxsplit=1)[0]
    matches = re.compile(FileSystem.translate_pattern(pattern)).match
    for page, _ in _pages(pattern, literal):
        for found in map(_listed, page):
            if matches(found.uri) and not found.uri.endswith("/"):
                yield found


def _listed(blob: storage.Blob) -> Blob:
    changed = blob.updated.timestamp() if blob.updated else 0.0
    return Blob(f"{SCHEME}{blob.bucket.name}/{blob.name}", int(blob.size), int(blob.generation), changed)


def find(uri: str, neighbours: Neighbours | None = None) -> Blob | None:
    """An object, asked for by its name; None where there is none, or no bucket.

    Args:
        uri: of the object.
        neighbours: others of an input, where it alone may be forbidden.

    Raises:
        google.api_core.exceptions.GoogleAPIError: it alone is forbidden.
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
    """Writes a whole object, or none; of writers at once each leaves a whole one, and the last one stays.

    Where the bytes are there already, nothing is written: another worker made them, or this one, whose answer got lost.

    Args:
        uri: of the object.
        file: what to write; of a file all of it, wherever it stands.
        check: called before each request that writes; what it raises ends the writing.

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
    raise OutageError(f"{uri} is written by others all the time; let one run at a time write there")


def create(uri: str, data: bytes) -> bool:
    """Writes an object where there is none; of several writers at once one succeeds.

    Returns:
        whether it was written; False where there is one already.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    return replace(uri, io.BytesIO(data), 0)


def replace(uri: str, file: BinaryIO, generation: int) -> bool:
    """Writes an object in the place of one of that generation, 0 for none; False where there is another one.

    When an answer gets lost, the repeated request finds the object that the first one wrote: that is False as well.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    return upload(uri, file, generation) is not None


def upload(uri: str, file: BinaryIO, generation: int, metadata: dict[str, str] | None = None) -> int | None:
    """Does what ``replace`` does, perhaps with custom metadata; returns the new generation, or None for False."""
    blob = cloud.blob(uri)
    blob.metadata = metadata
    try:
        with _kept(uri), patiently(uri, is_awaited=False) as attempts:
            # With the size known, what has up to 8 MB takes one request. The bucket compares the checksum.
            blob.upload_from_file(
                file,
                rewind=True,
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
    """Tells an object that a retention policy or a hold keeps from a right that is missing."""
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
    """Deletes objects, side by side; what is gone already is passed over.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    with ThreadPoolExecutor(_DELETED_AT_ONCE) as pool:
        # Each with the context of the caller, who may want refusals at once (`pipelines.files.cloud.at_launch`).
        for deleted in [pool.submit(copy_context().run, _delete, uri) for uri in uris]:
            deleted.result()


def _delete(uri: str) -> None:
    with _kept(uri), patiently(uri) as attempts, contextlib.suppress(NotFound):
        cloud.blob(uri).delete(retry=attempts.retry, timeout=TIMEOUT)


def remove(uri: str, generation: int) -> None:
    """Deletes an object of that generation; leaves any other one alone. Raises what ``delete`` raises."""
    with _kept(uri), patiently(uri) as attempts, contextlib.suppress(NotFound, PreconditionFailed):
        cloud.blob(uri).delete(if_generation_match=generation, retry=attempts.retry, timeout=TIMEOUT)
