import json
from dataclasses import replace
from pathlib import Path

import pytest
from records import RECORD

from pipelines.archive import record_files
from pipelines.archive.manifest import FORMATS, Record
from pipelines.archive.record_files import NO_INDEX, Damage
from pipelines.archive.shards import ManifestWriter

FOUND = [replace(RECORD, name=f"{name}.jpg", milliseconds={"read": 1.5}) for name in ("b", "ä", "a")]


def read(path: Path) -> list[Record | Damage]:
    return list(record_files.shard(str(path), f"manifest/{path.name}", NO_INDEX))


@pytest.mark.parametrize("file_format", FORMATS)
def test_shards_have_the_same_bytes_whatever_the_order_and_the_times(tmp_path, file_format):
    untimed = [replace(record, milliseconds={}) for record in FOUND[::-1]]
    for folder, records in (("one", FOUND), ("two", untimed)):
        ManifestWriter(output=str(tmp_path / folder), shards=1, format=file_format).write(0, records)
    one, two = (tmp_path / folder / "manifest" / f"photos-00000-of-00001.{file_format}" for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert b"1234-5" not in one.read_bytes()
    assert [(record.name, record.milliseconds) for record in read(one)] == [
        (f"{name}.jpg", {"read": 1.5}) for name in ("a", "b", "ä")
    ]
    times = (tmp_path / "one" / "manifest" / "timings-00000-of-00001.jsonl").read_text().splitlines()
    assert json.loads(times[0]) == {"name": "a.jpg", "milliseconds": {"read": 1.5}, "outputs": ["1234-5"]}
