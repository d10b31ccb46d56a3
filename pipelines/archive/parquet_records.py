"""Records as Parquet: what `pipelines.archive.manifest` describes as JSON, in columns of fixed types.

    SELECT reason, count(*) FROM 'colour/manifest/photos-*.parquet' GROUP BY reason

The columns are the fields of a record. Those of its files and of files that are left are lists of structures, and
``guided`` is text in JSON. Text that is not UTF-8 has the escapes of `pipelines.files.surrogates`. Rows are written and
read 2,000 at a time. The bytes depend on the records alone, and each page of values has a checksum.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING, Any, BinaryIO, get_args, get_type_hints

from pipelines.archive.manifest import Record
from pipelines.files.list_parts import RECORDS_MARK
from pipelines.files.surrogates import escaped, unescaped

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 2_000


class NotParquetError(ValueError):
    """The bytes are not Parquet, or they are damaged."""


def to_parquet(records: Iterable[Record]) -> bytes:
    """Return a file of records, in their order, without what differs between runs."""
    import pyarrow as pa  # takes a moment that JSON Lines need not wait for
    import pyarrow.parquet as pq

    file, rest = io.BytesIO(), iter(records)
    with pq.ParquetWriter(file, _schema(), compression="zstd", write_page_checksum=True) as writer:
        while few := [_row(record) for record in islice(rest, _ROWS_AT_ONCE)]:
            writer.write_table(pa.Table.from_pylist(few, _schema()))
    return file.getvalue()


def from_parquet(file: BinaryIO) -> Iterator[Record | None]:
    """Yield the records of a file, and None for a row that is not a record.

    Args:
        file: open for reading and seekable.

    Raises:
        NotParquetError: it is damaged, after the rows that are not.
    """
    for row in _rows(file, None):
        try:
            yield Record.from_fields({**_plain(row), "guided": json.loads(row["guided"])})
        except (ValueError, KeyError, TypeError):
            yield None


def first_name(file: BinaryIO) -> str:
    """Return the name of the first record of a file; '' if it has none, or is damaged."""
    try:
        return unescaped(str(next(_rows(file, ["name"]))["name"]))
    except (NotParquetError, StopIteration, KeyError):
        return ""


def _rows(file: BinaryIO, columns: list[str] | None) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
        for batch in table.iter_batches(1 if columns else _ROWS_AT_ONCE, columns=columns, use_threads=False):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # Arrow's own have none
            raise
        raise NotParquetError(str(error)) from error


def _row(record: Record) -> dict[str, Any]:
    told = record.to_fields()
    return {**_escaped(told), "guided": json.dumps(told["guided"])}


def _escaped(value: Any) -> Any:
    return _each(escaped, value)


def _plain(value: Any) -> Any:
    return _each(unescaped, value)


def _each(change: Any, value: Any) -> Any:
    """Return a value of JSON in which each text is changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each(change, one) for key, one in value.items()}
    return [_each(change, one) for one in value] if isinstance(value, list | tuple) else value


@cache
def _schema() -> "pa.Schema":
    """Return the columns, from the types of the fields of `Record`."""
    import pyarrow as pa

    return pa.schema(list(_columns(Record)), metadata={RECORDS_MARK: b"1"})


def _columns(of: Any) -> "Iterator[pa.Field]":
    import pyarrow as pa

    hints = get_type_hints(of)
    # Fields that do not count in comparisons differ between runs.
    return (pa.field(one.name, _type(hints[one.name])) for one in fields(of) if one.compare)


def _type(hint: Any) -> "pa.DataType":
    import pyarrow as pa

    plain = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    if hint in plain:
        return plain[hint]
    if is_dataclass(hint):
        return pa.struct(list(_columns(hint)))
    inner = [one for one in get_args(hint) if one not in (NoneType, ...)]
    if getattr(hint, "__origin__", None) is tuple:
        return pa.list_(_type(inner[0]))
    if NoneType in get_args(hint):
        return _type(inner[0])
    return pa.string()  # one of several words, or JSON
