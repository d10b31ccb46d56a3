"""Read and write TFRecord files: framing, checksums, and the description of a whole file.

The framing is TensorFlow's: length (uint64), masked crc32c of the length, data, masked crc32c of the data, all little
endian (tensorflow/core/lib/io/record_writer.h). It is implemented here because the writers and
``inspect`` run without TensorFlow.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import google_crc32c

SPLITS = ("train", "validation")

_SHARD = re.compile(rf"(?:{'|'.join(SPLITS)})-\d{{5,}}-of-\d{{5,}}\.tfrecord\Z")
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A finished TFRecord file: its name in the data folder, number of records, bytes, and crc32c of the whole file."""

    name: str
    count: int
    bytes: int
    crc32c: int


def shard_name(split: str, index: int, total: int) -> str:
    """Return the file name of a shard, such as ``train-00003-of-00016.tfrecord``."""
    return f"{split}-{index:05d}-of-{total:05d}.tfrecord"


def is_shard(name: str) -> bool:
    """Return whether a file has the name of a shard."""
    return _SHARD.match(name) is not None


def _masked_crc(data: bytes) -> int:
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class ShardWriter:
    """Writes records to an open binary file, and counts records and bytes.

    The caller opens and closes the file, and renames it when the shard is complete.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._count = 0
        self._bytes = 0
        self._crc32c = 0

    def write(self, record: bytes) -> None:
        """Append one record."""
        length = struct.pack("<Q", len(record))
        framed = b"".join(
            [length, _FOOTER.pack(_masked_crc(length)), record, _FOOTER.pack(_masked_crc(record))],
        )
        self._file.write(framed)
        self._crc32c = google_crc32c.extend(self._crc32c, framed)
        self._bytes += len(framed)
        self._count += 1

    def finished(self, name: str) -> Shard:
        """Return what was written, under the final name of the file."""
        return Shard(name=name, count=self._count, bytes=self._bytes, crc32c=self._crc32c)


def read_records(file: BinaryIO) -> Iterator[bytes]:
    """Yield the records of an open TFRecord file.

    Raises:
        ValueError: the file is truncated or a checksum is wrong; the message gives the byte.
    """
    offset = 0
    while header := file.read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise ValueError(f"cut short at byte {offset}")
        length, crc = _HEADER.unpack(header)
        if crc != _masked_crc(header[:8]):
            raise ValueError(f"wrong checksum of the length at byte {offset}")
        body = file.read(length + _FOOTER.size)
        if len(body) < length + _FOOTER.size:
            raise ValueError(f"cut short at byte {offset}")
        record = body[:length]
        if _FOOTER.unpack(body[length:])[0] != _masked_crc(record):
            raise ValueError(f"wrong checksum of the record at byte {offset}")
        yield record
        offset += _HEADER.size + length + _FOOTER.size


def checksum(chunks: Iterable[bytes]) -> tuple[int, int]:
    """Return the number of bytes of a stream and their crc32c."""
    size, crc = 0, 0
    for chunk in chunks:
        size += len(chunk)
        crc = google_crc32c.extend(crc, chunk)
    return size, crc
