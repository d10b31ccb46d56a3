"""Requests to Cloud Storage, in Google's library, which resumes uploads and downloads in the middle."""

import io
import shlex
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO
from urllib.parse import quote

import google_crc32c
from google.api_core.exceptions import NotFound, PreconditionFailed, RequestRangeNotSatisfiable
from google.api_core.retry import if_exception_type
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption

from model import google_cloud
from model.google_cloud import SCHEME, TIMEOUT, client, split
from pipelines.files import content_types, hashes, marks, store_settings
from pipelines.files.blobs import Blob, Generation, Page
from pipelines.files.patience import Attempts


class CloudStorage:
    """Cloud Storage; see `pipelines.files.blobs.ObjectStore`."""

    scheme = SCHEME
    title = "Cloud Storage"
    checksum_kind = "crc32c"
    is_compatible = False

    def pages(self, uri: str, prefix: str, delimiter: str, retry: Callable[[Any], Any]) -> Iterator[Page]:
        """Yield a listing page by page."""
        options = {"delimiter": delimiter} if delimiter else {}
        listing = client().list_blobs(_bucket(uri), prefix=prefix, timeout=TIMEOUT, retry=retry, **options)
        for page in listing.pages:
            yield list(map(_listed, page)), listing.prefixes

    def after(self, uri: str, prefix: str, name: str, number: int, attempts: Attempts) -> tuple[list[Blob], bool]:
        """Return the objects after a name."""
        # A listing from a name on has that name as well.
        options = {"page_size": number + 1} if number else {}
        listing = client().list_blobs(
            _bucket(uri), prefix=prefix, start_offset=name, timeout=TIMEOUT, retry=attempts.retry, **options
        )
        for page in listing.pages:  # one without objects may come before others
            if found := [blob for blob in map(_listed, page) if split(blob.uri)[1] != name]:
                return found, bool(listing.next_page_token)
        return [], False

    def stat(self, uri: str, attempts: Attempts) -> Blob | None:
        """Look up an object."""
        blob = _blob(uri)
        try:
            blob.reload(retry=attempts.retry, timeout=TIMEOUT)
        except NotFound:
            return None
        return _listed(blob, is_whole=True)

    def read(self, uri: str, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return the bytes of an object after verifying their crc32c."""
        again = attempts.retry.with_predicate(if_exception_type(DataCorruption))
        return bytes(again(_read)(uri, generation, attempts))

    def read_range(self, uri: str, start: int, size: int, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return a range of an object. There is no checksum for a part; TLS protects it in transit."""
        arrived = Arrived(attempts)
        _blob(uri).download_to_file(
            arrived,
            start=start,
            end=start + size - 1,
            raw_download=True,
            if_generation_match=generation,
            checksum=None,
            retry=attempts.retry,
            timeout=TIMEOUT,
        )
        return arrived.getvalue()

    def upload(
        self, uri: str, file: BinaryIO, generation: Generation, metadata: Mapping[str, str], attempts: Attempts
    ) -> Generation | None:
        """Write an object."""
        blob = _blob(uri)
        blob.metadata = dict(metadata) or None
        try:
            # With a known size, up to 8 MB take one request. The bucket verifies the checksum.
            blob.upload_from_file(
                file,
                rewind=True,
                content_type=content_types.of(uri),
                size=file.seek(0, io.SEEK_END),
                if_generation_match=int(generation),
                checksum="crc32c",
                retry=attempts.retry,
                timeout=TIMEOUT,
            )
        except PreconditionFailed:
            return None
        return int(blob.generation)

    def delete(self, uri: str, generation: Generation | None, attempts: Attempts) -> None:
        """Delete an object."""
        condition = {} if generation is None else {"if_generation_match": int(generation)}
        try:
            _blob(uri).delete(retry=attempts.retry, timeout=TIMEOUT, **condition)
        except (NotFound, PreconditionFailed):
            return

    def start_upload(self, uri: str, attempts: Attempts) -> None:
        """Start an upload and send nothing."""
        _blob(uri).create_resumable_upload_session(size=0, retry=attempts.retry, timeout=TIMEOUT)

    def checksum(self, file: BinaryIO) -> str:
        """Return the crc32c of the rest of a file, in base64."""
        return hashes.crc32c(file)

    def opens(self, uri: str) -> bool:
        """Request one byte."""
        try:
            _blob(uri).download_to_file(io.BytesIO(), start=0, end=0, raw_download=True, checksum=None, retry=None)
        except RequestRangeNotSatisfiable:  # an empty object that may be read
            return True
        return True

    def beside(self, uri: str, number: int) -> list[str]:
        """Return a few objects of the same folder."""
        bucket, name = split(uri)
        folder = name.rpartition("/")[0]
        options = {"prefix": f"{folder}/" if folder else "", "max_results": number, "timeout": TIMEOUT, "retry": None}
        return [f"{SCHEME}{bucket}/{blob.name}" for blob in client().list_blobs(_bucket(uri), **options)]

    def refusal(self, uri: str, cause: str) -> str:
        """Return in words that access is refused."""
        return google_cloud.refusal(uri, cause)

    def check(self, flag: str, uri: str, attempts: Attempts) -> None:
        """Check that a folder can be listed."""
        google_cloud.check(flag, uri, attempts.retry, store_settings.current().billing_project)

    def protection(self, uri: str, attempts: Attempts) -> str:
        """Return the retention policy or hold that keeps an object. Its metadata say so; a refusal need not."""
        blob = _blob(uri)
        try:
            blob.reload(retry=attempts.retry, timeout=TIMEOUT)
        except NotFound:
            return ""
        if blob.temporary_hold or blob.event_based_hold:
            return "a hold"
        times = (blob.retention_expiration_time, blob.retention.retain_until_time)
        until = [time for time in times if time is not None]
        return f"a retention policy, until {max(until):%Y-%m-%d}" if until else ""

    def protection_of_bucket(self, uri: str, attempts: Attempts) -> str:
        """Return the retention policy or default hold of a bucket."""
        bucket = _bucket(uri)
        bucket.reload(retry=attempts.retry, timeout=TIMEOUT)
        if bucket.retention_period:
            return "its retention policy"
        return "its default hold" if bucket.default_event_based_hold else ""

    def address(self, folder: str) -> str:
        """Return the address of a folder, which Google shows to whoever has rights to it."""
        return f"https://storage.cloud.google.com/{quote(folder.removeprefix(SCHEME))}/"

    def copy_command(self, folder: str, names: Sequence[str]) -> str:
        """Return the command that copies files to ``./page``."""
        return f"mkdir -p page && gcloud storage cp -r {' '.join(shlex.quote(f'{folder}/{one}') for one in names)} page"


def _blob(uri: str) -> storage.Blob:
    """Return an object without asking the bucket about it."""
    return _bucket(uri).blob(split(uri)[1])


def _bucket(uri: str) -> storage.Bucket:
    """Return a bucket without asking about it, with the project that pays for requests."""
    return client().bucket(split(uri)[0], user_project=store_settings.current().billing_project)


def _listed(blob: storage.Blob, *, is_whole: bool = False) -> Blob:
    return Blob(
        uri=f"{SCHEME}{blob.bucket.name}/{blob.name}",
        size=int(blob.size),
        generation=int(blob.generation),
        changed=blob.updated.timestamp() if blob.updated else 0.0,
        checksum=(blob.crc32c or "") if is_whole else "",
        mark=(blob.metadata or {}).get(marks.KEY, "") if is_whole else "",
    )


def _read(uri: str, generation: Generation | None, attempts: Attempts) -> bytes:
    blob = _blob(uri)
    arrived = Arrived(attempts)
    options = {"if_generation_match": generation, "retry": attempts.retry, "timeout": TIMEOUT}
    blob.download_to_file(arrived, checksum=None, **options)
    data = arrived.getvalue()
    if blob.content_encoding != "gzip":  # compressed objects arrive unpacked, so their checksum does not apply
        if blob.crc32c is None:
            blob.reload(**{**options, "if_generation_match": blob.generation or generation})
        # The library verifies nothing after an interrupted download was resumed.
        if google_crc32c.Checksum(data).digest() != b64decode(blob.crc32c):
            raise DataCorruption(None, f"{uri} arrived with a wrong checksum")
    return data


class Arrived(io.BytesIO):
    """The bytes of a download that have arrived; each part proves that the bucket still answers."""

    def __init__(self, attempts: Attempts) -> None:
        super().__init__()
        self._attempts = attempts

    def write(self, data: Any, /) -> int:
        """Add bytes."""
        self._attempts.alive()
        return super().write(data)
