"""TIFF directories, which TIFF files and EXIF are made of: read with every value's bytes and type, and written again.

TIFF 6.0 section 2 and CIPA DC-008 (Exif 3.0) section 4.5; BigTIFF is read, not written. Values stay the bytes they are
in the byte order they are in, so that nothing is lost to a re-encoding of text or to a guess at a type. A MakerNote,
which may count its offsets from the start of the file, goes back to the place where it was whenever that is free.

Entries of 12 bytes may all name the same megabyte. What is read of a file is never more than the file has bytes: values
beyond that must lie over others, and are left out.
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
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
MAX_FIELDS = 4096
_MAX_GAP = 1 << 16
ENTRY = 12


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
    """Fields by tag, in one byte order ('<' or '>'), and the directories that EXIF, GPS and INTEROP point to.

    ``is_cut`` says that values were left out because they lie over others.
    """

    order: str = "<"
    fields: dict[int, Field] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)
    is_cut: bool = False

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The integers of a field; () when it is absent or no integers."""
        found = self.fields.get(tag)
        if found is None or found.type not in CODES:
            return ()
        return struct.unpack(f"{self.order}{found.count}{CODES[found.type]}", found.data)

    def number(self, tag: int, default: int = 0) -> int:
        """The first integer of a field."""
        return (*self.numbers(tag), default)[0]

    def put(self, tag: int, kind: int, *values: int) -> None:
        """Sets a field to integers: of type BYTE, SHORT, LONG, or RATIONAL as numerator, denominator, …"""
        code = "I" if kind == 5 else CODES[kind]
        self.fields[tag] = Field(kind, struct.pack(f"{self.order}{len(values)}{code}", *values))


def read(data: bytes, offset: int = 0, *, skip: frozenset[int] = frozenset()) -> Directory:
    """Reads one directory and those it points to, leaving out fields beyond the data or of no known type.

    Args:
        data: a TIFF file or an EXIF block, from its header on.
        offset: of the directory; the first one's without.
        skip: tags whose values are not wanted, such as tables of strips.

    Raises:
        ValueError: not a TIFF structure, or one without a directory.

    Returns:
        the directory; with ``is_cut`` when its values, and those of the directories it points to, are more bytes than
        there are: the last of them are left out.
    """
    return _read(data, offset or first(data), skip, depth=0, room=len(data))[0]


def _read(data: bytes, offset: int, skip: frozenset[int], depth: int, room: int) -> tuple[Directory, int]:
    """A directory and those it points to, of at most `room` bytes; and how many of these are left."""
    order, big = kind_of(data)
    directory = Directory(order)
    for _, tag, kind, size, at in entries(data, offset, order, big):
        if tag in skip or at + size > len(data):
            continue
        inline = size <= (8 if big else 4)
        room -= ENTRY if inline else ENTRY + size
        if room < 0:
            directory.is_cut = True
            break
        directory.fields[tag] = Field(kind, data[at : at + size], 0 if inline else at)
    for tag in _POINTERS:
        if tag in directory.fields:
            target = directory.number(tag)
            del directory.fields[tag]
            if depth < 2 and 0 < target < len(data) - 2:
                child, room = _read(data, target, skip, depth + 1, room)
                directory.children[tag] = child
                directory.is_cut |= child.is_cut
    return directory, room


def first(data: bytes) -> int:
    """Where the first directory starts; ValueError where there is no TIFF header."""
    if data[:4] not in HEADERS:
        raise ValueError("no TIFF header")
    order, big = kind_of(data)
    return unpack(data, 8 if big else 4, f"{order}{'Q' if big else 'I'}")


def entries(data: bytes, offset: int, order: str, big: bool) -> Iterator[tuple[int, int, int, int, int]]:
    """Every entry of a known type: its place, tag, type, size in bytes, and the place of its value."""
    count = unpack(data, offset, f"{order}{'Q' if big else 'H'}")
    step, form, start = (20, f"{order}HHQ", offset + 8) if big else (12, f"{order}HHI", offset + 2)
    for position in range(start, start + step * min(count, MAX_FIELDS), step):
        if position + step > len(data):
            return
        tag, kind, values = struct.unpack_from(form, data, position)
        size = _SIZES.get(kind, 0) * values
        inline = position + (12 if big else 8)
        if size:
            fits = size <= (8 if big else 4)
            yield position, tag, kind, size, inline if fits else unpack(data, inline, f"{order}{'Q' if big else 'I'}")


def kind_of(data: bytes) -> tuple[str, bool]:
    """Byte order, '<' or '>', and whether this is a BigTIFF."""
    return "<" if data[:1] == b"I" else ">", b"+" in data[2:4]


def unpack(data: bytes, offset: int, form: str) -> int:
    """The number at an offset; ValueError beyond the data."""
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
