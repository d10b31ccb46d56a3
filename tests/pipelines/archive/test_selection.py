from pipelines.archive.selection import ALL, Selection

NAMES = [f"box {number}/scan.tif" for number in range(50)] + ["caf\udce9.tif"]


def chosen(selection: Selection) -> list[str]:
    return sorted(NAMES, key=selection.rank)[: selection.size]


def test_a_limit_takes_the_first_by_name():
    assert chosen(Selection(limit=3)) == sorted(NAMES)[:3]


def test_a_larger_sample_includes_a_smaller_one():
    assert chosen(Selection(sample=20))[:5] == chosen(Selection(sample=5)) != sorted(NAMES)[:5]


def test_nothing_is_chosen_by_default():
    assert ALL.size == 0
