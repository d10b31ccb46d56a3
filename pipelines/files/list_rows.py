"""The rows of a list, read one after the other: each names a photo, a tar or a folder.

The records of a manifest and of ``rejected.jsonl`` are rows as well. They keep the names that they have there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from pipelines.files import list_parts
from pipelines.files.list_parts import COLUMNS, Part
from pipelines.files.surrogates import unescaped
from tfrecords.errors import UserError

_BATCH = 8192


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a list.

    Attributes:
        path: of the photo; '' if the row names none.
        name: of the photo in an earlier run; '' where the list is not a record of one.
        offset: of its first byte in a tar; None for a file.
        size: in bytes, of a photo in a tar.
        fingerprint: of a photo in a tar, as recorded.
    """

    path: str
    name: str = ""
    offset: int | None = None
    size: int = 0
    fingerprint: str = ""


def rows(file: BinaryIO, part: Part) -> Iterator[Row]:
    """Yield the rows of a part of a list; blank lines are left out.

    Args:
        file: the list, open for reading and seekable.
        part: of the list.

    Raises:
        UserError: the list is damaged.
        OSError: it cannot be read.
    """
    if part.kind == ".parquet":
        for values in _values(file, part):
            if part.has_records:
                yield _recorded(_unescaped(dict(zip(part.columns, values, strict=True))), part)
            else:
                yield _row(next((value for value in values if value), ""))
    elif part.kind == ".jsonl":
        for position, line in list_parts.lines(file, part):
            if line.strip():
                yield _of_json(list_parts.parsed(line, part, position), part, position)
    elif part.positions:
        for fields in list_parts.Rows(file, part):
            if fields:
                yield Row(path=next((fields[at] for at in part.positions if at < len(fields) and fields[at]), ""))
    else:
        for _, line in list_parts.lines(file, part):
            if line.strip():
                yield Row(path=list_parts.text(line))


def _row(value: object) -> Row:
    return Row(path=value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value or ""))


def _of_json(found: object, part: Part, position: int) -> Row:
    if isinstance(found, str):
        return Row(path=found)
    if not isinstance(found, dict):
        raise UserError(
            f"{part.uri} is damaged: the line at byte {position:,} is neither an object nor a path in quotes"
        )
    if part.columns == COLUMNS and _is_record(found):
        return _recorded(found, part)
    return _row(next((found[column] for column in part.columns if found.get(column)), ""))


def _is_record(found: dict[str, Any]) -> bool:
    return all(isinstance(found.get(field), str) for field in ("name", "uri", "status"))


def _unescaped(found: dict[str, Any]) -> dict[str, Any]:
    return {key: unescaped(value) if isinstance(value, str) else value for key, value in found.items()}


def _recorded(found: dict[str, Any], part: Part) -> Row:
    """Return the row of a record of `pipelines.archive.manifest` or an outcome of `pipelines.runtime.outcomes`."""
    path, name, offset = found["uri"], found["name"], found.get("offset")
    if offset is None:
        return Row(path=path, name=name)
    fingerprint = str(found.get("fingerprint", ""))
    size = fingerprint.rpartition("-")[2]
    if not isinstance(offset, int) or not size.isdecimal():
        raise UserError(f"{part.uri} is damaged: the record of {name} has no place in {path}")
    return Row(path=path, name=name, offset=offset, size=int(size), fingerprint=fingerprint)


def _values(file: BinaryIO, part: Part) -> Iterator[tuple[object, ...]]:
    """Yield the values of each row of Parquet, in the order of the part's columns."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file, pre_buffer=False)
    left = part.start
    wanted = part.stop - part.start
    for batch in table.iter_batches(_BATCH, row_groups=[part.group], columns=list(part.columns), use_threads=False):
        if left >= batch.num_rows:
            left -= batch.num_rows
            continue
        batch = batch.slice(left, wanted)
        left = 0
        columns = [batch.column(name).to_pylist() for name in part.columns]
        yield from zip(*columns, strict=True)
        wanted -= batch.num_rows
        if not wanted:
            return
