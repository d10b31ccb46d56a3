import pickle
from dataclasses import fields

from hypothesis import given
from records import RECORD, recorded

from pipelines.archive.manifest import Record
from pipelines.files.sources import Source


@given(recorded)
def test_what_was_pickled_is_equal_in_all_fields(record: Record):
    again = pickle.loads(pickle.dumps(record))
    assert all(getattr(again, field.name) == getattr(record, field.name) for field in fields(Record))
    assert again.outputs == record.outputs


def test_names_of_fields_are_left_out():
    source = Source(uri="/scans/a.jpg", name="a.jpg", size=7, fingerprint="7-1")
    for made in (RECORD, source):
        data = pickle.dumps(made)
        assert b"fingerprint" not in data
        assert pickle.loads(data) == made
