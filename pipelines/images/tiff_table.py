"""The table of a TIFF directory: which values it has, of which type, and where they are in the file.

TIFF 6.0 section 2 and BigTIFF. A table is parsed once. The numbers in it are read on demand, so that a file of a
thousand pages can be looked over without copying a value.
"""

import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from pipelines.images.tiff_tags import CODES, SIZES

HEADERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")
"""What TIFF files and EXIF start with. The last two mix up their byte orders: some programs write them."""
MAX_ENTRIES = 4096
"""Of a directory; those beyond are ignored."""


@dataclass(frozen=True)
class Layout:
    """How tables are laid out in one byte order ('<' or '>'), in TIFF or BigTIFF."""

    order: str
    is_big: bool

    @cached_property
    def count(self) -> struct.Struct:
        """The number of entries, before the first of them."""
        return struct.Struct(f"{self.order}{'Q' if self.is_big else 'H'}")

    @cached_property
    def entry(self) -> struct.Struct:
        """Tag, type, number of values, and their offset, or the values themselves if they fit."""
        return struct.Struct(f"{self.order}{'HHQQ' if self.is_big else 'HHII'}")

    @cached_property
    def offset(self) -> struct.Struct:
        """An offset: of the first directory in the header, of the next one behind the entries, or of a value."""
        return struct.Struct(f"{self.order}{'Q' if self.is_big else 'I'}")

    @property
    def header_size(self) -> int:
        """Where the offset of the first directory stands."""
        return 8 if self.is_big else 4


_LAYOUTS = {(order, is_big): Layout(order, is_big) for order in "<>" for is_big in (False, True)}


class Entry(NamedTuple):
    """One entry of a table.

    Attributes:
        tag: what the value says.
        type: TIFF's code of its type.
        size: of the value, in bytes.
        at: where the value is in the file.
        position: where the entry is in the file.
        is_inline: whether the value lies in the entry itself.
    """

    tag: int
    type: int
    size: int
    at: int
    position: int
    is_inline: bool


@dataclass(frozen=True, kw_only=True)
class Table:
    """The table of one directory.

    Attributes:
        data: the TIFF file or EXIF block, from its header on.
        layout: of the file.
        offset: where the directory starts.
        count: how many entries it claims to have.
        entries: those of a known type, at most MAX_ENTRIES; values may lie beyond the file, or over each other.
    """

    data: bytes = field(repr=False)
    layout: Layout
    offset: int
    count: int
    entries: tuple[Entry, ...]

    @property
    def end(self) -> int:
        """Where the entries end, and the offset of the next directory stands."""
        return self.offset + self.layout.count.size + self.layout.entry.size * self.count

    @cached_property
    def _by_tag(self) -> dict[int, Entry]:
        return {entry.tag: entry for entry in self.entries if entry.at + entry.size <= len(self.data)}

    def __contains__(self, tag: int) -> bool:
        return any(entry.tag == tag for entry in self.entries)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the integers of a value; () if it is absent, beyond the file, or not made of integers."""
        entry = self._by_tag.get(tag)
        if entry is None or entry.type not in CODES:
            return ()
        form = f"{self.layout.order}{entry.size // SIZES[entry.type]}{CODES[entry.type]}"
        return struct.unpack_from(form, self.data, entry.at)

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first integer of a value."""
        entry = self._by_tag.get(tag)
        if entry is None or entry.type not in CODES:
            return default
        return int(struct.unpack_from(self.layout.order + CODES[entry.type], self.data, entry.at)[0])


def layout_of(data: bytes) -> Layout:
    """Return the layout of a TIFF file or EXIF block.

    Raises:
        ValueError: it has no TIFF header.
    """
    if data[:4] not in HEADERS:
        raise ValueError("no TIFF header")
    return _LAYOUTS["<" if data[:1] == b"I" else ">", b"+" in data[2:4]]


def first_offset(data: bytes) -> int:
    """Return where the first directory starts.

    Raises:
        ValueError: this is not a TIFF structure.
    """
    layout = layout_of(data)
    return unpack(layout.offset, data, layout.header_size)


def parse(data: bytes, offset: int) -> Table:
    """Parse the table of the directory at an offset.

    Raises:
        ValueError: this is not a TIFF structure, or the offset is beyond it.
    """
    layout = layout_of(data)
    count = unpack(layout.count, data, offset)
    start, step = offset + layout.count.size, layout.entry.size
    whole = min(count, MAX_ENTRIES, max(0, len(data) - start) // step)
    room = layout.offset.size
    entries = []
    parsed = layout.entry.iter_unpack(memoryview(data)[start : start + step * whole])
    for position, (tag, kind, values, place) in zip(range(start, len(data), step), parsed, strict=False):
        size = SIZES.get(kind, 0) * values
        if size:
            is_inline = size <= room
            at = position + step - room if is_inline else place
            entries.append(Entry(tag, kind, size, at, position, is_inline))
    return Table(data=data, layout=layout, offset=offset, count=count, entries=tuple(entries))


def unpack(form: struct.Struct, data: bytes, offset: int) -> int:
    """Return the number at an offset.

    Raises:
        ValueError: the offset is beyond the data.
    """
    try:
        return int(form.unpack_from(data, offset)[0])
    except (struct.error, OverflowError) as error:
        raise ValueError(f"cut short at {offset}") from error
