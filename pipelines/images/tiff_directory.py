"""TIFF directories in memory: EXIF and what else TIFF files say, read once, changed as objects, written once.

CIPA DC-008 (Exif 3.0) section 4.5; BigTIFF is read, not written. Values keep their bytes, type and byte order, so that
nothing is lost to a re-encoding of text or to a guess at a type. A MakerNote may count its offsets from the start of
the file. It goes back to its old place whenever that is free.

The entries of a hostile file may all name the same megabyte. A directory never holds more bytes than the file has:
beyond that values must overlap, and are left out.
"""

import struct
from dataclasses import dataclass, field

from pipelines.images import tiff_table
from pipelines.images.tiff_table import Table
from pipelines.images.tiff_tags import BIG_TYPES, CODES, EXIF_IFD, MAKER_NOTE, POINTERS, SIZES, FieldType

ENTRY = 12
"""Bytes of an entry."""
LINK = 4
"""Bytes of the offset of the next directory, at the end of a table."""
_HEADER, _INLINE, _MAX_DEPTH, _MAX_GAP = 8, 4, 2, 1 << 16
_MAX_SIZE = 1 << 32


@dataclass(frozen=True, kw_only=True)
class Field:
    """One value of a directory.

    Attributes:
        type: TIFF's code of its type, see `pipelines.images.tiff_tags.FieldType`.
        data: its bytes, in the directory's byte order.
        at: where they were in the file if they did not fit into the entry itself, else 0.
    """

    type: int
    data: bytes
    at: int = 0

    @property
    def count(self) -> int:
        """The number of values, not bytes."""
        return len(self.data) // SIZES[self.type]

    @property
    def size(self) -> int:
        """The bytes that the field takes in a file: its entry, and its value if that does not fit into the entry."""
        return ENTRY + (len(self.data) + len(self.data) % 2 if len(self.data) > _INLINE else 0)


@dataclass(kw_only=True)
class Directory:
    """Values by tag, and the directories that EXIF_IFD, GPS_IFD and INTEROPERABILITY_IFD point to.

    A directory without either is false.

    Attributes:
        order: byte order, '<' or '>'.
        fields: the values.
        children: the other directories.
        lost: tags whose values overlap, lie beyond the file, or are of a type that only BigTIFF has, here or in the
            other directories.
    """

    order: str = "<"
    fields: dict[int, Field] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)
    lost: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.children)

    @property
    def table_size(self) -> int:
        """The bytes of its table: entries and the offset of the next directory."""
        return 2 + ENTRY * (len(self.fields) + len(self.children)) + LINK

    @property
    def size(self) -> int:
        """The bytes that it takes in a file, with the other directories but without a header."""
        own = self.table_size - ENTRY * len(self.fields) + sum(value.size for value in self.fields.values())
        return own + sum(child.size for child in self.children.values())

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the integers of a value; () if it is absent or not made of integers."""
        found = self.fields.get(tag)
        if found is None or found.type not in CODES:
            return ()
        return struct.unpack(f"{self.order}{found.count}{CODES[found.type]}", found.data)

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first integer of a value."""
        return (*self.numbers(tag), default)[0]

    def put(self, tag: int, kind: int, *values: int) -> None:
        """Set a value to integers, of type RATIONAL to numerator and denominator by turns."""
        code = CODES[FieldType.LONG if kind == FieldType.RATIONAL else kind]
        self.fields[tag] = Field(type=kind, data=struct.pack(f"{self.order}{len(values)}{code}", *values))

    def copy(self) -> "Directory":
        """Return a copy; changes to it leave this one and its other directories as they are."""
        children = {tag: child.copy() for tag, child in self.children.items()}
        return Directory(order=self.order, fields=dict(self.fields), children=children, lost=self.lost)


def read(data: bytes, *, skip: frozenset[int] = frozenset()) -> Directory:
    """Read the first directory of an EXIF block or a TIFF file; see `of_table`.

    Raises:
        ValueError: this is not a TIFF structure, or it has no directory.
    """
    return of_table(tiff_table.parse(data, tiff_table.first_offset(data)), skip=skip)


def of_table(table: Table, *, skip: frozenset[int] = frozenset()) -> Directory:
    """Read the values of a directory and of those that it points to.

    Args:
        table: of the directory.
        skip: tags whose values are not wanted, such as the offsets of strips.

    Returns:
        the directory, without values of an unknown type; and in ``lost`` the tags of values beyond the file, of a type
        that only BigTIFF has, and, if there are more bytes of values than the file has, of the last of them.

    Raises:
        ValueError: a directory that it points to is beyond the file.
    """
    return _read(table, skip, 0, len(table.data))[0]


def _read(table: Table, skip: frozenset[int], depth: int, room: int) -> tuple[Directory, int]:
    """Return a directory of at most ``room`` bytes, those it points to included, and what is left of the room."""
    data = table.data
    directory = Directory(order=table.layout.order)
    lost: list[int] = []
    for place, entry in enumerate(table.entries):
        if entry.tag in skip:
            continue
        if entry.at + entry.size > len(data):
            lost.append(entry.tag)
            continue
        room -= ENTRY if entry.is_inline else ENTRY + entry.size
        if room < 0:
            lost += [other.tag for other in table.entries[place:]]
            break
        value = data[entry.at : entry.at + entry.size]
        directory.fields[entry.tag] = Field(type=entry.type, data=value, at=0 if entry.is_inline else entry.at)
    for tag in POINTERS:
        if tag in directory.fields:
            target = directory.number(tag)
            del directory.fields[tag]
            if depth < _MAX_DEPTH and 0 < target < len(data) - 2:
                child, room = _read(tiff_table.parse(data, target), skip, depth + 1, room)
                directory.children[tag] = child
                lost += child.lost
            else:
                lost.append(tag)
    for tag in [tag for tag, value in directory.fields.items() if value.type in BIG_TYPES]:
        del directory.fields[tag]
        lost.append(tag)
    directory.lost = tuple(dict.fromkeys(lost))
    return directory, room


def header(order: str) -> bytes:
    """Return the 8 bytes before a first directory that follows at once."""
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, _HEADER)


def block(directory: Directory, most: int = _MAX_SIZE) -> bytes:
    """Return a directory as an EXIF block: a header, then the directory.

    Args:
        directory: any.
        most: how long the block may be. A MakerNote goes back to its old place only if the block is not longer then.
    """
    return header(directory.order) + write(directory, _HEADER, most)


def write(directory: Directory, start: int, most: int = _MAX_SIZE) -> bytes:
    """Lay a directory out, with its values and the other directories behind it; no other page follows.

    Args:
        directory: any.
        start: where it will start in the file, an even number.
        most: as in `block`, of the file up to the end of the directory.
    """
    return _laid_out(directory, start, most).finish()


def write_with_places(directory: Directory, start: int) -> tuple[bytes, dict[int, int]]:
    """Lay a directory out as `write` does, and return where in the file its own values are, by tag."""
    writer = _laid_out(directory, start, _MAX_SIZE)
    return writer.finish(), writer.places


def _laid_out(directory: Directory, start: int, most: int) -> "_Writer":
    child = directory.children.get(EXIF_IFD)
    note = child.fields.get(MAKER_NOTE) if child else None
    spare = min(_MAX_GAP - 1, most - start - directory.size)
    waits = note is not None and note.at >= start + directory.table_size
    writer = _Writer(start, note, waits=waits, most_gap=spare)
    writer.add(directory)
    return writer


class _Writer:
    """Bytes that grow from an offset on, around one value, the MakerNote, that should come to lie where it was."""

    def __init__(self, start: int, note: Field | None, *, waits: bool, most_gap: int) -> None:
        self.places: dict[int, int] = {}
        self._start = start
        self._bytes = bytearray()
        self._note = note
        self._note_waits = waits
        self._note_at = 0
        self._most_gap = most_gap

    @property
    def _end(self) -> int:
        return self._start + len(self._bytes)

    def _place(self, data: bytes) -> int:
        """Append bytes at an even offset; behind the MakerNote if they do not fit before it."""
        self._bytes += bytes(self._end % 2)
        if self._note_waits and self._note and self._end + len(data) > self._note.at:
            self._settle_note(self._note)
        offset = self._end
        self._bytes += data
        return offset

    def _settle_note(self, note: Field) -> None:
        """Put the MakerNote where it was if that is still ahead and near."""
        self._note_waits = False
        gap = note.at - self._end
        if 0 <= gap <= self._most_gap:
            self._bytes += bytes(gap) + note.data
            self._note_at = note.at
            self._bytes += bytes(self._end % 2)

    def add(self, directory: Directory) -> int:
        """Write one directory, with its values and the other directories behind it; return where it starts."""
        tags = sorted([*directory.fields, *directory.children])
        start = self._place(bytes(directory.table_size))
        table = bytearray(struct.pack(f"{directory.order}H", len(tags)))
        for tag in tags:
            if tag in directory.children:
                kind, count = int(FieldType.LONG), 1
                content = self._pointer(directory, self.add(directory.children[tag]))
            else:
                value = directory.fields[tag]
                kind, count = value.type, value.count
                if len(value.data) <= _INLINE:
                    at, content = start + len(table) + ENTRY - _INLINE, value.data
                else:
                    at = self._value(value)
                    content = self._pointer(directory, at)
                if start == self._start:
                    self.places[tag] = at
            table += struct.pack(f"{directory.order}HHI", tag, kind, count) + content.ljust(_INLINE, b"\0")
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
        """Return everything from the offset on."""
        return bytes(self._bytes)
