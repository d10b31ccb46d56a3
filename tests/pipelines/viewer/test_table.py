import csv
import io
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from colorized_folder import NO_UTF_8, colorized

from pipelines.archive.manifest import Record
from pipelines.viewer import table


@pytest.fixture(scope="module")
def records(tmp_path_factory, photos) -> list[Record]:
    return colorized(tmp_path_factory.mktemp("table"), photos).records


def written(records: list[Record], ending: str) -> io.BytesIO:
    file = io.BytesIO()
    table.write(records, ending, file)
    file.seek(0)
    return file


def test_a_spreadsheet_has_one_row_for_each_photo(records):
    file = written(records, ".csv").getvalue()
    assert file.startswith(b"\xef\xbb\xbfname,uri,offset,")
    rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    assert [row["name"].replace("\ufffd", "\udce9") for row in rows] == [record.name for record in records]
    album = next(row for row in rows if row["name"] == "album.tif")
    assert (album["page"], album["output"]) == ("1|2", "album.tif|album.tif")
    rejected = next(row for row in rows if row["reason"] == "unreadable")
    assert (rejected["status"], rejected["detail"], rejected["output"]) == ("rejected", "cut", "")


def test_a_name_is_no_formula_of_the_spreadsheet(records):
    names = ["=1+1.jpg", "@a.jpg", "-a.jpg", "a=b.jpg"]
    file = written([replace(records[0], name=name) for name in names], ".csv").getvalue().decode("utf-8-sig")
    assert [row["name"] for row in csv.DictReader(io.StringIO(file))] == ["'=1+1.jpg", "'@a.jpg", "'-a.jpg", "a=b.jpg"]


def test_parquet_keeps_numbers_and_lists(records):
    found = pq.read_table(written(records, ".parquet")).to_pylist()
    assert len(found) == len(records)
    for row, record in zip(found, records, strict=True):
        assert (row["bytes"], row["status"], row["run"]) == (record.bytes, record.status, record.run)
        assert row["width"] == [output.width for output in record.outputs]
        assert row["colourfulness"] == [output.colourfulness for output in record.outputs]
        assert row["warnings"] == list(record.warnings)
    assert NO_UTF_8.replace("\udce9", "\ufffd") in {row["name"] for row in found}


@pytest.mark.parametrize("ending", table.ENDINGS)
def test_equal_records_give_equal_tables_and_none_gives_an_empty_one(records, ending):
    assert written(records, ending).getvalue() == written(records, ending).getvalue()
    assert written([], ending).getvalue()
