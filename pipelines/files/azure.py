"""Requests to Azure Blob Storage.

The generation of an object (a blob) is its ETag. Writes name it with ``If-None-Match`` and ``If-Match``, so the store
refuses to overwrite what another program wrote. Each upload has an MD5 that the store keeps.
"""

import hashlib
import os
import shlex
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

from azure.core import MatchConditions
from azure.storage.blob import BlobClient, BlobPrefix, BlobProperties, ContainerClient, ContentSettings

from pipelines.files import azure_client, content_types, marks, store_checks, store_settings
from pipelines.files.azure_client import translated
from pipelines.files.blobs import Blob, Generation, Page, StoreError, bucket_of, split
from pipelines.files.patience import Attempts

_CHUNK = 1 << 20
_BLOCK = "YXV0b2Nocm9tZQ=="
_IS_FOLDER = "hdi_isfolder"
"""Metadata of folders, which accounts with a hierarchical namespace list like objects."""


class Azure:
    """Azure Blob Storage; see `pipelines.files.blobs.ObjectStore`."""

    scheme = "az://"
    title = "Azure Blob Storage"
    checksum_kind = "md5"
    is_compatible = False
    page = 5000
    """How many objects a page of a listing has at most."""

    def pages(self, uri: str, prefix: str, delimiter: str, retry: Callable[[Any], Any]) -> Iterator[Page]:
        """Yield a listing page by page."""
        options = {"name_starts_with": prefix, "include": ["metadata"], "results_per_page": self.page}
        prefixes: set[str] = set()
        with translated(uri):
            container = _container(uri)
            listing = container.walk_blobs(delimiter=delimiter, **options) if delimiter else None
            pages = (listing or container.list_blobs(**options)).by_page()

        def following() -> list[Any] | None:
            with translated(uri):
                page = next(pages, None)  # after an error it asks for the same page again
                return None if page is None else list(page)

        while (found := retry(following)()) is not None:
            prefixes |= {one.name for one in found if isinstance(one, BlobPrefix)}
            files = [one for one in found if not isinstance(one, BlobPrefix) and _IS_FOLDER not in (one.metadata or {})]
            yield [_listed(f"{bucket_of(uri)}/{one.name}", one) for one in files], prefixes

    def after(self, uri: str, prefix: str, name: str, number: int, attempts: Attempts) -> None:
        """Return None: ranges of names need the order of UTF-8, which the store does not promise.

        Since 2026 a listing may begin at a name (``startFrom``). But Azurite, from 3.37 on, sorts by UTF-16, and an
        account with a hierarchical namespace lists a folder before the names that begin as its own does. Who may only
        read is not told whether an account has one. A prefix for each next character would leave out names whose
        characters nobody thought of.
        """

    def stat(self, uri: str, attempts: Attempts) -> Blob | None:
        """Look up an object."""
        try:
            found = attempts.retry(lambda: _asked(uri, "get_blob_properties"))()
        except StoreError as error:
            if error.code == 404:
                return None
            raise
        if _IS_FOLDER in (found.metadata or {}):
            return None
        return _listed(uri, found, is_whole=True)

    def read(self, uri: str, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return the bytes of an object after verifying their MD5, if the store has one."""

        def download() -> bytes:
            data, found = _download(uri, generation, attempts)
            expected = found.content_settings.content_md5
            if expected and hashlib.md5(data).digest() != bytes(expected):
                raise ConnectionError(f"{uri} arrived with a wrong checksum")
            return data

        return bytes(attempts.retry(download)())

    def read_range(self, uri: str, start: int, size: int, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return a range of an object."""
        return bytes(attempts.retry(lambda: _download(uri, generation, attempts, offset=start, length=size)[0])())

    def upload(
        self, uri: str, file: BinaryIO, generation: Generation, metadata: Mapping[str, str], attempts: Attempts
    ) -> Generation | None:
        """Write an object."""
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        about = ContentSettings(content_type=content_types.of(uri), content_md5=bytearray(_md5(file)))
        options = {
            "length": size,
            "content_settings": about,
            "metadata": dict(metadata),
            "validate_content": True,
            "overwrite": bool(generation),
            **_condition(generation or None),
        }

        def put() -> Any:
            file.seek(0)
            return _asked(uri, "upload_blob", file, **options)

        try:
            return str(attempts.retry(put)()["etag"]).strip('"')
        except StoreError as error:
            if error.code == 412:
                return None
            raise

    def delete(self, uri: str, generation: Generation | None, attempts: Attempts) -> None:
        """Delete an object."""
        try:
            attempts.retry(lambda: _asked(uri, "delete_blob", **_condition(generation)))()
        except StoreError as error:
            if error.code not in (404, 412) or error.reason == "ContainerNotFound":
                raise

    def start_upload(self, uri: str, attempts: Attempts) -> None:
        """Send a block and do not commit it; the store forgets it after a week."""
        attempts.retry(lambda: _asked(uri, "stage_block", _BLOCK, b" "))()

    def checksum(self, file: BinaryIO) -> str:
        """Return the MD5 of the rest of a file, in base64."""
        return b64encode(_md5(file)).decode()

    def opens(self, uri: str) -> bool:
        """Request one byte."""
        try:
            _asked(uri, "download_blob", offset=0, length=1).readall()
        except StoreError as error:
            if error.code != 416:  # an empty object that may be read
                raise
        return True

    def beside(self, uri: str, number: int) -> list[str]:
        """Return a few objects of the same folder."""
        folder = split(uri)[1].rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        return [f"{bucket_of(uri)}/{one.name}" for one in _first(uri, prefix, number)]

    def refusal(self, uri: str, cause: str) -> str:
        """Return in words that access is refused."""
        return f"access is denied ({cause}); grant access, or log in with `az login`"

    def check(self, flag: str, uri: str, attempts: Attempts) -> None:
        """Check that a folder can be listed, and that somebody listens at an address that the user gave."""
        container, prefix = split(uri)
        service = azure_client.service(uri)
        is_given = store_settings.current().blob_service_endpoint or ".core." not in service.url
        store_checks.check(
            f"{flag} {uri}",
            lambda: _first(uri, prefix, 1),
            attempts,
            address=service.url if is_given else "",
            missing=f"the container {container.partition('@')[0]} does not exist",
            refusal=lambda cause: self.refusal(uri, cause),
        )

    def protection(self, uri: str, attempts: Attempts) -> str:
        """Return the immutability policy or legal hold of an object."""
        try:
            found = attempts.retry(lambda: _asked(uri, "get_blob_properties"))()
        except StoreError:
            return ""
        if found.has_legal_hold:
            return "a legal hold"
        until = found.immutability_policy and found.immutability_policy.expiry_time
        return f"an immutability policy, until {until:%Y-%m-%d}" if until else ""

    def protection_of_bucket(self, uri: str, attempts: Attempts) -> str:
        """Return the immutability policy or legal hold of a container."""

        def ask() -> Any:
            with translated(uri):
                return _container(uri).get_container_properties()

        try:
            found = attempts.retry(ask)()
        except StoreError:
            return ""
        if found.has_legal_hold:
            return "its legal hold"
        return "its immutability policy" if found.has_immutability_policy else ""

    def address(self, folder: str) -> str:
        """Return the address of a folder, which opens only if it is public."""
        container, name = split(folder)
        return f"{azure_client.service(folder).url.rstrip('/')}/{container.partition('@')[0]}/{quote(name)}/"

    def copy_command(self, folder: str, names: Sequence[str]) -> str:
        """Return the commands that copy files to ``./page``."""
        address = unquote(self.address(folder))
        places = (shlex.quote(f"{address}{one}") for one in names)
        return " && ".join(f"az storage copy --recursive -s {place} -d page" for place in places)


def _container(uri: str) -> ContainerClient:
    return azure_client.service(uri).get_container_client(split(uri)[0].partition("@")[0])


def _client(uri: str) -> BlobClient:
    return _container(uri).get_blob_client(split(uri)[1])


def _asked(uri: str, request: str, *data: Any, **options: Any) -> Any:
    """Send one request about an object."""
    with translated(uri):
        return getattr(_client(uri), request)(*data, **options)


def _download(uri: str, generation: Generation | None, attempts: Attempts, **part: int) -> tuple[bytes, BlobProperties]:
    """Return bytes of one version of an object, and what the store says about it."""
    with translated(uri):
        found = _client(uri).download_blob(**part, **_condition(generation))
        chunks = []
        for chunk in found.chunks():
            attempts.alive()
            chunks.append(chunk)
        return b"".join(chunks), found.properties


def _first(uri: str, prefix: str, number: int) -> list[BlobProperties]:
    with translated(uri):
        return list(next(_container(uri).list_blobs(name_starts_with=prefix, results_per_page=number).by_page(), ()))


def _condition(generation: Generation | None) -> dict[str, Any]:
    if generation is None:
        return {}
    return {"etag": f'"{generation}"', "match_condition": MatchConditions.IfNotModified}


def _md5(file: BinaryIO) -> bytes:
    digest = hashlib.md5()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def _listed(uri: str, found: BlobProperties, *, is_whole: bool = False) -> Blob:
    checksum = found.content_settings.content_md5 if is_whole else None
    return Blob(
        uri=uri,
        size=int(found.size),
        generation=str(found.etag).strip('"'),
        changed=found.last_modified.timestamp(),
        checksum=b64encode(checksum).decode() if checksum else "",
        mark=(found.metadata or {}).get(marks.KEY, "") if is_whole else "",
    )
