"""Lists of every kind have the same rows, however they are split."""

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
