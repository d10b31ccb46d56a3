"""List, find, write and delete objects. An object is written whole or not at all.

Beam's file systems list a bucket in one go, overwrite existing objects, and rename by copying. Here one request writes
an object, and the bucket carries it out only if the existing object still has the expected generation. Requests can
therefore be repeated (`pipelines.files.cloud`), and when two writers race for an object, each leaves a complete one.
`pipelines.files.bucket_reads` reads the contents of objects.
"""

import contextlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import pairwise
from types import MappingProxyType
from typing import BinaryIO

from pipelines.files import blobs, holds, spans, stores
from pipelines.files.blobs import NONE, Blob, Generation, Page
from pipelines.files.cloud import patiently
from pipelines.files.neighbours import Neighbours
from pipelines.files.patience import Attempts
from pipelines.files.spans import Span
from tfrecords.errors import DeniedError, OutageError, WorldError

_DELETED_AT_ONCE = 16
_RACES = 10


def _pages(uri: str, prefix: str, delimiter: str = "") -> Iterator[Page]:
    """Yield a listing page by page: the objects of the page, and all subfolders so far.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    under_way: list[Attempts] = []
    # Each page has its own attempts; the time between two pages is spent by the caller.
    pages = stores.of(uri).pages(uri, prefix, delimiter, lambda request: under_way[-1].retry(request))  # noqa: PLW0108 (the last one of its time)
    while True:
        with patiently(uri) as attempts:
            under_way[:] = [attempts]
            page = next(pages, None)
        if page is None:
            return
        yield page


def pages(folder: str) -> Iterator[tuple[list[Blob], list[str]]]:
    """Yield the direct contents of a folder, page by page: objects, and subfolders with a trailing slash.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    _, prefix = blobs.split(folder.rstrip("/") + "/")
    known: set[str] = set()
    for page, prefixes in _pages(folder, prefix, "/"):
        subfolders = sorted(prefixes - known)
        known.update(subfolders)
        files = [blob for blob in page if not blob.uri.endswith("/")]
        yield files, [f"{blobs.bucket_of(folder)}/{subfolder}" for subfolder in subfolders]


def below(uri: str) -> Iterator[Blob]:
    """Yield the objects below a folder, or the one object with that name, in pages of 1,000.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    bucket, name = blobs.bucket_of(uri), blobs.split(uri)[1]
    whole = f"{bucket}/{name}"
    folder = whole.rstrip("/") + "/"
    for page, _ in _pages(uri, name):
        for blob in page:
            inside = blob.uri == whole or blob.uri.startswith(folder)
            if inside and not blob.uri.endswith("/"):
                yield blob


def divided(folder: str, after: str) -> list[Span]:
    """Return ranges of the names below a folder that come after a name, for workers that list them (`between`).

    Returns:
        [] if the store cannot list ranges, or does not list names in order.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """

    def ask(name: str, number: int) -> tuple[list[str], bool]:
        found, more = _after(folder, name, number)
        return [blobs.split(blob.uri)[1] for blob in found], more

    try:
        return spans.spans(Span(after), ask)
    except _UnorderedError:
        return []


def between(folder: str, span: Span) -> Iterator[Blob]:
    """Yield the objects below a folder whose names are in a range.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`; or the store does not list names in order.
    """
    name, more = span.after, True
    while more:
        found, more = _after(folder, name)
        for blob in found:
            name = blobs.split(blob.uri)[1]
            if not span.has(name):
                return
            if not name.endswith("/"):
                yield blob


class _UnorderedError(WorldError):
    """The store does not list names in the order of UTF-8, from a name on."""


def _after(folder: str, name: str, number: int = 0) -> tuple[list[Blob], bool]:
    _, prefix = blobs.split(folder.rstrip("/") + "/")
    with patiently(folder) as attempts:
        found = stores.of(folder).after(folder, prefix, name, number, attempts)
    names = [name, *(blobs.split(blob.uri)[1] for blob in found[0])] if found else []
    if found is None or any(one >= two for one, two in pairwise(names)):
        raise _UnorderedError(f"{folder}: the store lists names out of order; name the photos in a list")
    return found


def matching(pattern: str) -> Iterator[Blob]:
    """Yield the objects that match a glob, with the rules of Beam: ``**`` crosses folders.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    from apache_beam.io.filesystem import FileSystem  # takes a second, which local paths need not wait for

    _, name = blobs.split(pattern)
    literal = re.split(r"[*?[]", name, maxsplit=1)[0]
    matches = re.compile(FileSystem.translate_pattern(pattern)).match
    for page, _ in _pages(pattern, literal):
        for found in page:
            if matches(found.uri) and not found.uri.endswith("/"):
                yield found


def find(uri: str, neighbours: Neighbours | None = None) -> Blob | None:
    """Look up an object by name; return None if the object or the bucket does not exist.

    Args:
        uri: of the object.
        neighbours: other objects of the input, where this object alone may be forbidden.

    Raises:
        storage.io_errors: the object is the only one that is forbidden.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    if not blobs.split(uri)[1]:
        return None
    with patiently(uri, neighbours=neighbours) as attempts:
        return stores.of(uri).stat(uri, attempts)


def write(uri: str, file: bytes | BinaryIO, check: Callable[[], None] | None = None) -> None:
    """Write an object whole or not at all; if several writers race, each writes a whole object and the last one wins.

    Nothing is written if the same bytes are there already, from another worker or from a request of this one whose
    answer was lost.

    Args:
        uri: of the object.
        file: the data; a file is written from its start, wherever its position is.
        check: called before each request that writes; an exception from it stops the write.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    generation: Generation = NONE
    for _ in range(_RACES):
        if check is not None:
            check()
        if replace(uri, file, generation):
            return
        there = find(uri)
        if there is None:
            generation = NONE
            continue
        file.seek(0)
        if there.checksum and there.checksum == stores.of(uri).checksum(file):
            return
        generation = there.generation
    raise OutageError(f"other programs keep writing {uri}; let one run at a time write there")


def create(uri: str, data: bytes) -> bool:
    """Write an object only if there is none; if several writers race, one succeeds.

    Returns:
        whether it was written; False if an object exists already.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    return replace(uri, io.BytesIO(data), NONE)


def replace(uri: str, file: BinaryIO, generation: Generation) -> bool:
    """Replace an object of the given generation (`blobs.NONE`: there is none); return False if it has another one.

    The result is also False if the answer is lost and the repeated request finds the object that the first one wrote.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    return upload(uri, file, generation) is not None


def upload(
    uri: str, file: BinaryIO, generation: Generation, metadata: Mapping[str, str] = MappingProxyType({})
) -> Generation | None:
    """Do what `replace` does, with optional custom metadata; return the new generation, or None instead of False."""
    with _kept(uri), patiently(uri, is_awaited=False) as attempts:
        return stores.of(uri).upload(uri, file, generation, metadata, attempts)


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


def delete(uris: Iterable[str]) -> None:
    """Delete objects in parallel; missing ones are ignored.

    Raises:
        storage.io_errors: the bucket is missing.
        WorldError: see `pipelines.files.cloud.patiently`.
    """
    with ThreadPoolExecutor(_DELETED_AT_ONCE) as pool:
        # Each call keeps the caller's context, which may want refusals at once (`pipelines.files.cloud.at_launch`).
        for deleted in [pool.submit(copy_context().run, _delete, uri) for uri in uris]:
            deleted.result()


def _delete(uri: str) -> None:
    with _kept(uri), patiently(uri) as attempts:
        stores.of(uri).delete(uri, None, attempts)


def remove(uri: str, generation: Generation) -> None:
    """Delete an object if it still has that generation. Raises what `delete` raises."""
    with _kept(uri), patiently(uri) as attempts:
        stores.of(uri).delete(uri, generation, attempts)
