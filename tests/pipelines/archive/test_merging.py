from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from pipelines.archive.manifest import Record
from pipelines.archive.merging import Shard, merged


def record(name: str) -> Record:
    return Record(name=name, uri=f"/scans/{name}", offset=None, fingerprint="1-1", status="written")


def shards(parts: list[list[str]], most: list[int], *, first_is_known: bool = True) -> list[Shard]:
    """Shards of these names; ``most`` gets the number of those that were open when one was opened."""

    def opened(names: list[str], others: int) -> Iterator[Record]:
        most.append(others + 1)
        return map(record, sorted(names))

    return [
        Shard(min(names, default="") if first_is_known else "", lambda others, names=names: opened(names, others))
        for names in parts
    ]


@given(st.lists(st.lists(st.text("ab", max_size=3), max_size=4), max_size=5), st.booleans())
def test_all_records_come_in_order(parts, first_is_known):
    found = [one.name for one in merged(shards(parts, [], first_is_known=first_is_known))]
    assert found == sorted(name for part in parts for name in part)


def test_shards_of_ranges_are_open_one_at_a_time():
    parts = [[f"{number:05d}" for number in range(start, start + 10)] for start in range(0, 10_000, 10)]
    most: list[int] = []
    assert len(list(merged(shards(parts[::-1], most)))) == 10_000
    assert (len(most), max(most)) == (1_000, 1)


def test_only_shards_that_have_begun_are_open():
    most: list[int] = []
    list(merged(shards([["a", "c"], ["b", "d"], ["e"]], most)))
    assert most == [1, 2, 1]
