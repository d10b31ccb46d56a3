"""What a store says about an object, and what all stores of objects can do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from pipelines.files.patience import Attempts

Generation = int | str
"""What changes with every new content of an object: its generation in Cloud Storage, its ETag elsewhere."""
NONE = 0
"""The generation of an object that does not exist."""


@dataclass(frozen=True, kw_only=True)
class Blob:
    """An object in a bucket.

    Attributes:
        uri: of the object.
        size: in bytes.
        generation: changes with every new content.
        changed: time of the last write by the clock of the store, in seconds since 1970.
        checksum: of its bytes as the store knows it, in base64; '' in listings, or if the store has none.
        mark: of the run that wrote it (`pipelines.files.marks`); '' in listings.
    """

    uri: str
    size: int
    generation: Generation
    changed: float = 0.0
    checksum: str = ""
    mark: str = ""

    @property
    def fingerprint(self) -> str:
        """What differs between two versions of the object."""
        return f"{self.size}-{self.generation}"


class StoreError(Exception):
    """A store refused a request.

    Attributes:
        code: the HTTP status.
        reason: the code of the store for it, such as ``NoSuchKey``.
    """

    def __init__(self, code: int, reason: str, text: str) -> None:
        super().__init__(code, reason, text)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[2])


Page = tuple[list[Blob], set[str]]
"""Objects of one page of a listing, and the prefixes of all subfolders so far, without the bucket."""


class ObjectStore(Protocol):
    """The requests that a store answers. Each method is one request, which ``attempts`` repeats while it fails.

    Errors of a request have the HTTP status as ``code`` (`pipelines.files.faults`). Missing packages and settings raise
    ``UserError``.

    Attributes:
        scheme: of its URIs, such as ``gs://``.
        title: its name in messages.
        checksum_kind: of ``Blob.checksum``.
        is_compatible: whether it may be a server of somebody else that does not know each request.
    """

    scheme: str
    title: str
    checksum_kind: str
    is_compatible: bool

    def pages(self, uri: str, prefix: str, delimiter: str, retry: Callable[[Any], Any]) -> Iterator[Page]:
        """Yield the objects of a bucket whose names begin with a prefix, in pages.

        Args:
            uri: anything in the bucket.
            prefix: of the names.
            delimiter: '/' to list one folder, '' for all that is below.
            retry: turns a function that sends a request into one that repeats it.
        """

    def after(
        self, uri: str, prefix: str, name: str, number: int, attempts: Attempts
    ) -> tuple[list[Blob], bool] | None:
        """Return the first objects of a prefix that come after a name, and whether there are more, in one request.

        Args:
            uri: anything in the bucket.
            prefix: of the names.
            name: after which the listing begins, in the order of UTF-8; no object need have it.
            number: of objects, at most; 0 for a whole page.
            attempts: of the request.

        Returns:
            None if the store can only list from the beginning.
        """

    def stat(self, uri: str, attempts: Attempts) -> Blob | None:
        """Return what the store knows about an object, or None if there is none."""

    def read(self, uri: str, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return the bytes of an object after verifying their checksum, if there is one."""

    def read_range(self, uri: str, start: int, size: int, generation: Generation | None, attempts: Attempts) -> bytes:
        """Return bytes from the middle of an object; fewer if it ends early."""

    def upload(
        self, uri: str, file: BinaryIO, generation: Generation, metadata: Mapping[str, str], attempts: Attempts
    ) -> Generation | None:
        """Write an object whole if it has this generation; return the new one, or None if it has another."""

    def delete(self, uri: str, generation: Generation | None, attempts: Attempts) -> None:
        """Delete an object if it has this generation (None: any); it may be missing."""

    def start_upload(self, uri: str, attempts: Attempts) -> None:
        """Check that an object could be created, without creating it."""

    def checksum(self, file: BinaryIO) -> str:
        """Return the checksum of the rest of a file as ``Blob.checksum`` has it."""

    def opens(self, uri: str) -> bool:
        """Request one byte of an object, once; return whether it can be read. A fault raises."""

    def beside(self, uri: str, number: int) -> list[str]:
        """Return a few objects of the folder of an object, requested once. A fault raises."""

    def refusal(self, uri: str, cause: str) -> str:
        """Return in words that access is refused, and what to do about it."""

    def check(self, flag: str, uri: str, attempts: Attempts) -> None:
        """Check that a folder can be listed; UserError if its bucket is missing or access is refused."""

    def protection(self, uri: str, attempts: Attempts) -> str:
        """Return what protects an object from being replaced; '' if nothing does."""

    def protection_of_bucket(self, uri: str, attempts: Attempts) -> str:
        """Return what protects new objects of a bucket; '' if nothing does."""

    def address(self, folder: str) -> str:
        """Return the web address of a folder for a browser that is logged in; '' if the store has none."""

    def copy_command(self, folder: str, names: Sequence[str]) -> str:
        """Return the shell command of the store's own tool that copies folders and files of a folder to ``./page``."""


def split(uri: str) -> tuple[str, str]:
    """Return the bucket and the name in it."""
    bucket, _, name = uri.partition("://")[2].partition("/")
    return bucket, name


def bucket_of(uri: str) -> str:
    """Return the URI of the bucket of a URI."""
    return f"{uri.partition('://')[0]}://{split(uri)[0]}"
