import os
from pathlib import Path

import pytest
from photo_files import write_names

from pipelines.files import listings
from pipelines.files.listings import Branch


@pytest.fixture
def tree(tmp_path) -> Path:
    return write_names(tmp_path, ("a.jpg", "box/b.jpg", "box/deep/c.jpg", "box[1]/d.jpg", "e*.jpg"))


def names(pattern: object) -> list[str]:
    """What all branches of an input list, relative to its root."""
    root = listings.root_of(str(pattern))
    found = [one for branch in listings.of_input(str(pattern)) for one in listings.listed(branch)]
    return sorted(os.path.relpath(one.uri, root) for one in found)


def test_the_branches_of_a_folder_are_its_entries_and_list_all_of_it(tree):
    branches = list(listings.of_input(str(tree)))
    assert sorted(branch.path for branch in branches) == sorted(str(path) for path in tree.iterdir())
    assert all(branch.is_entry and not branch.is_glob for branch in branches)
    assert names(tree) == ["a.jpg", "box/b.jpg", "box/deep/c.jpg", "box[1]/d.jpg", "e*.jpg"]


def test_a_glob_is_one_branch(tree):
    assert list(listings.of_input(f"{tree}/*.jpg")) == [Branch(path=f"{tree}/*.jpg", is_glob=True)]
    assert names(f"{tree}/**/*.jpg") == ["a.jpg", "box/b.jpg", "box/deep/c.jpg", "box[1]/d.jpg", "e*.jpg"]


def test_a_name_with_wildcards_that_is_there_is_not_a_glob(tree):
    assert listings.is_literal(f"{tree}/box[1]")
    assert names(f"{tree}/box[1]") == ["d.jpg"]
    assert names(f"{tree}/e*.jpg") == ["e*.jpg"]
    assert not listings.is_literal(f"{tree}/box[2]")


def test_a_local_name_does_not_make_an_address_literal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("gs:/b/box[1]").mkdir(parents=True)
    assert not listings.is_literal("gs://b/box[1]")
    assert listings.is_literal("gs:/b/box[1]")


def test_only_a_file_is_a_file(tree):
    assert listings.is_file(f"{tree}/a.jpg")
    assert listings.is_file(f"{tree}/e*.jpg")
    for other in ("", "/box", "/nowhere.jpg", "/*.jpg", "/box[2]"):
        assert not listings.is_file(f"{tree}{other}")


@pytest.mark.parametrize(
    ("pattern", "root"),
    [
        ("/scans", "/scans"),
        ("/scans/", "/scans"),
        ("/", "/"),
        ("/*.jpg", "/"),
        ("*.jpg", ""),
        ("/scans/box*/a.jpg", "/scans"),
        ("gs://b/box/*.jpg", "gs://b/box"),
        ("gs://b/box/", "gs://b/box"),
    ],
)
def test_names_are_relative_to_what_comes_before_the_first_wildcard(pattern, root):
    assert listings.root_of(pattern) == root


def test_another_store_is_a_value_error():
    with pytest.raises(ValueError, match=r"ftp://b/a\.jpg is neither local nor in a bucket of a supported store"):
        list(listings.listed(Branch(path="ftp://b/a.jpg")))
