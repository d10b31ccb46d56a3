from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.files import spans as module
from pipelines.files.spans import Span, spans

PAGE = 10
LONG = "archive of the city, box 17, sheet "


class Folder:
    """A flat folder whose names are listed as a bucket lists them."""

    def __init__(self, names: list[str]) -> None:
        self.names = sorted(set(names))
        self.requests = 0

    def ask(self, after: str, number: int) -> tuple[list[str], bool]:
        self.requests += 1
        start = bisect_right(self.names, after)
        stop = start + (number or PAGE)
        return self.names[start:stop], stop < len(self.names)

    def within(self, span: Span) -> list[str]:
        return [name for name in self.names if name > span.after and span.has(name)]


def checked(folder: Folder, divided: list[Span]) -> list[int]:
    """The number of names in each range, after a look at whether the ranges cover all possible names."""
    assert divided[0].after == ""
    assert divided[-1].to == ""
    assert all(one.to == two.after > one.after for one, two in pairwise(divided))
    assert [name for span in divided for name in folder.within(span)] == folder.names
    return [len(folder.within(span)) for span in divided]


@pytest.mark.parametrize(
    "name",
    [
        lambda number: f"{number:05}.jpg",
        lambda number: f"{LONG}{number:07}.tif",
        lambda number: f"{number * 7919 % 104729:x}",
        lambda number: f"{chr(0x4E00 + number % 90)}{number}.jpg",
        lambda number: f"{'rare' if number % 50 == 0 else LONG}{number * number}.jpg",
        lambda number: "a" * (1 + number % 200),
    ],
    ids=["digits", "a long prefix", "hex", "Chinese", "one prefix has nearly all", "each the beginning of the next"],
)
def test_a_flat_folder_is_divided_into_many_small_ranges(name):
    folder = Folder([name(number) for number in range(5_000)])
    sizes = checked(folder, spans(Span(""), folder.ask))
    assert max(sizes) <= max(PAGE, len(folder.names) // 20)
    assert folder.requests < 12 * len(sizes)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("ab\ud7ff\ue000\U0010ffff", max_size=6), max_size=120), st.integers(2, 12))
def test_each_name_is_in_one_range_whatever_the_names(names, characters):
    folder = Folder([name for name in names if name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHARACTERS", characters)
        checked(folder, spans(Span(""), folder.ask))


def test_a_small_folder_is_one_range_and_one_request():
    folder = Folder(["a", "b"])
    assert spans(Span(""), folder.ask) == [Span("")]
    assert folder.requests == 1
