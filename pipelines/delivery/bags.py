"""Divide records into bags (BagIt 1.0, RFC 8493), and give each file its path in one.

bag-00001/
  bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
  data/colour/…          the colour photos, as `colorize` named them
  data/scans/…           the scans, if they are delivered
  metadata/photos.csv    one line for each colour photo
  metadata/premis/…      one PREMIS file for each scan
  metadata/iiif/…        one IIIF manifest for each scan
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipelines.archive.manifest import Output, Record
from pipelines.archive.written_names import folded
from pipelines.files import safe_names

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LONGEST = 200  # bytes of a name, so that endings fit
# Readers of bags disagree on %, line breaks and bytes that are not UTF-8; XML has no place for the others.
_UNSAFE = re.compile("[%\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a bag: its path, its SHA-256 and its size in bytes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """One photo of a bag.

    Attributes:
        record: of the photo.
        files: the colour files, by their outputs' names.
        scan: the scan; its path is below ``data/scans`` also if it is not delivered.
    """

    record: Record
    files: Mapping[str, File]
    scan: File

    @property
    def name(self) -> str:
        """The name under which its metadata is filed."""
        return next(iter(self.files.values())).path.removeprefix("data/colour/")

    @property
    def outputs(self) -> list[Output]:
        """One output for each colour file: the first page of a TIFF of several pages."""
        return list({output.name: output for output in reversed(self.record.outputs)}.values())[::-1]


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A bag before it is filled.

    Attributes:
        number: of the bag, from 1.
        items: its photos.
        has_scans: whether the scans are delivered.
    """

    number: int
    items: tuple[Item, ...]
    has_scans: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        return name_of(self.number)

    def payload(self) -> list[File]:
        """Return its files below ``data``."""
        files = [file for item in self.items for file in item.files.values()]
        return files + [item.scan for item in self.items if self.has_scans]


def name_of(number: int) -> str:
    """Return the name of the folder of a bag, which are numbered from 1."""
    return f"bag-{number:05d}"


def divided(records: Iterable[Record], *, has_scans: bool, photos: int, size: int) -> Iterator[Bag]:
    """Divide the photos that have files into bags; only one bag is in memory.

    Args:
        records: sorted by name.
        has_scans: whether the scans are delivered.
        photos: of a bag, at most.
        size: of a bag in bytes, at most, unless a photo alone has more.
    """
    number, items, filled, taken = 1, list[Item](), 0, set[str]()
    for record in records:
        if not record.outputs:
            continue
        weight = record.bytes_out + record.bytes * has_scans
        if items and (len(items) == photos or filled + weight > size):
            yield Bag(number=number, items=tuple(items), has_scans=has_scans)
            number, items, filled, taken = number + 1, [], 0, set()
        items.append(_item(record, taken))
        filled += weight
    if items:
        yield Bag(number=number, items=tuple(items), has_scans=has_scans)


def _item(record: Record, taken: set[str]) -> Item:
    files = {
        one.name: File(path=_path("data/colour", one.name, taken), sha256=one.sha256, bytes=one.bytes)
        for one in {output.name: output for output in record.outputs}.values()
    }
    name = record.name if safe_names.is_safe(record.name) else record.outputs[0].name
    scan = File(path=_path("data/scans", name, taken), sha256=record.sha256, bytes=record.bytes)
    return Item(record=record, files=files, scan=scan)


def _path(folder: str, name: str, taken: set[str]) -> str:
    """Return a path that readers of bags agree on, and that no disk takes for another one of the bag."""
    name = "/".join(map(_short, _UNSAFE.sub(_code, name).split("/")))
    path, number = PurePosixPath(folder, name), 1
    while folded(str(path)) in taken:
        number += 1
        path = PurePosixPath(folder, name).with_stem(f"{PurePosixPath(name).stem} ({number})")
    taken.add(folded(str(path)))
    return str(path)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"_{number - 0xDC00 if 0xDC80 <= number <= 0xDCFF else number:02x}_"


def _short(part: str) -> str:
    if len(part.encode()) <= _LONGEST:
        return part
    digest, suffix = hashlib.sha256(part.encode()).hexdigest()[:16], PurePosixPath(part).suffix[:10]
    return f"{part.encode()[: _LONGEST - 30].decode(errors='ignore')}{digest}{suffix}"


def tag_files(bag: Bag, documents: Mapping[str, bytes], info: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of a bag that are not its payload, the one that seals it last.

    Args:
        bag: with the photos that are in it.
        documents: files below ``metadata``, by path.
        info: lines of ``bag-info.txt``.
    """
    payload = bag.payload()
    size = f"{sum(file.bytes for file in payload)}.{len(payload)}"
    lines = {**info, "Payload-Oxum": size, "Bag-Count": f"{bag.number} of ?"}
    tags = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": "".join(f"{key}: {value}\n" for key, value in lines.items()).encode(),
        "manifest-sha256.txt": _lines({file.path: file.sha256 for file in payload}),
        **documents,
    }
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in tags.items()}
    return tags | {"tagmanifest-sha256.txt": _lines(digests)}


def plan(bag: Bag, url: str) -> str:
    """Return a digest of what a bag is to hold, by which it is recognised when `deliver` is started again."""
    return hashlib.sha256(_lines({file.path: file.sha256 for file in bag.payload()}) + url.encode()).hexdigest()


def _lines(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items())).encode()
