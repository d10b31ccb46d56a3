import glob
import os
from pathlib import Path

import pytest

from pipelines.files import local_listing
from pipelines.files.local_listing import LINKED_FOLDER, Listed


@pytest.fixture
def tree(tmp_path) -> Path:
    for name in ("b.jpg", "a.jpg", "box/c.jpg", "box/deep/d.jpg", ".hidden/e.jpg", ".f.jpg", "g.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")
    return tmp_path / "in"


def test_files_come_in_order_of_name_with_size_and_fingerprint(tree):
    found = list(local_listing.below(str(tree)))
    names = [os.path.relpath(one.uri, tree) for one in found]
    assert names == [".f.jpg", ".hidden/e.jpg", "a.jpg", "b.jpg", "box/c.jpg", "box/deep/d.jpg", "g.png"]
    about = (tree / "a.jpg").stat()
    assert found[2] == Listed(uri=str(tree / "a.jpg"), size=5, fingerprint=f"5-{about.st_mtime_ns}")
    assert list(local_listing.below(str(tree / "a.jpg"))) == [found[2]]


def test_a_linked_folder_is_told_of_and_not_followed(tree, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.jpg").touch()
    (tree / "link").symlink_to(tmp_path / "elsewhere")
    [one] = [one for one in local_listing.below(str(tree)) if one.fault]
    assert (one.uri, one.reason) == (str(tree / "link"), LINKED_FOLDER)
    assert str(tmp_path / "elsewhere") in one.fault
    [entry] = local_listing.below(str(tree / "link"), is_entry=True)
    assert entry == one
    [named] = local_listing.below(str(tree / "link"))
    assert named.uri == str(tree / "link" / "x.jpg"), "the user named the link, so it is followed"


def test_links_that_lead_nowhere_and_pipes_have_a_fault(tree):
    (tree / "loop").symlink_to("loop")
    (tree / "nowhere").symlink_to("missing")
    os.mkfifo(tree / "pipe")
    faults = {os.path.relpath(one.uri, tree): one.fault for one in local_listing.below(str(tree)) if one.fault}
    assert set(faults) == {"loop", "nowhere", "pipe"}
    assert [one.uri for one in local_listing.below(str(tree)) if one.is_special] == [str(tree / "pipe")]


@pytest.mark.parametrize(
    "pattern",
    ["*.jpg", "box/*", "*/*.jpg", "**/*.jpg", "**/deep/*", "box/**", ".*", ".hidden/*", "[ab].jpg", "?.p*", "x/*"],
)
def test_globs_find_what_the_standard_library_finds(tree, pattern):
    found = [one.uri for one in local_listing.matching(f"{tree}/{pattern}")]
    everything = glob.glob(f"{tree}/{pattern}", recursive=True)  # noqa: PTH207 (the reference)
    expected = {path for path in everything if Path(path).is_file()}
    assert found == sorted(expected)


def test_a_glob_relative_to_the_working_directory(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert [one.uri for one in local_listing.matching("*.jpg")] == ["a.jpg", "b.jpg"]


def test_a_glob_does_not_follow_linked_folders_at_any_depth(tree, tmp_path):
    (tree / "box" / "up").symlink_to(tree)
    found = list(local_listing.matching(f"{tree}/**/*.jpg"))
    assert [one.uri for one in found if one.reason == LINKED_FOLDER] == [str(tree / "box" / "up")]
    assert len([one for one in found if not one.fault]) == 4
