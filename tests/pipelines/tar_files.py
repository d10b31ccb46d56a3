"""Tars made in memory, and what is found in them."""

import io
import tarfile

import pytest

from pipelines.files.tars import BrokenTarError, members, read_range

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
# Contents around the 512 bytes of a block.
FILES = {
    "a.jpg": b"a" * 511,
    "folder/b.jpg": b"b" * 512,
    "folder/c.jpg": b"c" * 513,
    "empty.jpg": b"",
    "d.png": bytes(range(256)) * 40,
}
LONG = {f"{'x' * 90}/{'y' * 60}.jpg": b"long", "münchen/" + "ü" * 30 + ".jpg": b"unicode"}
MARK = 2 * tarfile.BLOCKSIZE


def entry(name, **fields):
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def tar_of(files, tar_format=tarfile.GNU_FORMAT):
    """A tar of files, and of entries that have no content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for name, content in files.items() if isinstance(files, dict) else files:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                tar.addfile(entry(name, size=len(content)), io.BytesIO(content))
    return buffer.getvalue()


def listed(data, **options):
    return list(members(io.BytesIO(data), **options))


def contents(data, found):
    return [(member.name, read_range(io.BytesIO(data), member.offset, member.size)) for member in found]


def until_broken(data, **options):
    """What is yielded before the error, and its message."""
    found = []
    with pytest.raises(BrokenTarError) as caught:
        found.extend(members(io.BytesIO(data), **options))  # extend keeps what came before the error
    return found, str(caught.value)


class Counting(io.BytesIO):
    """A file that counts the bytes and the calls of its reads."""

    bytes_read = 0
    reads = 0

    def read(self, size=-1):
        data = super().read(size)
        self.bytes_read += len(data)
        self.reads += 1
        return data
