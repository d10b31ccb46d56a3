"""TIFF directories, which TIFF files and EXIF are made of: read with every value's bytes and type, and written again.

TIFF 6.0 section 2 and CIPA DC-008 (Exif 3.0) section 4.5; BigTIFF is read, not written. Values stay the bytes they are
in the byte order they are in, so that nothing is lost to a re-encoding of text or to a guess at a type. A MakerNote,
which may count its offsets from the start of the file, goes back to the place where it was whenever that is free.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

# The last two mix up their byte orders; some programs write them, and readers do not mind.
HEADERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")
EXIF, GPS, INTEROP = 34665, 34853, 40965
MAKER_NOTE = 37500
_POINTERS = (EXIF, GPS, INTEROP)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MAX_FIELDS = 4096
_MAX_GAP = 1 << 16


@dataclass(frozen=True)
class Field:
    """One value of a directory.

    Attributes:
        type: TIFF's code of it (2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, 7 UNDEFINED, …).
        data: its bytes, in the directory's byte order.
        at: where they were in the file, when they did not fit into the entry itself; else 0.
    """

    type: int
    data: bytes
    at: int = 0

    @property
    def count(self) -> int:
        """Of values, not bytes."""
        return len(self.data) // _SIZES[self.type]


@dataclass
class Directory:
    """Fields by tag, in one byte order ('<' or '>'), and the directories that EXIF, GPS and INTEROP point to."""

    order: str = "<"
    fields: dict[int, Field] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The integers of a field; () when it is absent or no integers."""
        found = self.fields.get(tag)
        if found is None or found.type not in _CODES:
            return ()
        return struct.unpack(f"{self.order}{found.count}{_CODES[found.type]}", found.data)

    def number(self, tag: int, default: int = 0) -> int:
        """The first integer of a field."""
        return (*self.numbers(tag), default)[0]

    def put(self, tag: int, kind: int, *values: int) -> None:
        """Sets a field to integers: of type BYTE, SHORT, LONG, or RATIONAL as numerator, denominator, …"""
        code = "I" if kind == 5 else _CODES[kind]
        self.fields[tag] = Field(kind, struct.pack(f"{self.order}{len(values)}{code}", *values))


def offsets(data: bytes) -> list[int]:
    """Where the directories of a TIFF file or an EXIF block start, in order; a chain that bites its tail ends there.

    Raises:
        ValueError: not a TIFF structure.
    """
    if data[:4] not in HEADERS:
        raise ValueError("no TIFF header")
    order, big = _kind(data)
    found: list[int] = []
    offset = _unpack(data, 8 if big else 4, f"{order}{'Q' if big else 'I'}")
    while offset and offset not in found and offset + 2 < len(data):
        found.append(offset)
        count = _unpack(data, offset, f"{order}{'Q' if big else 'H'}")
        link = offset + (8 + 20 * count if big else 2 + 12 * count)
        if link + (8 if big else 4) > len(data):
            break
        offset = _unpack(data, link, f"{order}{'Q' if big else 'I'}")
    return found


def starting_at(data: bytes, offset: int) -> bytes:
    """The same TIFF file with the directory at this offset as its first.

    Readers that are asked for a later page follow the whole chain to it, and some trip over what lies on the way.
    """
    order, big = _kind(data)
    start, link = (8, struct.pack(f"{order}Q", offset)) if big else (4, struct.pack(f"{order}I", offset))
    return data if data[start : start + len(link)] == link else data[:start] + link + data[start + len(link) :]


def read(data: bytes, offset: int = 0, *, skip: frozenset[int] = frozenset()) -> Directory:
    """Reads one directory and those it points to, leaving out fields beyond the data or of no known type.

    Args:
        data: a TIFF file or an EXIF block, from its header on.
        offset: of the directory; the first one's without.
        skip: tags whose values are not wanted, such as tables of strips.

    Raises:
        ValueError: not a TIFF structure, or one without a directory.
    """
    if data[:4] not in HEADERS:
        raise ValueError("no TIFF header")
    order, big = _kind(data)
    offset = offset or _unpack(data, 8 if big else 4, f"{order}{'Q' if big else 'I'}")
    return _read(data, offset, skip, depth=0)


def _read(data: bytes, offset: int, skip: frozenset[int], depth: int) -> Directory:
    order, big = _kind(data)
    directory = Directory(order)
    for tag, kind, size, at in _entries(data, offset, order, big):
        if tag in skip or at + size > len(data):
            continue
        inline = size <= (8 if big else 4)
        directory.fields[tag] = Field(kind, data[at : at + size], 0 if inline else at)
    for tag in _POINTERS:
        if tag in directory.fields:
            target = directory.number(tag)
            del directory.fields[tag]
            if depth < 2 and 0 < target < len(data) - 2:
                directory.children[tag] = _read(data, target, skip, depth + 1)
    return directory


def _entries(data: bytes, offset: int, order: str, big: bool) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, size in bytes and place of every value of a known type."""
    count = _unpack(data, offset, f"{order}{'Q' if big else 'H'}")
    step, form, start = (20, f"{order}HHQ", offset + 8) if big else (12, f"{order}HHI", offset + 2)
    for position in range(start, start + step * min(count, _MAX_FIELDS), step):
        if position + step > len(data):
            return
        tag, kind, values = struct.unpack_from(form, data, position)
        size = _SIZES.get(kind, 0) * values
        inline = position + (12 if big else 8)
        if size:
            fits = size <= (8 if big else 4)
            yield tag, kind, size, inline if fits else _unpack(data, inline, f"{order}{'Q' if big else 'I'}")


def _kind(data: bytes) -> tuple[str, bool]:
    return "<" if data[:1] == b"I" else ">", b"+" in data[2:4]


def _unpack(data: bytes, offset: int, form: str) -> int:
    try:
        return struct.unpack_from(form, data, offset)[0]
    except (struct.error, OverflowError) as error:
        raise ValueError(f"cut short at {offset}") from error


def header(order: str) -> bytes:
    """The 8 bytes before a first directory that follows at once."""
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)


def write(directory: Directory, start: int) -> bytes:
    """Lays a directory out from ``start`` (even) on, its values and children behind it, linked to no next one."""
    child = directory.children.get(EXIF)
    note = child.fields.get(MAKER_NOTE) if child else None
    layout = _Layout(start, note, waits=note is not None and note.at >= start + _table_size(directory))
    layout.add(directory)
    return layout.finish()


def _table_size(directory: Directory) -> int:
    return 2 + 12 * (len(directory.fields) + len(directory.children)) + 4


class _Layout:
    """Bytes that grow from an offset on, around one value, the MakerNote, that should come to lie where it was."""

    def __init__(self, start: int, note: Field | None, waits: bool) -> None:
        self._start = start
        self._bytes = bytearray()
        self._note = note
        self._note_waits = waits
        self._note_at = 0

    @property
    def _end(self) -> int:
        return self._start + len(self._bytes)

    def _place(self, data: bytes) -> int:
        """Appends bytes at an even offset; behind the MakerNote when they do not fit before it."""
        self._bytes += bytes(self._end % 2)
        if self._note_waits and self._note and self._end + len(data) > self._note.at:
            self._settle_note(self._note)
        offset = self._end
        self._bytes += data
        return offset

    def _settle_note(self, note: Field) -> None:
        """Puts the MakerNote where it was, if that is still ahead and near."""
        self._note_waits = False
        gap = note.at - self._end
        if 0 <= gap < _MAX_GAP:
            self._bytes += bytes(gap) + note.data
            self._note_at = note.at
            self._bytes += bytes(self._end % 2)

    def add(self, directory: Directory) -> int:
        """Writes one directory, its values and children behind it; returns where it starts."""
        tags = sorted([*directory.fields, *directory.children])
        start = self._place(bytes(_table_size(directory)))
        table = bytearray(struct.pack(f"{directory.order}H", len(tags)))
        for tag in tags:
            if tag in directory.children:
                kind, count, content = 4, 1, self._pointer(directory, self.add(directory.children[tag]))
            else:
                value = directory.fields[tag]
                kind, count = value.type, value.count
                content = value.data if len(value.data) <= 4 else self._pointer(directory, self._value(value))
            table += struct.pack(f"{directory.order}HHI", tag, kind, count) + content.ljust(4, b"\0")
        self._bytes[start - self._start : start - self._start + len(table)] = table
        return start

    @staticmethod
    def _pointer(directory: Directory, offset: int) -> bytes:
        return struct.pack(f"{directory.order}I", offset)

    def _value(self, value: Field) -> int:
        if value is self._note and self._note_waits:
            self._settle_note(value)
        return self._note_at if value is self._note and self._note_at else self._place(value.data)

    def finish(self) -> bytes:
        """Everything from the offset on."""
        return bytes(self._bytes)
