"""Find the photos that a list names.

A photo below the root of the list is named by its path below the root. Any other photo is named by its whole path, with
the bucket or the host first: ``/archive/box/a.tif`` is ``archive/box/a.tif``. Two photos may get the same name in
this way; `pipelines.archive.naming` then gives one of them a number.
"""

import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from itertools import islice
from typing import TypeVar
from urllib.parse import unquote

from pipelines import notices
from pipelines.errors import Rejected
from pipelines.files import buckets, faults, list_parts, list_rows, local_listing, patience, storage, tars, web
from pipelines.files.faults import Fault
from pipelines.files.list_parts import Part
from pipelines.files.list_rows import Row
from pipelines.files.local_listing import Listed
from tfrecords.errors import UserError

MISSING = "missing"
_LOOKED_UP_AT_ONCE = 16
_REMEMBERED = 4
T = TypeVar("T")


def parts(whole: Part) -> Iterator[Part]:
    """Yield the parts of a list; see `list_parts.parts`."""
    with storage.opened(whole.uri) as file:
        yield from list_parts.parts(file, whole)


def listed(part: Part) -> Iterator[Listed]:
    """Yield the photos of a part of a list with their names; those that do not exist have a fault.

    Raises:
        UserError: the list is damaged, or names something that is neither local nor in a bucket.
        WorldError: the disk or the bucket fails, or rights are lost.
    """
    with storage.opened(part.uri) as file:
        rows = _named(list_rows.rows(file, part), part)
        for found in _each(rows, lambda row: _found(row, part)):
            yield from found


def first(part: Part, number: int) -> Iterator[str]:
    """Yield the paths or URIs of the first photos of a part of a list, whether they exist or not."""
    with storage.opened(part.uri) as file:
        for row in islice(_named(list_rows.rows(file, part), part), number):
            yield _path(row, part)


def exists(uri: str) -> bool:
    """Return whether a path or URI that a list names leads to a file, an object or a folder."""
    found = next(_at(uri), None)
    return found is None or found.reason != MISSING


def _named(rows: Iterable[Row], part: Part) -> Iterator[Row]:
    """Yield the rows that name a photo."""
    for row in rows:
        if row.path:
            yield row
        else:
            notices.tell(f"rows of {part.uri}", f"{part.uri} has rows that name no photo; they are skipped")


def _each(rows: Iterable[Row], work: Callable[[Row], T]) -> Iterator[T]:
    """Yield the results for all rows in their order; those in a bucket are looked up side by side."""
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(_LOOKED_UP_AT_ONCE) as pool:
        for row in rows:
            if waiting or storage.is_remote(row.path):
                # Each call keeps the caller's context, as in `buckets.delete`.
                waiting.append(pool.submit(copy_context().run, work, row))
                if len(waiting) > 2 * _LOOKED_UP_AT_ONCE:
                    yield waiting.popleft().result()
            else:
                yield work(row)
        while waiting:
            yield waiting.popleft().result()


def _path(row: Row, part: Part) -> str:
    """Return the path or URI that a row names."""
    path = row.path
    if path.startswith("file://"):
        path = unquote(f"/{path.removeprefix('file://').partition('/')[2]}", errors="surrogateescape")
    if storage.is_remote(path) or path.startswith("/"):
        return path
    # Records of an earlier run name photos as that run was given them.
    root = part.root or ("" if row.name else os.path.dirname(part.uri))  # noqa: PTH120 (URIs stay as they are)
    if not storage.is_remote(root):
        return os.path.normpath(os.path.join(root, path))  # noqa: PTH118 (called once a photo)
    scheme, _, place = root.rstrip("/").partition("://")
    bucket, _, folder = place.partition("/")
    return f"{scheme}://{bucket}{os.path.normpath(f'/{folder}/{path}')}"


def _name(path: str, part: Part) -> str:
    """Return the name of a photo, see the top of the module."""
    root = part.root or os.path.dirname(part.uri)  # noqa: PTH120 (as above)
    if storage.is_remote(path):
        below = f"{root.rstrip('/')}/"
        return part.folder + path.removeprefix(below) if path.startswith(below) else path.partition("://")[2]
    below = f"{os.path.abspath(root).rstrip('/')}/"  # noqa: PTH100 (as above)
    whole = os.path.abspath(path)  # noqa: PTH100 (as above)
    return part.folder + whole.removeprefix(below) if whole.startswith(below) else whole.lstrip("/")


def _found(row: Row, part: Part) -> list[Listed]:
    """Return what a row names: a photo, or the photos in a folder."""
    path = _path(row, part)
    found = list(_at(path))
    if row.name and tars.is_tar(path) and not tars.is_tar(row.name) and row.offset is None:
        raise UserError(
            f"{part.uri} names photos in {path} without their places; "
            "use the folder `manifest` beside it as --input, or --retry"
        )
    if row.offset is None:
        return [replace(one, name=row.name or _name(one.uri, part)) for one in found]
    return [_in_tar(one, row) for one in found]


def _in_tar(tar: Listed, row: Row) -> Listed:
    """Return a photo in a tar, whose place is known from an earlier run."""
    fingerprint = f"{tar.fingerprint}-{row.offset}-{row.size}"
    fault, reason = tar.fault, tar.reason
    if not fault and fingerprint != row.fingerprint:
        fault = f"{tar.uri} has changed since the record was written; name the tar itself"
        reason = "unreadable"
    return Listed(
        uri=tar.uri,
        name=row.name,
        size=row.size,
        offset=row.offset,
        fingerprint=fingerprint,
        generation=tar.generation,
        fault=fault,
        reason=reason,
    )


def _at(path: str) -> Iterator[Listed]:
    if web.is_url(path):
        return iter([_on_web(path)])
    return _in_bucket(path) if storage.is_remote(path) else _on_disk(path)


def _on_web(url: str) -> Listed:
    try:
        if tars.is_tar(web.path_of(url)):
            raise Rejected("unreadable", f"{url}: tars are not read from the web; download it, and name the file")
        page = web.look_up(url)
    except Rejected as verdict:
        return Listed(uri=url, fault=verdict.detail, reason=verdict.reason)
    return Listed(uri=page.uri, size=page.size, fingerprint=f"{page.size}-{page.tag}")


class _Known:
    """Files on disks that this process found, to tell a photo that is gone from a disk that was unmounted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)

    def add(self, path: str) -> None:
        path = os.path.abspath(path)  # noqa: PTH100 (called once a photo; the process may move to another folder)
        with self._lock:
            if path not in self._recent:
                self._recent.append(path)

    def are_gone(self) -> bool:
        """Return whether files were found before, and none of them is there now."""
        with self._lock:
            recent = tuple(self._recent)
        return bool(recent) and not any(map(os.path.lexists, recent))


_KNOWN = _Known()


def _on_disk(path: str) -> Iterator[Listed]:
    def is_retried(error: Exception) -> bool:
        return patience.is_passing(error) or (faults.of(error) is Fault.PHOTO and _KNOWN.are_gone())

    try:
        found = patience.locally(path, lambda: os.stat(path), is_retried)  # noqa: PTH116 (as above)
    except (OSError, ValueError) as error:
        reason = MISSING if faults.of(error) is Fault.PHOTO else "unreadable"
        cause = faults.cause(error)
        yield Listed(uri=path, fault=f"{path}: {cause[:1].lower()}{cause[1:]}", reason=reason)
        return
    if stat.S_ISDIR(found.st_mode):
        yield from local_listing.below(path, path)
    elif stat.S_ISREG(found.st_mode):
        _KNOWN.add(path)
        yield Listed(uri=path, size=found.st_size, fingerprint=f"{found.st_size}-{found.st_mtime_ns}")
    else:
        yield Listed(uri=path, fault=f"{path} is not a regular file")


def _in_bucket(uri: str) -> Iterator[Listed]:
    if not storage.is_in_bucket(uri):
        raise UserError(
            f"{uri} in a list is not supported; name local files, objects (gs://, s3://, az://) or https://HOST/PATH"
        )
    try:
        found = buckets.find(uri)
    except storage.io_errors() as error:
        yield Listed(uri=uri, fault=f"{uri}: {faults.cause(error)}")
        return
    blobs = [found] if found else buckets.below(f"{uri.rstrip('/')}/")
    is_empty = True
    for blob in blobs:
        is_empty = False
        yield Listed(uri=blob.uri, size=blob.size, fingerprint=blob.fingerprint, generation=blob.generation)
    if is_empty:
        yield Listed(uri=uri, fault=f"{uri}: no such object", reason=MISSING)
