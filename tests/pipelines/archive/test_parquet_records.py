import io
from dataclasses import fields, replace

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import OUTPUT, RECORD, recorded

from pipelines.archive import parquet_records, record_files
from pipelines.archive.manifest import PARQUET, Record
from pipelines.archive.parquet_records import NotParquetError, from_parquet, to_parquet
from pipelines.archive.record_files import Damage
from pipelines.archive.shards import ManifestWriter
from pipelines.files import list_parts, list_rows
from pipelines.files.list_parts import Part
from pipelines.files.list_rows import Row

NO_UTF_8 = b"caf\xe9.jpg".decode(errors="surrogateescape")
IN_A_TAR = replace(RECORD, name=NO_UTF_8, uri="/scans/box.tar", offset=512, fingerprint="9-1700-33")
SHARD = "manifest/photos-00000-of-00001.parquet"


def table(records: list[Record]) -> pq.ParquetFile:
    return pq.ParquetFile(io.BytesIO(to_parquet(records)))


@settings(max_examples=40)
@given(st.lists(recorded, max_size=3))
def test_records_are_read_back_in_each_of_their_fields(records):
    assert list(from_parquet(io.BytesIO(to_parquet(records)))) == records


def test_programs_find_columns_of_fixed_types_whatever_the_records():
    assert table([]).schema_arrow == table([RECORD, IN_A_TAR]).schema_arrow
    told = [one.name for one in fields(Record) if one.compare]
    assert table([RECORD]).schema_arrow.names == told
    first = table([RECORD]).read().to_pylist()[0]
    assert (first["name"], first["offset"], first["outputs"][0]["height"], first["guided"]) == (
        "a.jpg",
        None,
        480,
        "{}",
    )
    assert set(first["outputs"][0]) == {one.name for one in fields(OUTPUT) if one.compare}


def test_the_name_of_a_file_that_is_not_utf_8_is_written_as_in_json():
    assert table([IN_A_TAR]).read(["name"]).to_pylist() == [{"name": r"caf\udce9.jpg"}]


def test_rows_are_written_and_read_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(parquet_records, "_ROWS_AT_ONCE", 2)
    records = [replace(RECORD, name=name) for name in "abcde"]
    data = to_parquet(records)
    assert pq.ParquetFile(io.BytesIO(data)).num_row_groups == 3
    assert list(from_parquet(io.BytesIO(data))) == records
    assert parquet_records.first_name(io.BytesIO(data)) == "a"


def test_a_record_that_names_a_file_outside_the_folder_is_not_ours():
    forged = replace(RECORD, outputs=(replace(OUTPUT, name="../a.jpg"),))
    assert list(from_parquet(io.BytesIO(to_parquet([forged, RECORD])))) == [None, RECORD]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"{}\n" * 99])
def test_what_is_not_parquet_is_told(data):
    assert parquet_records.first_name(io.BytesIO(data)) == ""
    with pytest.raises(NotParquetError):
        list(from_parquet(io.BytesIO(data)))


def test_each_damage_of_a_shard_is_told(tmp_path):
    records = [replace(RECORD, name=f"{index:04}.jpg", sha256=f"{index:064x}") for index in range(500)]
    name, data = ManifestWriter(output=str(tmp_path), shards=1, format=PARQUET).write(0, records)
    record_files.write_index(str(tmp_path), [record_files.entry(name, len(records), data)])
    index = record_files.read_index(str(tmp_path))
    path = tmp_path / SHARD

    def damage() -> list[str]:
        read = record_files.shard(str(path), SHARD, index)
        return [one.what for one in read if isinstance(one, Damage)]

    assert (name, damage()) == (SHARD, [])
    for at in range(100, len(data) - 1, len(data) // 40):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert len(damage()) == 1, f"byte {at}"
    path.write_bytes(data[:-100])
    assert damage()[0].startswith("is damaged (")
    path.write_bytes(to_parquet(records[:-1]))
    assert damage() == ["has 499 of its 500 records"]
    path.write_bytes(to_parquet([*records[:-1], RECORD]))
    assert damage() == ["was changed since it was written"]


def test_a_manifest_names_photos_as_an_input():
    file = io.BytesIO(to_parquet([RECORD, IN_A_TAR]))
    [part] = list_parts.parts(file, Part(uri="photos-00000-of-00001.parquet", kind=".parquet"))
    assert list(list_rows.rows(file, part)) == [
        Row(path="/scans/a.jpg", name="a.jpg"),
        Row(path="/scans/box.tar", name=NO_UTF_8, offset=512, size=33, fingerprint="9-1700-33"),
    ]
