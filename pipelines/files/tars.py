"""List tar files as byte ranges, so that photos in a tar, or in a tar of tars, are found without reading them.

Headers (ustar, GNU long names, PAX, base-256 sizes, sparse files) are parsed by Python's `tarfile`, one at a time,
through ``TarInfo.fromtarfile``. ``TarFile.next`` is not used: it keeps every member in memory, reads a byte of every
content, and takes a damaged header for the end of the archive, which would silently lose photos.

The cost is one seek and one read of 512 bytes per member (three consecutive reads for a PAX or GNU long name), so it
depends on what a seek costs. On a local disk it is a page. A remote file that fetches a chunk after every seek beyond
its buffer needs a buffer that is smaller than a typical member, or so large that listing becomes a sequential read. A
tar of tars is best listed with ``depth=1``, and then each inner tar in parallel with ``within``.
"""

import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from pipelines.files import safe_names
from tfrecords.errors import UserError
from tfrecords.words import counted

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
# Tars are padded with zeros to a multiple of this size in bytes.
_RECORD = 20 * tarfile.BLOCKSIZE
# Real headers are shorter; a damaged one may claim gigabytes.
_LONGEST_HEADER = 1 << 20
# What `tarfile` raises on damaged headers; some are not its own exceptions.
_DAMAGE = (tarfile.TarError, ValueError, ArithmeticError, LookupError, RecursionError)


class BrokenTarError(ValueError):
    """A tar cannot be listed to its end; the message is one line that names the tar and the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file inside a tar.

    Attributes:
        name: its path, relative and with forward slashes; below a folder with the stem of an inner tar. Bytes that are
            not UTF-8 are kept with ``surrogateescape``.
        offset: of its first byte in the outer file.
        size: in bytes.
        fault: why the range is not the content of one file, as a readable message; else ''. Set for sparse files
            (stored without their holes), for links, whose content is elsewhere, and for inner tars that are broken,
            compressed, or nested too deep.
        mtime: when it was changed, in seconds since 1970, as the tar says.
        is_link: whether it is a link to another file, which has a fault too.
    """

    name: str
    offset: int
    size: int
    fault: str = ""
    mtime: float = field(default=0, compare=False)
    is_link: bool = False


def is_tar(name: str) -> bool:
    """Return whether a name ends like that of a tar, in any case. `members` refuses compressed tars."""
    return _TAR.search(name) is not None


def members(file: BinaryIO, *, name: str = "the tar", within: Member | None = None, depth: int = 2) -> Iterator[Member]:
    """Yield the files of a tar, and of the tars in it, as byte ranges of the file, in their order.

    Contents are never read, and memory does not grow with the number of members, so links have a fault: nobody knows
    where their content is. The caller may use the file between two members. Folders, devices and pipes are left out.
    ``._box.tar`` is a file of macOS and not opened. Names are made relative: ``/``, ``.`` and ``..`` are dropped,
    and backslashes become slashes. A name that occurs twice, as after ``tar --append``, is yielded twice.

    A broken inner tar does not stop the listing: its complete files are yielded, then the inner tar with a fault.

    Args:
        file: the tar, open for reading and seekable.
        name: of the tar, for messages.
        within: an inner tar that was yielded before: only this one is listed, with the same names and ranges as in a
            full listing.
        depth: levels of tars to open; 1 yields inner tars unopened, each with a fault that says so.

    Raises:
        BrokenTarError: at once: the file is empty or not a tar, or its first header is damaged. After everything
            before the damage was yielded: a header is damaged, the tar is truncated (in a member, or before the
            end-of-archive mark), or another tar is appended to it.
        UserError: the tar is compressed.
        OSError: the file cannot be read.
    """
    if within is None:
        yield from _listed(_Window(file, 0, file.seek(0, io.SEEK_END)), name, "", depth)
    else:
        yield from _inner(_Window(file, within.offset, within.size), within.name, depth)


def read_range(file: BinaryIO, offset: int, size: int) -> bytes:
    """Return the bytes of a member.

    Raises:
        ValueError: the file ends before the end of the range.
    """
    file.seek(offset)
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            raise ValueError(
                f"the file ends {counted(size - len(data), 'byte')} before the range {offset:,} + {size:,}"
            )
        data += more
    return data


class _Window(io.RawIOBase):
    """The part of a file that is one tar, as `tarfile` expects it: reads end with the tar and return headers only."""

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
            raise ValueError(f"no header has {counted(size, 'byte')}")
        size = max(0, min(size, self.size - self._position))
        data = read_range(self._file, self.start + self._position, size) if size else b""
        self._position += size
        return data


def _listed(window: _Window, name: str, folder: str, depth: int) -> Iterator[Member]:
    """Yield the members of one tar with their names below a folder."""
    tar = _opened(window, name)
    while (info := _next(tar, window, name)) is not None:
        path = _below(folder, info)
        if info.islnk() or info.issym():
            here = window.start + info.offset_data
            yield Member(name=path, offset=here, size=0, fault=_link(path, info), is_link=True)
        if not info.isreg():
            continue
        size = info.size if info.sparse is None else tar.offset - info.offset_data
        whole = info.offset_data + size <= window.size
        if info.sparse is not None:
            fault = f"{path} is stored sparse; make the tar again without --sparse"
            yield Member(name=path, offset=window.start + info.offset_data, size=size, fault=fault)
        elif is_tar(path) and not path.rpartition("/")[2].startswith("._"):
            yield from _inner(window.part(info.offset_data, size), path, depth - 1)
        elif whole:
            yield Member(name=path, offset=window.start + info.offset_data, size=size, mtime=info.mtime)
        if not whole:
            raise BrokenTarError(f"{name} is truncated: it ends inside {path}")


def _link(path: str, info: tarfile.TarInfo) -> str:
    kind, flag = ("a hard link", "--hard-dereference") if info.islnk() else ("a link", "--dereference")
    return f"{path} is {kind} to {info.linkname}; make the tar again with {flag}"


def _inner(window: _Window, path: str, depth: int) -> Iterator[Member]:
    """Yield the members of an inner tar; then, if it is not opened or is broken, the tar itself."""
    fault = f"{path} is a tar in a tar in a tar, which is not opened"
    if depth > 0:
        try:
            yield from _listed(window, path, path.rpartition(".")[0], depth)
            return
        except (BrokenTarError, UserError) as error:
            fault = str(error)
    yield Member(name=path, offset=window.start, size=window.size, fault=fault)


def _opened(window: _Window, name: str) -> tarfile.TarFile:
    """Return the tar in a window, positioned before its first header."""
    if not window.size:
        raise BrokenTarError(f"{name} is empty, not a tar")
    try:
        tar = tarfile.TarFile(fileobj=window, encoding="utf-8", errors="surrogateescape")
    except _DAMAGE as error:
        window.seek(0)
        start = window.read(max(map(len, _COMPRESSIONS)))
        for magic, compression in _COMPRESSIONS.items():
            if start.startswith(magic):
                message = f"{name} is compressed ({compression}); unpack it to a .tar or a folder"
                raise UserError(message) from error
        raise BrokenTarError(f"{name} is not a tar, or its first header is damaged") from error
    tar.offset = 0  # the constructor reads the first header; read it again, so that all headers are treated alike
    return tar


def _next(tar: tarfile.TarFile, window: _Window, name: str) -> tarfile.TarInfo | None:
    """Return the next header, or None at the end-of-archive mark."""
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
            raise BrokenTarError(f"{name} is truncated: it has no end-of-archive mark") from error
        if len(rest) < tarfile.BLOCKSIZE or any(rest[: tarfile.BLOCKSIZE]):
            raise BrokenTarError(f"{name} is damaged or truncated at byte {here:,}") from error
        if _has_header(rest):
            message = f"another tar is joined to {name} at byte {here:,}; join tars with tar --concatenate"
            raise BrokenTarError(message) from error
        return None


def _has_header(rest: bytes) -> bool:
    """Return whether the first non-zero block after an end-of-archive mark is a header; old tars have garbage there."""
    zeros = len(rest) - len(rest.lstrip(b"\0"))
    block = rest[zeros - zeros % tarfile.BLOCKSIZE :][: tarfile.BLOCKSIZE]
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except _DAMAGE:
        return False
    return True


def _below(folder: str, info: tarfile.TarInfo) -> str:
    """Return the path of a member, made safe: ``/./a/../b.jpg`` becomes ``a/b.jpg``."""
    # Tars from Windows may contain backslashes, and nothing in a tar says where it was made.
    name = safe_names.relative(info.name, windows=True) or f"unnamed-{info.offset_data}"
    return f"{folder}/{name}" if folder else name
