import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset.sharding import Slot, is_held_out, order, shard_count, slot

NAMES = [f"n{index % 97:08d}/photo {index}.JPEG" for index in range(20_000)]


def test_a_slot_is_the_same_for_ever():
    assert [slot(name, 16, 5) for name in ("a.jpg", "n01440764/ü.JPEG", "caf\udce9.png", "")] == [
        Slot(split="train", index=11, total=16),
        Slot(split="train", index=12, total=16),
        Slot(split="train", index=14, total=16),
        Slot(split="train", index=1, total=16),
    ]


def test_the_split_does_not_depend_on_shards_or_other_photos():
    held_out = {name for name in NAMES if is_held_out(name, 5)}
    for shards in (1, 8, 100):
        assert {name for name in NAMES if slot(name, shards, 5).split == "validation"} == held_out
    more = {name for name in NAMES if is_held_out(name, 10)}
    assert held_out < more


@pytest.mark.parametrize("percent", [1, 5, 20, 50])
def test_proportions(percent):
    share = sum(is_held_out(name, percent) for name in NAMES) / len(NAMES)
    assert share == pytest.approx(percent / 100, rel=0.15)


def test_nothing_is_held_out_at_0():
    assert not any(is_held_out(name, 0) for name in NAMES)


def test_shards_are_about_equal():
    counts = Counter(slot(name, 10, 20) for name in NAMES)
    assert {place for place in counts if place.split == "train"} == {
        Slot(split="train", index=i, total=10) for i in range(10)
    }
    assert {place for place in counts if place.split == "validation"} == {
        Slot(split="validation", index=i, total=2) for i in range(2)
    }
    for place, count in counts.items():
        expected = 1600 if place.split == "train" else 2000
        assert count == pytest.approx(expected, rel=0.15)


@given(st.text(), st.integers(1, 5000), st.floats(0, 99.9))
def test_every_name_has_a_valid_slot(name, shards, percent):
    place = slot(name, shards, percent)
    assert 0 <= place.index < place.total
    assert place.total == (shards if place.split == "train" else max(1, round(shards * percent / 100)))


def test_order_mixes_the_classes_and_never_ties():
    ordered = sorted(NAMES, key=order)
    neighbours = sum(a.split("/")[0] == b.split("/")[0] for a, b in itertools.pairwise(ordered))
    assert neighbours < len(NAMES) / 97 * 1.5
    assert len({order(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("photos", "shards"),
    [(0, 8), (1, 8), (575, 8), (576, 9), (4096, 64), (65_536, 64), (65_537, 65), (1_281_167, 1252)],
)
def test_shard_count(photos, shards):
    assert shard_count(photos) == shards
