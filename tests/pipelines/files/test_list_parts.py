"""Lists of every kind have the same rows, however they are split."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from list_files import KINDS, PATHS, list_of, rows_of

from pipelines.files import list_parts
from tfrecords.errors import UserError


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 7, 20, 1 << 20])
def test_a_list_has_the_same_rows_however_it_is_split(kind, size, monkeypatch):
    monkeypatch.setattr(list_parts, "_PART_BYTES", size)
    monkeypatch.setattr(list_parts, "_PART_ROWS", size)
    paths = [path for path in PATHS * 3 if kind != ".txt" or "\n" not in path]
    assert rows_of(list_of(paths, kind), kind) == paths
    with_mark = b"" if kind in (".parquet", ".jsonl") else b"\xef\xbb\xbf"
    assert rows_of(with_mark + list_of(paths, kind), kind) == paths


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("column", ["path", "URI", "id"])
def test_a_column_names_the_photos(kind, column):
    assert rows_of(list_of(PATHS, kind, column if kind != ".jsonl" else column.lower()), kind) == PATHS
    assert rows_of(list_of(PATHS, kind, "Datei"), kind, ("x", "Datei")) == PATHS
    with pytest.raises(UserError, match=r"has no column path or uri or id; its columns are: n, Datei; choose with"):
        rows_of(list_of(PATHS, kind, "Datei"), kind)


@pytest.mark.parametrize(
    ("kind", "data", "complaint"),
    [
        (
            ".csv",
            b'path,n\na.jpg,1\n"b.jpg,2\nc.jpg,3\n',
            "begins in line 3 has a quote that is not closed",
        ),
        (".csv", b'path,n\n\na.jpg,1\n"b.jpg" or c.jpg,2\n', "the row that begins in line 4 has a quote"),
        (".tsv", b'path\tn\n"a.jpg\t1\nb.jpg\t2\n', "the row that begins in line 2 has a quote"),
        (".csv", b'"path,n\na.jpg,1\n', "the row that begins in line 1 has a quote"),
        (".csv", b"path,n,Path\na.jpg,1,b.jpg\n", "has several columns named path; rename all but one"),
        (".csv", b"path,n\ra.jpg,1\rb.jpg,2\r", "ends its lines with carriage returns alone; save it with line feeds"),
        (".txt", b"a.jpg\rb.jpg\r", "ends its lines with carriage returns alone"),
        (".csv", b"", "is empty; its first row must name the columns"),
    ],
)
def test_a_list_that_would_lose_photos_is_refused(kind, data, complaint):
    with pytest.raises(UserError, match=complaint):
        rows_of(data, kind)


def test_quotes_may_end_where_another_separator_would_not_allow_it():
    assert rows_of(b'"n"\t"path"\r\n1\t"a ""b"", c.jpg"\r\n', ".csv") == ['a "b", c.jpg']


def test_a_column_of_parquet_holds_texts():
    table = pa.table({"path": [["a.jpg"], ["b.jpg", "c.jpg"]]})
    file = io.BytesIO()
    pq.write_table(table, file)
    with pytest.raises(UserError, match=r"column path holds list<.*>, not texts; choose another with --input_columns"):
        rows_of(file.getvalue(), ".parquet")
