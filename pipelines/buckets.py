"""Cloud Storage: listed by prefix, read whole or by range, written whole or not at all, whatever the network does.

Beam's file systems list a bucket in one go, write over what is there, and rename by copying. Here an object is written
by one request, which the bucket carries out only if the object is still the one that was there (its generation); so a
request may be repeated, and of two writers of one object each leaves a whole one.

Requests that fail with 408, 429, 500, 502, 503 or 504, and cut connections, are tried again for five minutes, after
pauses at random below a limit that grows from a quarter of a second to 32. A read that was cut goes on in the middle of
the object. After that it is an `OutageError`, which is nobody's photo's fault and ends the job.
"""

import contextlib
import errno
import io
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import google_crc32c
from apache_beam.io.filesystem import FileSystem
from google.api_core.exceptions import NotFound, PreconditionFailed, RetryError, ServerError, TooManyRequests
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError, TransportError
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import RequestException

SCHEME = "gs://"
_SECONDS = 300.0
_RETRY = DEFAULT_RETRY.with_delay(initial=0.25, maximum=32, multiplier=2).with_timeout(_SECONDS)
# Bytes that arrived and are not those that were stored.
_REREAD = Retry(if_exception_type(DataCorruption), initial=0.25, maximum=32, multiplier=2, timeout=_SECONDS)
_DELETED_AT_ONCE = 16
_RACES = 10
# Listing a tar skips what it holds: with less, there is a request a member; with more, all of a tar of scans is read.
_BUFFER = 4 << 20


class OutageError(RuntimeError):
    """Cloud Storage did not answer, or not as it should, for five minutes."""


@dataclass(frozen=True)
class Blob:
    """An object in a bucket: its URI, bytes, and generation, which is another one after every write.

    ``changed`` is the time of that write by the clock of Cloud Storage, in seconds since 1970.
    """

    uri: str
    size: int
    generation: int
    changed: float = 0.0


@cache
def _client() -> storage.Client:
    """A client with the credentials of the environment; without any, one for public buckets.

    STORAGE_EMULATOR_HOST is honoured, as by Beam.
    """
    try:
        return storage.Client()
    except DefaultCredentialsError:
        return storage.Client.create_anonymous_client()


def _split(uri: str) -> tuple[str, str]:
    """Bucket and name."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    return bucket, name


def _blob(uri: str) -> storage.Blob:
    """An object of which nothing is known yet."""
    bucket, name = _split(uri)
    return _client().bucket(bucket).blob(name)


@contextlib.contextmanager
def _patience(uri: str) -> Iterator[None]:
    """Tells an outage from what is wrong with an object."""
    try:
        yield
    except (RetryError, ServerError, TooManyRequests, TransportError, RequestException, DataCorruption) as error:
        cause = str(error.__cause__ or error).strip().partition("\n")[0]
        raise OutageError(f"{uri}: Cloud Storage fails ({cause}); start again later") from error


def pages(folder: str) -> Iterator[tuple[list[Blob], list[str]]]:
    """Yields what lies directly below a folder, page by page: its objects, and its subfolders with a last slash.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    bucket, prefix = _split(folder.rstrip("/") + "/")
    with _patience(folder):
        known: set[str] = set()
        listing = _client().list_blobs(bucket, prefix=prefix, delimiter="/", retry=_RETRY)
        for page in listing.pages:
            blobs = [_listed(blob) for blob in page if not blob.name.endswith("/")]
            subfolders = sorted(listing.prefixes - known)
            known.update(subfolders)
            yield blobs, [f"{SCHEME}{bucket}/{subfolder}" for subfolder in subfolders]


def below(uri: str) -> Iterator[Blob]:
    """Yields the objects below a folder, or the one object of that name, a page of 1,000 at a time.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    bucket, name = _split(uri)
    folder = name.rstrip("/") + "/" if name else ""
    with _patience(uri):
        for blob in _client().list_blobs(bucket, prefix=name, retry=_RETRY):
            inside = blob.name == name or blob.name.startswith(folder)
            if inside and not blob.name.endswith("/"):
                yield _listed(blob)


def matching(pattern: str) -> Iterator[Blob]:
    """Yields the objects that a glob matches, as Beam reads globs: ``**`` crosses folders.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    bucket, name = _split(pattern)
    literal = re.split(r"[*?[]", name, maxsplit=1)[0]
    matches = re.compile(FileSystem.translate_pattern(pattern)).match
    with _patience(pattern):
        for blob in _client().list_blobs(bucket, prefix=literal, retry=_RETRY):
            found = _listed(blob)
            if matches(found.uri) and not found.uri.endswith("/"):
                yield found


def _listed(blob: storage.Blob) -> Blob:
    changed = blob.updated.timestamp() if blob.updated else 0.0
    return Blob(f"{SCHEME}{blob.bucket.name}/{blob.name}", int(blob.size), int(blob.generation), changed)


def find(uri: str) -> Blob | None:
    """An object, asked for by its name; None where there is none, or no bucket.

    Raises:
        google.api_core.exceptions.GoogleAPIError: it is forbidden.
        OutageError: see there.
    """
    bucket, name = _split(uri)
    with _patience(uri):
        blob = _client().bucket(bucket).get_blob(name, retry=_RETRY) if name else None
    return _listed(blob) if blob is not None else None


def read(uri: str, generation: int | None = None) -> bytes:
    """The bytes of an object, whose checksum (crc32c) was compared; one request where nothing goes wrong.

    Args:
        uri: of the object.
        generation: that it must have; None for any.

    Raises:
        google.api_core.exceptions.GoogleAPIError: it is missing, forbidden, or of another generation.
        OutageError: see there.
    """
    with _patience(uri):
        return bytes(_REREAD(_read)(uri, generation))


def _read(uri: str, generation: int | None) -> bytes:
    blob = _blob(uri)
    data: bytes = blob.download_as_bytes(if_generation_match=generation, checksum=None, retry=_RETRY)
    if blob.content_encoding != "gzip":  # what is stored compressed arrives unpacked
        if blob.crc32c is None:
            blob.reload(if_generation_match=blob.generation or generation, retry=_RETRY)
        # The library compares nothing once a download was cut and went on.
        if google_crc32c.Checksum(data).digest() != b64decode(blob.crc32c):
            raise DataCorruption(None, f"{uri} arrived with a wrong checksum")
    return data


class _Reader(io.RawIOBase):
    """An object open for reading, every request a range of the same generation."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._position = offset + (0, self._position, self._blob.size)[whence]
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        size = max(0, min(len(buffer), self._blob.size - self._position))
        buffer[:size] = read_range(self._blob.uri, self._position, size, self._blob.generation)
        self._position += size
        return size

    def readall(self) -> bytes:
        # Which would ask for 8 kB at a time.
        return self.read(max(0, self._blob.size - self._position)) or b""


def opened(uri: str) -> io.BufferedReader:
    """Opens an object for reading by range, 4 MB at a time.

    Raises:
        FileNotFoundError: there is none.
        google.api_core.exceptions.GoogleAPIError: it is forbidden; when reading: it was replaced or deleted.
        OutageError: see there.
    """
    blob = find(uri)
    if blob is None:
        raise FileNotFoundError(errno.ENOENT, "no such object", uri)
    return io.BufferedReader(_Reader(blob), _BUFFER)


def read_range(uri: str, start: int, size: int, generation: int | None = None) -> bytes:
    """Bytes from the midst of an object; one request where nothing goes wrong.

    Cloud Storage tells no checksum of a part, so that what is checked is that all of it came, of one generation; that
    none of it changed on the way is left to TLS.

    Raises:
        ValueError: the object ends before.
        google.api_core.exceptions.GoogleAPIError: it is missing, forbidden, or of another generation.
        OutageError: see there.
    """
    if not size:
        return b""
    with _patience(uri):
        data: bytes = _blob(uri).download_as_bytes(
            start=start,
            end=start + size - 1,
            raw_download=True,
            if_generation_match=generation,
            checksum=None,
            retry=_RETRY,
        )
    if len(data) != size:
        raise ValueError(f"the object ends {size - len(data):,} bytes before the range {start:,} + {size:,}")
    return data


def write(uri: str, file: bytes | BinaryIO) -> None:
    """Writes a whole object, or none; of writers at once each leaves a whole one, and the last one stays.

    Where the bytes are there already, nothing is written: another worker made them, or this one, whose answer got lost.

    Args:
        uri: of the object.
        file: what to write; of a file all of it, wherever it stands.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    generation = 0
    for _ in range(_RACES):
        if replace(uri, file, generation):
            return
        with _patience(uri):
            there = _blob(uri)
            try:
                there.reload(retry=_RETRY)
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
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    return replace(uri, io.BytesIO(data), 0)


def replace(uri: str, file: BinaryIO, generation: int) -> bool:
    """Writes an object in the place of one of that generation, 0 for none; False where there is another one.

    When an answer gets lost, the repeated request finds the object that the first one wrote: that is False as well.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    try:
        with _patience(uri):
            # With the size known, what has up to 8 MB takes one request. The bucket compares the checksum.
            _blob(uri).upload_from_file(
                file,
                rewind=True,
                size=file.seek(0, io.SEEK_END),
                if_generation_match=generation,
                checksum="crc32c",
                retry=_RETRY,
            )
    except PreconditionFailed:
        return False
    return True


def _crc32c(file: BinaryIO) -> bytes:
    checksum = google_crc32c.Checksum()
    for _ in checksum.consume(file, 1 << 20):
        pass
    return bytes(checksum.digest())


def delete(uris: Iterable[str]) -> None:
    """Deletes objects, side by side; what is gone already is passed over.

    Raises:
        google.api_core.exceptions.GoogleAPIError: the bucket is missing or forbidden.
        OutageError: see there.
    """
    with ThreadPoolExecutor(_DELETED_AT_ONCE) as pool:
        for _ in pool.map(_delete, uris):
            pass


def _delete(uri: str) -> None:
    with _patience(uri), contextlib.suppress(NotFound):
        _blob(uri).delete(retry=_RETRY)


def remove(uri: str, generation: int) -> None:
    """Deletes an object of that generation; leaves any other one alone. Raises what ``delete`` raises."""
    with _patience(uri), contextlib.suppress(NotFound, PreconditionFailed):
        _blob(uri).delete(if_generation_match=generation, retry=_RETRY)
