"""A flat folder of a bucket whose names are hard to divide, and a look at how it was listed."""

from collections.abc import Callable
from itertools import chain

import pytest

from pipelines.files import listings
from pipelines.files.listings import Branch

LONG = "archive of the city, box 17, sheet "
NAMES = sorted(
    [
        *(f"{LONG}{number:03}.tif" for number in range(40)),
        *(f"caf\u00e9 {chr(0x4E00 + number)}.jpg" for number in range(10)),
        *("a" * (1 + number) for number in range(6)),
        *(
            "\U0001f4f7.jpg",
            "\ue000.jpg",
            "\ud7ff.jpg",
            "z.jpg",
            "z/inner.jpg",
            "z0.jpg",
            "!first.jpg",
            "zz/deep/er.jpg",
        ),
    ]
)


def check(uri: str, put: Callable[[str], object], *, is_divided: bool = True) -> None:
    """Lists a folder with NAMES in it whose pages have a few objects each, while others appear."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listings, "_PAGES_IN_ORDER", 2)
        branches = list(listings.of_input(uri))
    spans = [branch for branch in branches if branch.span]
    assert len(spans) > 10 if is_divided else not spans
    assert _names(uri, branches) == NAMES
    assert _names(uri, list(listings.of_folder(uri))) == NAMES, "as one after the other"
    new = ["!!.jpg", f"{LONG}030.png", "m.jpg", "\U0010ffff.jpg"]
    for name in new:
        put(name)
    again = _names(uri, branches)
    assert set(NAMES) <= set(again) <= {*NAMES, *new}
    assert len(again) == len(set(again))
    # What has come behind the first pages is in one of the ranges.
    assert not is_divided or set(new[1:]) <= set(again)


def _names(uri: str, branches: list[Branch]) -> list[str]:
    """The names in the order of the parts; those of subfolders, which have parts of their own, in their places."""
    found = [one.uri.removeprefix(f"{uri}/") for one in chain.from_iterable(map(listings.listed, branches))]
    return sorted(found) if any(not branch.page and not branch.span for branch in branches) else found
