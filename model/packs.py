"""Packs: a prepared set made small, for machines that train without TensorFlow. Reading needs NumPy and Pillow only.

PACKS/train-00000-of-00002.pack, validation-…   pictures in WebP, in the order in which training takes them first
PACKS/pack.json                                 what the files hold; written last

A file is `MAGIC`, the number of its pictures (uint32), the bytes of each (uint32), and the pictures one after another;
numbers are little endian. Pictures are square sRGB, all of one side. WebP of quality 50 takes about 2.4 kB at 128 px,
as AVIF of the same error does, and is read in half the time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tfrecords.errors import UserError
from tfrecords.words import counted

FILE_NAME = "pack.json"
SUFFIX = ".pack"
MAGIC = b"autochrome pack\n"
VERSION = 1
SPLITS = ("train", "validation")

_FORMAT = "autochrome-pack"
_COUNT = struct.Struct("<I")


@dataclasses.dataclass(frozen=True, kw_only=True)
class File:
    """A file of pictures: its name in the folder, number of pictures, bytes, and hex sha256 of the whole file."""

    name: str
    count: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contents:
    """What a folder of packs holds.

    Attributes:
        size: side of the pictures, in pixels.
        splits: the files of each split, in order.
        source: the `fingerprint` and the `size` of the prepared set that it was made from.
        settings: `quality` and `seed`.
        statistics: of each split of the prepared set: see `tfrecords.statistics`.
        version: of the format.
    """

    size: int
    splits: dict[str, list[File]]
    source: dict[str, Any]
    settings: dict[str, Any]
    statistics: dict[str, Any]
    version: int = VERSION

    def count(self, split: str) -> int:
        """Return the number of pictures in a split."""
        return sum(file.count for file in self.splits.get(split, []))

    @property
    def fingerprint(self) -> str:
        """Hex sha256 of what the pictures are: their size, and every file's checksum."""
        files = {split: [file.sha256 for file in files] for split, files in self.splits.items()}
        return hashlib.sha256(json.dumps([self.version, self.size, files], sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """Return the text of ``pack.json``; equal contents give equal text."""
        return json.dumps({"format": _FORMAT, **dataclasses.asdict(self)}, indent=2, sort_keys=True) + "\n"


def is_pack(folder: str | Path) -> bool:
    """Tell whether a local folder holds complete packs."""
    return (Path(folder) / FILE_NAME).is_file()


def file_name(split: str, index: int, total: int) -> str:
    """Return the name of a file, such as ``train-00000-of-00002.pack``."""
    return f"{split}-{index:05d}-of-{total:05d}{SUFFIX}"


def encoded(pictures: Sequence[bytes]) -> bytes:
    """Return the bytes of a file that holds pictures."""
    lengths = np.array([len(picture) for picture in pictures], "<u4").tobytes()
    return b"".join([MAGIC, _COUNT.pack(len(pictures)), lengths, *pictures])


def encoded_size(lengths: Sequence[int]) -> int:
    """Return how many bytes `encoded` returns for pictures of these lengths."""
    return len(MAGIC) + _COUNT.size + sum(4 + length for length in lengths)


def describe(folder: str | Path) -> Contents:
    """Return what a folder of packs holds, and check that all its files are there with the sizes they should have.

    Raises:
        UserError: there are no packs, their description is damaged or of another version, or a file is missing or has
            another size.
    """
    path = Path(folder) / FILE_NAME
    try:
        fields = json.loads(path.read_bytes())
        if fields.pop("format") != _FORMAT:
            raise KeyError("format")
        splits = {split: [File(**file) for file in files] for split, files in fields.pop("splits").items()}
        contents = Contents(splits=splits, **fields)
    except OSError as error:
        raise UserError(f"{folder} has no {FILE_NAME}; make it with `autochrome pack`") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} does not describe packs; make them again with `autochrome pack`") from error
    if contents.version != VERSION:
        raise UserError(f"{path} has version {contents.version}, this program reads {VERSION}; pack the set again")
    for file in (file for files in contents.splits.values() for file in files):
        place = Path(folder) / file.name
        found = place.stat().st_size if place.is_file() else None
        if found is None:
            raise UserError(f"{place} is missing; copy it again")
        if found != file.bytes:
            raise UserError(f"{place} has {counted(found, 'byte')}, not {file.bytes:,}; copy it again")
    return contents


def read(folder: str | Path, contents: Contents, split: str) -> list[bytes]:
    """Return the pictures of a split, in order, in WebP.

    Raises:
        UserError: a file cannot be read, or is damaged; the message names it.
    """
    pictures: list[bytes] = []
    for file in contents.splits.get(split, []):
        path = Path(folder) / file.name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}); copy it again") from error
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise UserError(f"{path} is damaged: its checksum is not the one in {FILE_NAME}; copy it again")
        pictures += _split(data, file.count)
    return pictures


def _split(data: bytes, count: int) -> list[bytes]:
    """Return the pictures of a whole file."""
    start = len(MAGIC) + _COUNT.size
    ends = start + 4 * count + np.cumsum(np.frombuffer(data, "<u4", count, start), dtype=np.int64)
    starts = [start + 4 * count, *ends[:-1].tolist()]
    return [data[first:last] for first, last in zip(starts, ends.tolist(), strict=False)]


def encode(rgb: NDArray[np.uint8], quality: int) -> bytes:
    """Return a picture, sRGB uint8 ``[N, N, 3]``, in WebP; `quality` is from 1 to 100."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def decode(picture: bytes) -> NDArray[np.uint8]:
    """Return a picture in WebP as sRGB uint8 ``[N, N, 3]``."""
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"))
