"""A flat folder of a bucket is listed in ranges of names, where the store can."""

import flat_folders
import pytest
from servers import Store

from pipelines.files import buckets, listings, stores
from tfrecords.errors import WorldError


@pytest.fixture
def flat(usual: Store, monkeypatch) -> Store:
    """A bucket with a flat folder that is listed in small pages."""
    monkeypatch.setattr(stores.of(usual.uri("")), "page", 5)
    for name in flat_folders.NAMES:
        usual.put(f"flat/{name}", b"")
    return usual


def test_each_name_of_a_flat_folder_is_listed_once(flat: Store, kind: str):
    flat_folders.check(flat.uri("flat"), lambda name: flat.put(f"flat/{name}", b""), is_divided=kind != "azure")


def test_a_store_that_begins_elsewhere_is_listed_page_by_page(flat: Store, kind: str, monkeypatch):
    monkeypatch.setattr(listings, "_PAGES_IN_ORDER", 2)
    store = stores.of(flat.uri(""))
    if kind == "azure":
        assert buckets.divided(flat.uri("flat"), "flat/m") == []
        return
    after = type(store).after
    monkeypatch.setattr(type(store), "after", lambda self, uri, prefix, _, *rest: after(self, uri, prefix, "", *rest))
    assert not [branch for branch in listings.of_input(flat.uri("flat")) if branch.span]
    with pytest.raises(WorldError, match="out of order; name the photos in a list"):
        list(buckets.between(flat.uri("flat"), listings.Span("flat/m")))
