from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.archive import layout as layouts
from pipelines.archive.layout import Layout
from pipelines.runtime.outcomes import REJECTED_IN_ONE_FILE

NAMES = [f"box {number // 500:03d}/caf\udce9 {number:06d}.tif" for number in range(60_000)]


def of(names: list[str], rejected: int = 0) -> Layout:
    return Layout.of(len(names), filter(layouts.is_sampled, names), rejected)


def test_a_shard_holds_a_range_of_names_of_about_ten_thousand_records():
    layout = of(NAMES)
    placed = [layout.shard_of(name) for name in NAMES]
    assert placed == sorted(placed)
    sizes = [placed.count(index) for index in range(layout.shards)]
    assert len(sizes) == 6
    assert all(4_000 < size < 20_000 for size in sizes)


def test_the_ranges_do_not_depend_on_the_order_of_the_names():
    assert of(NAMES) == of(NAMES[::-1])


@pytest.mark.parametrize("records", [0, 1, 10_000])
def test_a_small_manifest_is_one_shard(records):
    assert of(NAMES[:records]) == Layout()


@given(st.integers(0, 200_000), st.lists(st.text("ab\udce9", max_size=3)))
def test_every_name_has_one_shard_whatever_the_sample(records, sample):
    layout = Layout.of(records, sample)
    assert all(before < after for before, after in pairwise(layout.bounds))
    assert all(0 <= layout.shard_of(name) < layout.shards for name in ["", *sample])
    assert {layout.shard_of(name) for name in sample} == set(range(layout.shards)) or not sample


def test_many_rejected_photos_are_listed_in_shards():
    assert not of(NAMES, rejected=REJECTED_IN_ONE_FILE).splits_rejected
    assert of(NAMES, rejected=REJECTED_IN_ONE_FILE + 1).splits_rejected
