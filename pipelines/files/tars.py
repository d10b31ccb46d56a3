"""Tar files as lists of byte ranges: photos inside a tar, or inside a tar of tars, are found without being read.

Headers (ustar, GNU long names, PAX, base-256 sizes, sparse files) are parsed by Python's ``tarfile``, one at a time,
through ``TarInfo.fromtarfile`` rather than ``TarFile.next``: ``next`` keeps every member in memory, reads a byte of
every content, and takes a damaged header for the end of the archive, which would lose photos without a word.

What it costs is one seek and one read of 512 bytes a member (three reads in a row for a PAX or GNU long name), so all
depends on what the file makes of a seek. On a local disk it is a page. A remote file that fetches a chunk after every
seek beyond its buffer wants a buffer smaller than the usual member, or one so large that listing becomes a sequential
read; and a tar of tars is best listed with ``depth=1`` and then each inner tar, with ``within``, in parallel.
"""

import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipelines.files import safe_names
from tfrecords.errors import UserError

_TAR = re.compile(r"\.(tar(\.(gz|bz2|xz|zst|lz4|lz|lzma|z))?|tgz|tbz2?|txz|tzst|taz|tlz)\Z", re.IGNORECASE)
_COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"LZIP": "lzip",
    b"\x1f\x9d": "compress",
}
# Tars are padded with zeros to whole records of this many bytes.
_RECORD = 20 * tarfile.BLOCKSIZE
# No header is longer; a damaged one may claim gigabytes.
_LONGEST_HEADER = 1 << 20
# What tarfile raises on damaged headers: not all of it is its own.
_DAMAGE = (tarfile.TarError, ValueError, ArithmeticError, LookupError, RecursionError)


class BrokenTarError(ValueError):
    """A tar that cannot be listed, or not to its end; the message is one line that names it and says where."""


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file inside a tar.

    Attributes:
        name: its path, relative and with forward slashes; an inner tar's stem is a folder of it. Bytes that are not
            UTF-8 are kept as ``surrogateescape`` does.
        offset: of its first byte in the outer file.
        size: bytes.
        fault: why the range is not the content of one file, for people; '' where it is. Set on sparse files (stored
            without their holes) and on inner tars that are broken, compressed, or nested deeper than was asked for.
    """

    name: str
    offset: int
    size: int
    fault: str = ""


def is_tar(name: str) -> bool:
    """Whether a name ends as tars do, in any case. ``members`` refuses those that are compressed."""
    return _TAR.search(name) is not None


def members(file: BinaryIO, *, name: str = "the tar", within: Member | None = None, depth: int = 2) -> Iterator[Member]:
    """Yields the regular files of a tar and of the tars in it as byte ranges of the file, in their order.

    Contents are never read, and memory does not grow with the number of members. The file may be used in between.
    Left out are folders, links (what a hard link points to is listed under its own name), devices, pipes, and the
    ``._`` files (AppleDouble metadata) of macOS. Names are made relative: ``/``, ``.`` and ``..`` are dropped from
    them, and backslashes become slashes. A name that occurs twice, as after ``tar --append``, is yielded twice.

    A broken inner tar does not stop the listing: its whole files are yielded, then the inner tar itself with a fault.

    Args:
        file: the tar, open for reading and seekable.
        name: of the tar, for messages.
        within: an inner tar, as it was yielded: only this one is listed, with the names and ranges of a whole listing.
        depth: levels of tars to open; 1 yields inner tars unopened, each with a fault that says so.

    Raises:
        BrokenTarError: at once, the file is empty, no tar, or its first header is damaged. Or, after everything before
            that place has been yielded: a header is damaged, the tar is truncated (in a member, or before the
            end-of-archive mark), or another tar is joined to its end.
        UserError: the tar is compressed.
        OSError: the file cannot be read.
    """
    if within is None:
        yield from _listed(_Window(file, 0, file.seek(0, io.SEEK_END)), name, "", depth)
    else:
        yield from _inner(_Window(file, within.offset, within.size), within.name, depth)


def read_range(file: BinaryIO, offset: int, size: int) -> bytes:
    """The bytes of a member.

    Raises:
        ValueError: the file ends before.
    """
    file.seek(offset)
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            raise ValueError(f"the file ends {size - len(data):,} bytes before the range {offset:,} + {size:,}")
        data += more
    return data


class _Window(io.RawIOBase):
    """The part of a file that is one tar, as tarfile wants it: reading ends where the tar ends and is for headers."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._position = 0
        self.start = start
        self.size = size

    def part(self, offset: int, size: int) -> "_Window":
        return _Window(self._file, self.start + offset, max(0, min(size, self.size - offset)))

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset < 0:
            raise io.UnsupportedOperation("a window is sought from its start")
        self._position = offset
        return offset

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise ValueError(f"no header has {size:,} bytes")
        size = max(0, min(size, self.size - self._position))
        data = read_range(self._file, self.start + self._position, size) if size else b""
        self._position += size
        return data


def _listed(window: _Window, name: str, folder: str, depth: int) -> Iterator[Member]:
    """Yields the members of one tar; their names are put below a folder."""
    tar = _opened(window, name)
    while (info := _next(tar, window, name)) is not None:
        path = _below(folder, info)
        if not info.isreg() or path.rpartition("/")[2].startswith("._"):
            continue
        size = info.size if info.sparse is None else tar.offset - info.offset_data
        whole = info.offset_data + size <= window.size
        if info.sparse is not None:
            fault = f"{path} is stored sparse, not as it is; make the tar again without --sparse"
            yield Member(path, window.start + info.offset_data, size, fault)
        elif is_tar(path):
            yield from _inner(window.part(info.offset_data, size), path, depth - 1)
        elif whole:
            yield Member(path, window.start + info.offset_data, size)
        if not whole:
            raise BrokenTarError(f"{name} is truncated: it ends inside {path}")


def _inner(window: _Window, path: str, depth: int) -> Iterator[Member]:
    """Yields the members of a tar inside a tar, then, if it is not opened or is broken, the tar itself."""
    fault = f"{path} is a tar nested deeper than tars are opened"
    if depth > 0:
        try:
            yield from _listed(window, path, path.rpartition(".")[0], depth)
            return
        except (BrokenTarError, UserError) as error:
            fault = str(error)
    yield Member(path, window.start, window.size, fault)


def _opened(window: _Window, name: str) -> tarfile.TarFile:
    """The tar in a window, before its first header."""
    if not window.size:
        raise BrokenTarError(f"{name} is empty, not a tar")
    try:
        tar = tarfile.TarFile(fileobj=window, encoding="utf-8", errors="surrogateescape")
    except _DAMAGE as error:
        window.seek(0)
        start = window.read(max(map(len, _COMPRESSIONS)))
        for magic, compression in _COMPRESSIONS.items():
            if start.startswith(magic):
                message = (
                    f"{name} is compressed ({compression}) and cannot be read by range; unpack it to a .tar or a folder"
                )
                raise UserError(message) from error
        raise BrokenTarError(f"{name} is not a tar, or its first header is damaged") from error
    tar.offset = 0  # the constructor reads the first header; it is read again, so that all are treated alike
    return tar


def _next(tar: tarfile.TarFile, window: _Window, name: str) -> tarfile.TarInfo | None:
    """The next header, or None at the end-of-archive mark."""
    here = tar.offset
    window.seek(here)
    try:
        info = tarfile.TarInfo.fromtarfile(tar)
        if info.size < 0 or tar.offset <= here:
            raise ValueError("negative size")
        return info
    except _DAMAGE as error:
        window.seek(here)
        rest = window.read(tarfile.BLOCKSIZE + _RECORD)
        if not rest:
            raise BrokenTarError(f"{name} is truncated: it ends without the mark that ends a tar") from error
        if len(rest) < tarfile.BLOCKSIZE or any(rest[: tarfile.BLOCKSIZE]):
            raise BrokenTarError(f"{name} is damaged or truncated at byte {here:,}") from error
        if _has_header(rest):
            message = f"{name} has another tar joined to it at byte {here:,}; join tars with tar --concatenate"
            raise BrokenTarError(message) from error
        return None


def _has_header(rest: bytes) -> bool:
    """Whether the first that is not zero after an end-of-archive mark is a header: old tars leave rubbish there."""
    zeros = len(rest) - len(rest.lstrip(b"\0"))
    block = rest[zeros - zeros % tarfile.BLOCKSIZE :][: tarfile.BLOCKSIZE]
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except _DAMAGE:
        return False
    return True


def _below(folder: str, info: tarfile.TarInfo) -> str:
    """Returns the path of a member that leads out of no folder: ``/./a/../b.jpg`` becomes ``a/b.jpg``."""
    # Tars that were made on Windows may have backslashes, and nothing in a tar says where it was made.
    name = safe_names.relative(info.name, windows=True) or f"unnamed-{info.offset_data}"
    return f"{folder}/{name}" if folder else name
