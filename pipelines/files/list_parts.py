"""Lists of photos: which files are lists, and how a list is split, so that many workers read it at once.

A list is never in memory as a whole. Text with a path in each line, and JSON Lines, are split at any byte: a part has
the lines that begin in it. CSV and TSV are read once to find the ends of rows, because a quoted field may contain line
breaks. Parquet is split into row groups, and large groups into ranges of rows.
"""

import argparse
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from tfrecords.errors import UserError

COLUMNS = ("path", "uri", "id")
"""The columns that may name the photos, unless others are given; the first one that a row fills counts."""
ENDINGS = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")
RECORDS_MARK = b"autochrome.records"
"""The key in the metadata of Parquet that says that its rows are records of a manifest."""
LONGEST_LINE = 1 << 20
_OF_RECORDS = ("uri", "name", "offset", "fingerprint")
_PART_BYTES = 1 << 20
_PART_ROWS = 1 << 16
_LOOKED_AT = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = {".csv": ",;\t", ".tsv": "\t"}


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """How lists are read.

    Attributes:
        root: folder or URI that paths in lists are relative to; '' for the folder of each list.
        columns: that may name the photos; () for `COLUMNS`.
    """

    root: str = ""
    columns: tuple[str, ...] = ()


PLAIN = ListOptions()


def lists_of(args: argparse.Namespace) -> ListOptions:
    """Return how lists are read from the flags of a command."""
    return ListOptions(root=args.root, columns=args.input_columns)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a list that one worker reads.

    Attributes:
        uri: of the list.
        root: that its paths are relative to; '' for the folder of the list.
        folder: the first part of the names of photos below the root.
        start: its first byte, or its first row in the row group.
        stop: the byte or row behind its last one.
        kind: the ending of the list, in lower case.
        columns: names of the columns that may name the photos, of JSON Lines and Parquet.
        positions: of these columns in CSV and TSV.
        delimiter: of CSV and TSV.
        group: row group of Parquet.
        has_records: whether the rows of Parquet are records of a manifest.
    """

    uri: str
    root: str = ""
    folder: str = ""
    start: int = 0
    stop: int = 0
    kind: str = ".txt"
    columns: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    delimiter: str = ","
    group: int = 0
    has_records: bool = False


def kind_of(name: str) -> str:
    """Return the ending of a list's name in lower case; '' for any other file."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")


def parts(file: BinaryIO, whole: Part) -> Iterator[Part]:
    """Yield the parts of a list.

    Args:
        file: the list, open for reading and seekable.
        whole: its URI, kind, root and folder; its ``columns`` are those of `ListOptions`.

    Raises:
        UserError: it is not a list of its kind, or none of its columns names the photos.
        OSError: it cannot be read.
    """
    whole = replace(whole, columns=whole.columns or COLUMNS)
    if whole.kind == ".parquet":
        yield from _parquet_parts(file, whole)
        return
    begin = _text_begin(file, whole)
    if whole.kind in _DELIMITERS:
        yield from _table_parts(file, whole, begin)
        return
    if whole.kind == ".jsonl":
        _check_first_object(file, whole, begin)
    size = file.seek(0, io.SEEK_END)
    for start in range(0, size, _PART_BYTES):
        yield replace(whole, start=start, stop=min(start + _PART_BYTES, size))


def lines(file: BinaryIO, part: Part, *, is_split: bool = True) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a part with their positions in bytes, without line breaks.

    Args:
        file: the list.
        part: of the list.
        is_split: whether the part begins at any byte, so that a line that began before it is left out.

    Raises:
        UserError: a line is too long.
    """
    position = part.start
    if is_split and position > 0:
        # From the byte before, so that a line that begins exactly here is not left out.
        file.seek(position - 1)
        position += len(_line(file, part, position)) - 1
    else:
        file.seek(position)
    while position < part.stop and (line := _line(file, part, position)):
        yield position, line.rstrip(b"\r\n") if position else line.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r\n")
        position += len(line)


def _line(file: BinaryIO, part: Part, position: int) -> bytes:
    line = file.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise UserError(f"{part.uri} is not a list: there is no line break in the megabyte from byte {position:,} on")
    return line


def text(line: bytes) -> str:
    """Return a line as text; bytes that are not UTF-8 are kept as Python keeps them in names of files."""
    return line.decode("utf-8", "surrogateescape")


def _text_begin(file: BinaryIO, whole: Part) -> int:
    """Return where the text begins, behind a byte order mark; UserError if the file is not text in UTF-8."""
    file.seek(0)
    start = file.read(_LOOKED_AT)
    if start.startswith(_UTF_16):
        raise UserError(f"{whole.uri} is in UTF-16; save it as UTF-8")
    if b"\0" in start:
        raise UserError(f"{whole.uri} is not text, but {whole.kind} lists are; name the photos in a text file")
    if b"\r" in start.rstrip(b"\r") and b"\n" not in start:
        raise UserError(f"{whole.uri} ends its lines with carriage returns alone; save it with line feeds")
    return len(_BYTE_ORDER_MARK) if start.startswith(_BYTE_ORDER_MARK) else 0


class Rows:
    """The rows of CSV or TSV, read from a binary file, and the position behind the last one."""

    def __init__(self, file: BinaryIO, part: Part) -> None:
        self.position = part.start
        self._part = part
        # Otherwise a quote that is not closed would take all photos up to the next one, or to the end, for one name.
        self._reader = csv.reader(self._lines(file), delimiter=part.delimiter, strict=True)

    def _lines(self, file: BinaryIO) -> Iterator[str]:
        for position, line in lines(file, self._part, is_split=False):
            # The reader takes a line more only within a quoted field.
            self.position = position + len(line)
            yield text(line) + "\n"

    def __iter__(self) -> Iterator[list[str]]:
        read = 0
        try:
            for row in self._reader:
                read = self._reader.line_num
                yield row
        except csv.Error as error:
            is_first = self._part.start <= len(_BYTE_ORDER_MARK)
            where = f"line {read + 1:,}" if is_first else f"the part from byte {self._part.start:,} on"
            raise UserError(
                f"{self._part.uri} is damaged: the row that begins in {where} has a quote that is not closed, or text "
                f"behind a closing quote ({error})"
            ) from error


def _table_parts(file: BinaryIO, whole: Part, begin: int) -> Iterator[Part]:
    size = file.seek(0, io.SEEK_END)
    if size == begin:
        raise UserError(f"{whole.uri} is empty; its first row must name the columns")
    headers: list[list[str]] = []
    damage: UserError | None = None
    for delimiter in _DELIMITERS[whole.kind]:
        table = replace(whole, start=begin, stop=size, delimiter=delimiter)
        try:
            header = next(iter(Rows(file, table)), [])
        except UserError as error:  # quotes end where another separator is
            damage = damage or error
            continue
        headers.append(header)
        if positions := _positions(header, whole):
            yield from _ranges(file, replace(table, positions=positions))
            return
    if damage is not None:
        raise damage
    widest = max(headers, key=len)
    raise _no_column(whole, widest)


def _ranges(file: BinaryIO, table: Part) -> Iterator[Part]:
    rows = Rows(file, table)
    ends = (rows.position for _ in rows)
    next(ends)  # the header
    # A position is that of the last byte before the line break, which belongs to nobody.
    start = rows.position
    for end in ends:
        if end - start >= _PART_BYTES:
            yield replace(table, start=start, stop=end)
            start = end
    if rows.position > start:
        yield replace(table, start=start, stop=rows.position)


def _positions(header: Sequence[str], whole: Part) -> tuple[int, ...]:
    names = [name.strip().lower() for name in header]
    return tuple(names.index(column.lower()) for column in _there(names, whole))


def _there(names: Sequence[str], whole: Part) -> Iterator[str]:
    """Yield the columns of a list that a table has, whose names are in lower case."""
    for column in whole.columns:
        if (number := names.count(column.lower())) > 1:
            raise UserError(f"{whole.uri} has several columns named {column}; rename all but one")
        if number:
            yield column


def _no_column(whole: Part, there: Iterable[str]) -> UserError:
    named = ", ".join(name.strip() for name in there) or "none"
    wanted = " or ".join(whole.columns)
    return UserError(f"{whole.uri} has no column {wanted}; its columns are: {named}; choose with --input_columns")


def _check_first_object(file: BinaryIO, whole: Part, begin: int) -> None:
    size = file.seek(0, io.SEEK_END)
    for position, line in lines(file, replace(whole, start=begin, stop=size), is_split=False):
        if line.strip():
            found = parsed(line, whole, position)
            if isinstance(found, dict) and not any(found.get(column) for column in whole.columns):
                raise _no_column(whole, map(str, found))
            return


def parsed(line: bytes, part: Part, position: int) -> object:
    """Return the value of a line of JSON; UserError if it is not JSON."""
    try:
        return json.loads(text(line))
    except ValueError as error:
        raise UserError(f"{part.uri} is damaged: the line at byte {position:,} is not JSON") from error


def _parquet_parts(file: BinaryIO, whole: Part) -> Iterator[Part]:
    import pyarrow as pa  # takes a quarter of a second, which other inputs need not wait for
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{whole.uri} is not Parquet, or is damaged; write it again") from error
    names = [name.lower() for name in table.schema_arrow.names]
    if whole.columns == COLUMNS and RECORDS_MARK in (table.schema_arrow.metadata or {}):
        whole = replace(whole, columns=_OF_RECORDS, has_records=True)
    fields = [table.schema_arrow.field(names.index(column.lower())) for column in _there(names, whole)]
    if not fields:
        raise _no_column(whole, table.schema_arrow.names)
    if nested := next((field for field in fields if pa.types.is_nested(field.type)), None):
        raise UserError(
            f"{whole.uri}: column {nested.name} holds {nested.type}, not texts; choose another with --input_columns"
        )
    columns = tuple(field.name for field in fields)
    for group in range(table.metadata.num_row_groups):
        rows = table.metadata.row_group(group).num_rows
        for start in range(0, rows, _PART_ROWS):
            yield replace(whole, columns=columns, group=group, start=start, stop=min(start + _PART_ROWS, rows))
