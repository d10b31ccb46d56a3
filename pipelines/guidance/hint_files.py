"""Find the hints of a collection: a file beside or for each photo, or one file for all.

HINTS/box 1/scan.tif.hints.png          for the photo INPUT/box 1/scan.tif; or .hints.json
HINTS/box 1/scan.tif.p002.hints.png     for its second page
hints.csv, hints.jsonl                  lines with `path`, `x`, `y`, `radius`, `color`, `page`
"""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from pipelines.files import faults, listings, sources, storage
from pipelines.files.list_parts import PLAIN, ListOptions
from pipelines.files.sources import Source
from pipelines.guidance import points
from pipelines.guidance.page_files import packed
from tfrecords.errors import UserError

ENDINGS = (".hints.png", ".hints.json")
"""What the names of hint files end in, behind the name of their photo."""
_COLLECTIONS = (".csv", ".jsonl", ".ndjson")
LISTED = 100_000
"""The number of photos among which the photos of hints are looked for before the job starts."""
_AT_A_TIME = 16
_NAME = re.compile(r"(?P<photo>.+?)(?:\.p(?P<page>\d{3,6}))?\.hints\.(?:png|json)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class HintFile:
    """Where the hints of one photo are.

    Attributes:
        name: of the file, relative to the folder of hints; of several, the first.
        sha256: of the file; of a collection, of this photo's points; of several files, of their pages and digests.
        uri: of the file; '' if the points are in ``data``, or if there are ``pages``.
        data: the photo's points of a collection, as JSON.
        pages: page, from 1, and URI of each file, if files are for pages.
    """

    name: str
    sha256: str
    uri: str = ""
    data: bytes = b""
    pages: tuple[tuple[int, str], ...] = ()

    def read(self, read: Callable[[str], bytes]) -> tuple[bytes, str]:
        """Return what `pipelines.guidance.reading` reads, and its digest as it is now.

        Args:
            read: returns the bytes of a file.
        """
        if not self.pages:
            data = read(self.uri) if self.uri else self.data
            return data or packed({1: data}), _sha256(data)  # b"" says that there is no file
        files = {page: read(uri) for page, uri in self.pages}
        return packed(files), _of_pages((page, _sha256(data)) for page, data in files.items())


def find(path: str) -> dict[str, HintFile]:
    """Return the hint file of each photo that has one, by the photo's name.

    Args:
        path: a folder, or a ``.csv`` or ``.jsonl`` file; local or gs://.

    Raises:
        UserError: there are no hints, a collection is broken, or a photo has two hint files.
        WorldError: the disk or the bucket fails.
    """
    try:
        if path.lower().endswith(_COLLECTIONS) and listings.is_file(path):
            return _collection(path)
        return _folder(path)
    except storage.io_errors() as error:
        raise UserError(f"--hints {path} cannot be read: {faults.cause(error)}") from error


def _collection(path: str) -> dict[str, HintFile]:
    name = path.rpartition("/")[2]
    data = storage.read(path)
    try:
        found = points.of_collection(name, data)
    except ValueError as error:
        raise UserError(f"--hints {path}: {error}") from error
    if not found:
        raise UserError(f"--hints {path} has no points; give each a line with path, x, y, radius and color")
    texts = {photo: points.to_json(some) for photo, some in sorted(found.items())}
    return {photo: HintFile(name=name, sha256=_sha256(text), data=text) for photo, text in texts.items()}


def _folder(path: str) -> dict[str, HintFile]:
    files = sorted(_listed(path), key=lambda file: file.name)
    if not files and not storage.is_remote(path) and not os.path.lexists(path):
        raise UserError(f"--hints {path} does not exist; give a folder of hint files, or a .csv or .jsonl file")
    if not files:
        raise UserError(
            f"--hints {path} has no hint files; name them like their photos, with {' or '.join(ENDINGS)} behind it"
        )
    found: defaultdict[str, dict[int, HintFile]] = defaultdict(dict)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for file, digest in zip(files, pool.map(_digest, files), strict=True):
            photo, page = _split(file.name)
            if not page:
                raise UserError(f"--hints: {file.name} is for page 0; the first page is .p001")
            if page in found[photo]:
                two = f"{found[photo][page].name} and {file.name}"
                of_page = f" for page {page}" if page > 1 else ""
                raise UserError(f"--hints: {photo} has two hint files{of_page}, {two}; keep one")
            found[photo][page] = HintFile(name=file.name, sha256=digest, uri=file.uri)
    return {photo: _joined(by_page) for photo, by_page in found.items()}


def _joined(by_page: dict[int, HintFile]) -> HintFile:
    files = sorted(by_page.items())
    first = files[0][1]
    if set(by_page) == {1}:
        return first
    digest = _of_pages((page, file.sha256) for page, file in files)
    return HintFile(name=first.name, sha256=digest, pages=tuple((page, file.uri) for page, file in files))


def _of_pages(digests: Iterable[tuple[int, str]]) -> str:
    return _sha256("".join(f"{page} {digest}\n" for page, digest in digests).encode())


def _listed(path: str) -> Iterator[Source]:
    for branch in listings.of_folder(path):
        for file in sources.files(branch, path.rstrip("/") or "/"):
            if not file.fault and photo_of(file.name):
                yield file


def photo_of(name: str) -> str:
    """Return the name of the photo that a hint file is for; '' if the file is not a hint file."""
    return _split(name)[0]


def _split(name: str) -> tuple[str, int]:
    """Return the photo and the page of a hint file."""
    found = _NAME.fullmatch(name)
    return (found["photo"], int(found["page"] or 1)) if found else ("", 0)


def _digest(file: Source) -> str:
    return _sha256(storage.read(file.uri))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def one(path: str) -> HintFile:
    """Return a hint file that is named for several photos, local or gs://.

    Raises:
        UserError: it cannot be read, or is neither a picture nor points.
        WorldError: the disk or the bucket fails.
    """
    try:
        data = storage.read(path)
    except storage.io_errors() as error:
        raise UserError(f"hints {path} cannot be read: {faults.cause(error)}") from error
    try:
        if not data.startswith(points.PNG):
            points.of_json(data)
    except ValueError as error:
        raise UserError(f"hints {path} cannot be used: {error}") from error
    return HintFile(name=path.rpartition("/")[2], sha256=_sha256(data), uri=path)


def check_photos(found: dict[str, HintFile], patterns: str | Sequence[str], lists: ListOptions = PLAIN) -> None:
    """Check that each hint is for a photo of the input, among the first 100,000 of them.

    Args:
        found: the hints.
        patterns: of the input.
        lists: how lists are read.

    Raises:
        UserError: a hint has no photo.
    """
    missing = set(found)
    listed = 0
    for source in islice(sources.everything(patterns, lists), LISTED):
        missing.discard(source.name)
        listed += 1
        if not missing:
            return
    if listed < LISTED:
        raise UserError(_without_photo(found, missing))


def _without_photo(found: dict[str, HintFile], missing: Iterable[str]) -> str:
    first, *others = sorted(missing)
    more = f" (and {len(others):,} more)" if others else ""
    file = found[first]
    if file.data:
        return f"--hints: {file.name} has points for {first}, which is not in the input{more}; paths are below --input"
    return f"--hints: {file.name} is for {first}, which is not in the input{more}; rename or remove it"
