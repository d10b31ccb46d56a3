"""Lists of photos of every kind, made in memory."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.files import list_parts, list_rows
from pipelines.files.list_parts import Part

PATHS = ["box 1/a.jpg", "b [1].png", "ü ☕.tif", 'say "cheese".jpg', "two\nlines.jpg", "comma, here.jpg", " space .jpg"]
KINDS = [".txt", ".csv", ".tsv", ".jsonl", ".parquet"]


def list_of(paths: list[str], kind: str, column: str = "path") -> bytes:
    buffer = io.StringIO(newline="")
    if kind == ".txt":
        return "".join(f"{path}\r\n" for path in paths).encode("utf-8", "surrogateescape")
    if kind == ".jsonl":
        return "".join(json.dumps({"n": n, column: path}) + "\n" for n, path in enumerate(paths)).encode()
    if kind == ".parquet":
        table = io.BytesIO()
        pq.write_table(pa.table({"n": range(len(paths)), column: paths}), table, row_group_size=5)
        return table.getvalue()
    writer = csv.writer(buffer, delimiter="\t" if kind == ".tsv" else ",")
    writer.writerow(["n", column])
    writer.writerows(enumerate(paths))
    return buffer.getvalue().encode("utf-8", "surrogateescape")


def rows_of(data: bytes, kind: str, columns: tuple[str, ...] = ()) -> list[str]:
    file = io.BytesIO(data)
    whole = Part(uri=f"list{kind}", kind=kind, columns=columns)
    return [row.path for part in list_parts.parts(file, whole) for row in list_rows.rows(file, part)]
