"""Photos that are gone or forbidden: one of them is its own fault, all of them at once are the world's."""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clock import Clock

from pipelines.errors import Rejected
from pipelines.files import inputs, listings, local_reads, patience, sources
from pipelines.files.neighbours import Neighbours
from pipelines.files.sources import Source
from tfrecords.errors import OutageError

NOBODY = 65534


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 0.2)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(patience, "LONGEST_LOCAL_PAUSE", 0.05)
    monkeypatch.setattr(local_reads, "NEIGHBOURS", Neighbours(local_reads._opens, local_reads._beside))


@pytest.fixture
def tree() -> Iterator[Path]:
    """Photos in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "photos"
        for name in ("a.jpg", "b.jpg", "sub/c.jpg"):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
        with tarfile.open(root / "box.tar", "w") as tar:
            tar.add(root / "a.jpg", "a.jpg")
        Path(folder).chmod(0o755)
        yield root


def found(tree: Path) -> dict[str, Source]:
    return {source.name: source for source in sources.find(str(tree))}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, where the tests have them."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def is_rejected(source: Source) -> bool:
    with pytest.raises(Rejected) as raised:
        source.read()
    return raised.value.reason == "unreadable"


def test_one_photo_that_is_gone_is_unreadable_whether_others_were_read_or_not(tree):
    listed = found(tree)
    (tree / "a.jpg").unlink()
    assert is_rejected(listed["a.jpg"])
    assert listed["b.jpg"].read() == b"b.jpg"
    shutil.rmtree(tree / "sub")
    assert is_rejected(listed["sub/c.jpg"])


@pytest.mark.parametrize("is_read_before", [False, True])
def test_a_disk_that_is_unmounted_rejects_no_photo(tree, is_read_before):
    listed = found(tree)
    if is_read_before:
        assert listed["b.jpg"].read()
    shutil.rmtree(tree)
    tree.mkdir()  # the place where it was mounted
    for source in listed.values():
        with pytest.raises(OutageError, match="No such file or directory"):
            source.read()
    with pytest.raises(OutageError):
        list(sources.members(listed["box.tar"], str(tree)))


def test_a_disk_that_comes_back_is_waited_for(tree, monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 60)
    listed = found(tree)
    away = tree.rename(tree.with_name("away"))
    clock = Clock()
    monkeypatch.setattr(clock, "sleep", lambda seconds: away.rename(tree))
    monkeypatch.setattr(patience, "time", clock)
    assert listed["a.jpg"].read() == b"a.jpg"


def test_one_photo_that_is_forbidden_is_unreadable(tree):
    listed = found(tree)
    (tree / "a.jpg").chmod(0)
    with as_nobody():
        assert is_rejected(listed["a.jpg"])
        assert listed["b.jpg"].read() == b"b.jpg"
        assert is_rejected(listed["a.jpg"])


@pytest.mark.parametrize("is_read_before", [False, True])
def test_rights_that_are_lost_on_all_photos_reject_none(tree, is_read_before):
    listed = found(tree)
    if is_read_before:
        assert listed["b.jpg"].read()
    tree.chmod(0)
    try:
        with as_nobody():
            for source in listed.values():
                with pytest.raises(OutageError, match="Permission denied"):
                    source.read()
    finally:
        tree.chmod(0o755)


def test_one_folder_that_is_forbidden_is_a_fault_and_a_root_that_is_gone_is_not(tree):
    (tree / "sub").chmod(0)
    try:
        with as_nobody():
            listed = found(tree)
    finally:
        (tree / "sub").chmod(0o755)
    assert listed["sub"].fault == "the folder cannot be listed: Permission denied"
    assert set(listed) == {"a.jpg", "b.jpg", "box.tar", "sub"}
    branches = list(listings.of_input(str(tree)))
    shutil.rmtree(tree)
    for branch in branches:
        with pytest.raises(OutageError, match="No such file or directory"):
            list(listings.listed(branch, str(tree)))


def test_a_folder_that_goes_while_it_is_listed_is_one_fault(tree):
    branches = list(listings.of_input(str(tree)))
    shutil.rmtree(tree / "sub")
    listed = [file for branch in branches for file in listings.listed(branch, str(tree))]
    assert {Path(file.uri).name: bool(file.fault) for file in listed} == {
        "a.jpg": False,
        "b.jpg": False,
        "box.tar": False,
        "sub": True,
    }


def test_a_tar_that_is_gone_is_a_fault_and_so_are_the_photos_in_it(tree):
    listed = found(tree)
    (member,) = sources.members(listed["box.tar"], str(tree))
    assert member.read() == b"a.jpg"
    (tree / "box.tar").unlink()
    (gone,) = sources.members(listed["box.tar"], str(tree))
    assert gone.name == "box.tar"
    assert "No such file" in gone.fault
    assert is_rejected(member)


def test_an_archive_that_is_away_may_be_while_its_report_is_made(tree):
    listed = found(tree)
    shutil.rmtree(tree)
    with inputs.optional():
        assert is_rejected(listed["a.jpg"])
