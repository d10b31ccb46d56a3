"""Requests to S3 and to stores that are compatible with it.

The generation of an object is its ETag. Writes name it with ``If-None-Match`` and ``If-Match``, so the store refuses to
overwrite what another program wrote. Each upload has a crc32c that the store verifies and keeps.
"""

import hashlib
import io
import shlex
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import google_crc32c

from pipelines.files import content_types, hashes, marks, s3_client, store_checks, store_settings
from pipelines.files.blobs import Blob, Generation, Page, StoreError, bucket_of, split
from pipelines.files.patience import Attempts
from pipelines.files.s3_client import translated
from tfrecords.errors import UserError

T = TypeVar("T")
_CHUNK = 1 << 20
_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "ChecksumCRC32C": lambda data: bytes(google_crc32c.Checksum(data).digest()),
    "ChecksumCRC32": lambda data: zlib.crc32(data).to_bytes(4),
    "ChecksumSHA256": lambda data: hashlib.sha256(data).digest(),
    "ChecksumSHA1": lambda data: hashlib.sha1(data).digest(),
}


class S3:
    """S3; see `pipelines.files.blobs.ObjectStore`."""

    scheme = "s3://"
    title = "S3"
    checksum_kind = "crc32c"
    is_compatible = True
    page = 1000
    """How many objects a page of a listing has at most."""

    def pages(self, uri: str, prefix: str, delimiter: str, retry: Callable[[Any], Any]) -> Iterator[Page]:
        """Yield a listing page by page."""
        prefixes: set[str] = set()
        bucket = bucket_of(uri)
        place = {
            "Bucket": split(uri)[0],
            "Prefix": prefix,
            "MaxKeys": self.page,
            **({"Delimiter": delimiter} if delimiter else {}),
        }
        token: dict[str, str] = {}
        while True:
            page = retry(lambda: _asked("list_objects_v2", uri, **place, **token))()  # noqa: B023 (called at once)
            prefixes |= {found["Prefix"] for found in page.get("CommonPrefixes", ())}
            yield [_listed(f"{bucket}/{found['Key']}", found) for found in page.get("Contents", ())], prefixes
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def after(self, uri: str, prefix: str, name: str, number: int, attempts: Attempts) -> tuple[list[Blob], bool]:
        """Return the objects after a name."""
        place = {"Bucket": split(uri)[0], "Prefix": prefix, "MaxKeys": number or self.page, "StartAfter": name}
        page = attempts.retry(lambda: _asked("list_objects_v2", uri, **place))()
        bucket = bucket_of(uri)
        return [_listed(f"{bucket}/{one['Key']}", one) for one in page.get("Contents", ())], bool(
            page.get("IsTruncated")
        )

    def stat(self, uri: str, attempts: Attempts) -> Blob | None:
        """Look up an object."""
        try:
            found = attempts.retry(lambda: _asked("head_object", uri, **_place(uri), ChecksumMode="ENABLED"))()
        except StoreError as error:
            if error.code == 404:
                return None
            raise
        return Blob(
            uri=uri,
            size=int(found["ContentLength"]),
            generation=found["ETag"].strip('"'),
            changed=found["LastModified"].timestamp(),
            checksum=found.get("ChecksumCRC32C", "") if _is_whole(found) else "",
            mark=found.get("Metadata", {}).get(marks.KEY, ""),
        )

    def read(self, uri: str, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return the bytes of an object after verifying the checksum that the store has, unless it is one of parts."""
        download = _Download(uri, 0, None, generation, attempts)
        return bytes(attempts.retry(download.go_on)())

    def read_range(self, uri: str, start: int, size: int, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return a range of an object."""
        download = _Download(uri, start, size, generation, attempts)
        return bytes(attempts.retry(download.go_on)())

    def upload(
        self, uri: str, file: BinaryIO, generation: Generation, metadata: Mapping[str, str], attempts: Attempts
    ) -> Generation | None:
        """Write an object."""
        file.seek(0)
        options = {
            **_place(uri),
            "ContentType": content_types.of(uri),
            "Metadata": dict(metadata),
            "ChecksumAlgorithm": "CRC32C",
            "ChecksumCRC32C": self.checksum(file),
            **({"IfMatch": f'"{generation}"'} if generation else {"IfNoneMatch": "*"}),
        }

        def put() -> Any:
            file.seek(0)
            return _asked("put_object", uri, Body=file, **options)

        try:
            return str(attempts.retry(put)()["ETag"]).strip('"')
        except StoreError as error:
            if error.code == 412 or (generation and error.reason == "NoSuchKey"):
                return None
            if error.code == 501:
                raise UserError(_UNCONDITIONAL.format(bucket=bucket_of(uri))) from error
            raise

    def delete(self, uri: str, generation: Generation | None, attempts: Attempts) -> None:
        """Delete an object."""
        condition = {}
        if generation is not None:
            # Not every store knows conditional deletions, and those that do not delete anything.
            found = self.stat(uri, attempts)
            if found is None or found.generation != generation:
                return
            condition = {"IfMatch": f'"{generation}"'}
        try:
            attempts.retry(lambda: _asked("delete_object", uri, **_place(uri), **condition))()
        except StoreError as error:
            if error.code == 501 and condition:
                attempts.retry(lambda: _asked("delete_object", uri, **_place(uri)))()
            elif error.code not in (404, 412):
                raise

    def start_upload(self, uri: str, attempts: Attempts) -> None:
        """Start an upload in parts, and give it up."""
        started = attempts.retry(lambda: _asked("create_multipart_upload", uri, **_place(uri)))()
        place = {**_place(uri), "UploadId": started["UploadId"]}
        try:
            attempts.retry(lambda: _asked("abort_multipart_upload", uri, **place))()
        except StoreError as error:
            if error.code != 404:  # the answer to the first attempt was lost
                raise

    def checksum(self, file: BinaryIO) -> str:
        """Return the crc32c of the rest of a file, in base64."""
        return hashes.crc32c(file)

    def opens(self, uri: str) -> bool:
        """Request one byte."""
        try:
            _asked("get_object", uri, **_place(uri), Range="bytes=0-0")["Body"].close()
        except StoreError as error:
            if error.code != 416:  # an empty object that may be read
                raise
        return True

    def beside(self, uri: str, number: int) -> list[str]:
        """Return a few objects of the same folder."""
        bucket, name = split(uri)
        folder = name.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        page = _asked("list_objects_v2", uri, Bucket=bucket, Prefix=prefix, MaxKeys=number)
        return [f"{self.scheme}{bucket}/{found['Key']}" for found in page.get("Contents", ())]

    def refusal(self, uri: str, cause: str) -> str:
        """Return in words that access is refused."""
        if not s3_client.has_credentials():
            return f"{bucket_of(uri)} is not public and there are no AWS credentials; run `aws configure`"
        return f"access is denied ({cause}); grant access, or choose other credentials with AWS_PROFILE"

    def check(self, flag: str, uri: str, attempts: Attempts) -> None:
        """Check that a folder can be listed, and that somebody listens at an endpoint that the user gave."""
        bucket, prefix = split(uri)
        store_checks.check(
            f"{flag} {uri}",
            lambda: _asked("list_objects_v2", uri, Bucket=bucket, Prefix=prefix, MaxKeys=1),
            attempts,
            address=s3_client.endpoint(),
            missing=f"the bucket {bucket} does not exist",
            refusal=lambda cause: self.refusal(uri, cause),
        )

    def protection(self, uri: str, attempts: Attempts) -> str:
        """Return '': what is locked in S3 is a version, and a new one can always be written."""
        return ""

    def protection_of_bucket(self, uri: str, attempts: Attempts) -> str:
        """Return '', as above."""
        return ""

    def address(self, folder: str) -> str:
        """Return the address of a folder, which opens only if it is public."""
        bucket, name = split(folder)
        place = s3_client.endpoint().rstrip("/")
        return f"{place}/{bucket}/{quote(name)}/" if place else f"https://{bucket}.s3.amazonaws.com/{quote(name)}/"

    def copy_command(self, folder: str, names: Sequence[str]) -> str:
        """Return the command that copies files to ``./page``."""
        chosen = " ".join(f"--include {shlex.quote(f'{one}*')}" for one in names)
        place = f" --endpoint-url {s3_client.endpoint()}" if s3_client.endpoint() else ""
        return f"aws s3 cp --recursive {shlex.quote(folder)} page --exclude '*' {chosen}{place}"


_UNCONDITIONAL = (
    "{bucket} does not support conditional writes (If-None-Match), which keep programs from overwriting each other's "
    "files; write to another store or to a disk"
)


class _Download:
    """One download; each attempt goes on where the last one was cut, in the same version of the object."""

    def __init__(
        self, uri: str, start: int, size: int | None, generation: Generation | None, attempts: Attempts
    ) -> None:
        self._uri = uri
        self._start = start
        self._size = size
        self._etag = f'"{generation}"' if generation else ""
        self._attempts = attempts
        self._total = -1
        self._checksums: dict[str, str] = {}
        self._arrived = io.BytesIO()

    def go_on(self) -> bytes:
        """Request the rest, and return the whole."""
        if self._arrived.tell() == self._total:
            return self._verified(self._arrived.getvalue())
        begin = self._start + self._arrived.tell()
        options = {"IfMatch": self._etag} if self._etag else {}
        if self._size is not None:
            options["Range"] = f"bytes={begin}-{self._start + self._size - 1}"
        elif begin:
            options["Range"] = f"bytes={begin}-"
        else:
            options["ChecksumMode"] = "ENABLED"
        answer = _asked("get_object", self._uri, **_place(self._uri), **options)
        self._etag = answer["ETag"]
        if "Range" not in options:
            self._total = answer["ContentLength"]
            self._checksums = {name: answer[name] for name in _CHECKSUMS if name in answer and _is_whole(answer)}
        with translated(self._uri):
            for chunk in answer["Body"].iter_chunks(_CHUNK):
                self._attempts.alive()
                self._arrived.write(chunk)
        return self._verified(self._arrived.getvalue())

    def _verified(self, data: bytes) -> bytes:
        for name, expected in self._checksums.items():
            if b64encode(_CHECKSUMS[name](data)).decode() != expected:
                self._arrived = io.BytesIO()
                raise ConnectionError(f"{self._uri} arrived with a wrong checksum")
        return data


def _asked(request: str, uri: str, **options: Any) -> dict[str, Any]:
    """Send one request."""
    if store_settings.current().s3_request_payer:
        options["RequestPayer"] = "requester"
    with translated(uri):
        answer: dict[str, Any] = getattr(s3_client.client(), request)(**options)
        return answer


def _place(uri: str) -> dict[str, str]:
    bucket, name = split(uri)
    return {"Bucket": bucket, "Key": name}


def _is_whole(found: Mapping[str, Any]) -> bool:
    """Return whether the checksum of an object is that of its bytes, and not one of the checksums of its parts."""
    return found.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" and "-" not in found.get("ETag", "")


def _listed(uri: str, found: Mapping[str, Any]) -> Blob:
    return Blob(
        uri=uri,
        size=int(found["Size"]),
        generation=found["ETag"].strip('"'),
        changed=found["LastModified"].timestamp(),
    )
