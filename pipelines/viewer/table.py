"""Write the records of a folder as one table: CSV for spreadsheets, Parquet for BigQuery, DuckDB and pandas.

A row is a photo. The columns are the fields of its record (`pipelines.archive.manifest`). In CSV, those of a list have
one value for each page, separated by ``|``. In Parquet they are lists. Text that is not UTF-8 has the replacement
character. Memory does not grow with the records.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:  # The command's flags need the endings alone, and no slow import.
    from pipelines.archive.manifest import Record

ENDINGS = (".csv", ".parquet")
_RECORDS_AT_ONCE = 10_000
_OF_PAGES = ("output", "page", "width", "height", "output_bytes", "output_sha256", "tone", "colourfulness")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write(records: Iterable[Record], ending: str, file: BinaryIO) -> None:
    """Write a table.

    Args:
        records: in the order of the rows.
        ending: one of ENDINGS.
        file: to write to.
    """
    _WRITERS[ending](map(_row, records), file)


def _row(record: Record) -> dict[str, Any]:
    pages = record.outputs
    return {
        "name": _text(record.name),
        "uri": _text(record.uri),
        "offset": record.offset,
        "fingerprint": record.fingerprint,
        "status": record.status,
        "reason": record.reason,
        "detail": _text(record.detail),
        "bytes": record.bytes,
        "sha256": record.sha256,
        "format": record.format,
        "output": [_text(page.name) for page in pages],
        "page": [page.page for page in pages],
        "width": [page.width for page in pages],
        "height": [page.height for page in pages],
        "output_bytes": [page.bytes for page in pages],
        "output_sha256": [page.sha256 for page in pages],
        "tone": [page.tone for page in pages],
        "colourfulness": [page.colourfulness for page in pages],
        "model": record.model,
        "model_digest": record.model_digest,
        "settings_digest": record.settings_digest,
        "saturation": record.saturation,
        "color_space": record.color_space,
        "guided": _text(json.dumps(record.guided, ensure_ascii=False)) if record.guided else "",
        "run": record.run,
        "warnings": [_text(warning) for warning in record.warnings],
    }


def _text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _write_csv(rows: Iterator[dict[str, Any]], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")  # with the mark by which spreadsheets know UTF-8
    writer = csv.writer(text)
    writer.writerow(_columns())
    for row in rows:
        writer.writerow(map(_cell, row.values()))
    text.detach()


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = "|".join("" if one is None else str(one) for one in value)
    # Spreadsheets take such text for a formula.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _write_parquet(rows: Iterator[dict[str, Any]], file: BinaryIO) -> None:
    import pyarrow as pa  # takes a moment that CSV need not wait for
    import pyarrow.parquet as pq

    types: Mapping[str, Any] = {
        **dict.fromkeys(("offset", "bytes", "run"), pa.int64()),
        "saturation": pa.float64(),
        **dict.fromkeys((*_OF_PAGES, "warnings"), pa.list_(pa.string())),
        **dict.fromkeys(("page", "width", "height", "output_bytes"), pa.list_(pa.int64())),
        "colourfulness": pa.list_(pa.float64()),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in _columns()])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while few := list(islice(rows, _RECORDS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(few, schema))


def _columns() -> list[str]:
    from pipelines.archive.manifest import Record

    return list(_row(Record(name="", uri="", offset=None, fingerprint="", status="written")))


_WRITERS: dict[str, Callable[[Iterator[dict[str, Any]], BinaryIO], None]] = dict(
    zip(ENDINGS, (_write_csv, _write_parquet), strict=True)
)
