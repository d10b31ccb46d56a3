import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrecords.description import Description
from tfrecords.errors import UserError
from tfrecords.shards import Shard

WHOLE = Description(
    size=64,
    splits={
        "train": [Shard(name="a", count=3, bytes=500, crc32c=7), Shard(name="b", count=4, bytes=600, crc32c=8)],
        "validation": [Shard(name="c", count=1, bytes=90, crc32c=9)],
    },
    settings={"size": 64, "validation_percent": 5.0},
    outcomes={"written": 8, "grayscale": 2},
)


def test_round_trip():
    text = WHOLE.to_json()
    assert Description.from_json(text) == WHOLE
    assert Description.from_json(text).to_json() == text
    assert text.endswith("}\n")
    assert json.loads(text)["format"] == "autochrome-lab"
    assert set(json.loads(text)["features"]) == {"luminance", "chroma", "height", "width", "name", "synset"}


def test_count():
    assert (WHOLE.count("train"), WHOLE.count("validation"), WHOLE.count("test")) == (7, 1, 0)


def test_the_fingerprint_is_of_the_records_only():
    fields = vars(WHOLE)
    assert Description(**fields | {"settings": {}, "outcomes": {}}).fingerprint == WHOLE.fingerprint
    others = [
        {"size": 32},
        {"splits": {**WHOLE.splits, "validation": []}},
        {"splits": {**WHOLE.splits, "validation": [Shard(name="c", count=1, bytes=90, crc32c=10)]}},
        {"version": 2},
    ]
    assert len({WHOLE.fingerprint, *(Description(**fields | other).fingerprint for other in others)}) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop("format"),
        lambda fields: fields.pop("size"),
        lambda fields: fields.pop("splits"),
        lambda fields: fields.pop("outcomes"),
        lambda fields: fields.update(format="autochrome-rgb"),
        lambda fields: fields.update(colour="yes"),
        lambda fields: fields.update(splits=[]),
        lambda fields: fields["splits"]["train"][0].pop("crc32c"),
        lambda fields: fields["splits"].update(train=[1, 2]),
        lambda fields: fields.update(size="64"),
        lambda fields: fields.update(size=0),
        lambda fields: fields.update(outcomes={"written": "8"}),
        lambda fields: fields.update(settings=[]),
        lambda fields: fields["splits"]["train"][0].update(count=None),
        lambda fields: fields["splits"]["train"][0].update(bytes=-1),
        lambda fields: fields["splits"]["train"][0].update(name="../a"),
        lambda fields: fields.update(statistics={"train": {"examples": 3}}),
    ],
)
def test_another_object_is_a_user_error(change):
    fields = json.loads(WHOLE.to_json())
    change(fields)
    with pytest.raises(UserError, match=r"^here/dataset\.json does not describe .*autochrome prepare`$"):
        Description.from_json(json.dumps(fields), "here/dataset.json")


@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("format"), inner),
            max_leaves=5,
        ).map(json.dumps),
    )
)
def test_any_other_text_is_a_user_error(text):
    with pytest.raises(UserError):
        Description.from_json(text)


def test_another_version_is_named():
    fields = json.loads(WHOLE.to_json()) | {"version": 99}
    with pytest.raises(UserError, match="spec version 99, this program reads 1"):
        Description.from_json(json.dumps(fields))
