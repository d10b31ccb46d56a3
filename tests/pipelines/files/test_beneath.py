"""Nothing is written outside a folder, whatever links it holds."""

import contextlib
from pathlib import Path

import pytest

from pipelines.files import beneath, locked_files, storage
from pipelines.files.beneath import LinkError


@pytest.fixture
def output(tmp_path) -> Path:
    """A folder with a link to another one, which must stay empty."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "box").mkdir(parents=True)
    (tmp_path / "out" / "box" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out" / "inside").symlink_to("box")
    (tmp_path / "out" / "nowhere").symlink_to("missing")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("box/linked/a.jpg", "box/linked"),
        ("box/linked/x/a.jpg", "box/linked"),
        ("inside/a.jpg", "inside"),
        ("nowhere/a", "nowhere"),
    ],
)
def test_a_file_is_never_written_through_a_link(output, name, link):
    there = set(output.parent.rglob("*"))
    for write in (lambda: storage.write_in(str(output), name, b"x"), lambda: beneath.check(output, name)):
        with pytest.raises(LinkError) as raised:
            write()
        told = f"{output}/{link} is a link to {(output / link).readlink()}, and nothing is written through links"
        assert str(raised.value) == f"{told}; remove it"
    assert set(output.parent.rglob("*")) == there


def test_a_folder_that_becomes_a_link_while_a_file_is_written_does_not_lead_it_elsewhere(output):
    with storage.whole_file(str(output), "new/sub/a.jpg") as file:
        (output / "new").rename(output / "moved")
        (output / "new").symlink_to(output.parent / "elsewhere")
        file.write(b"x")
    assert list((output.parent / "elsewhere").iterdir()) == []
    assert (output / "moved" / "sub" / "a.jpg").read_bytes() == b"x"


def test_a_link_to_a_file_is_replaced_and_what_it_leads_to_is_not(output):
    (output.parent / "source.jpg").write_bytes(b"source")
    (output / "box" / "a.jpg").symlink_to(output.parent / "source.jpg")
    storage.write_in(str(output), "box/a.jpg", b"made")
    assert (output.parent / "source.jpg").read_bytes() == b"source"
    assert (output / "box" / "a.jpg").read_bytes() == b"made"
    (output / "claim").symlink_to(output.parent / "source.jpg")
    with pytest.raises(OSError, match="symbolic links"):
        locked_files.repair(output / "claim", b"x", is_whole=lambda data: False)
    assert (output.parent / "source.jpg").read_bytes() == b"source"


def test_the_output_itself_may_be_reached_through_a_link(output):
    (output.parent / "link").symlink_to(output)
    storage.write_in(f"{output.parent}/link", "new/deep/a.jpg", b"x")
    assert (output / "new" / "deep" / "a.jpg").read_bytes() == b"x"
    assert [path.name for path in (output / "new" / "deep").iterdir()] == ["a.jpg"]


def test_errors_name_the_path_that_the_user_knows(output):
    (output / "box" / "a.jpg").mkdir()
    with pytest.raises(IsADirectoryError) as raised:
        storage.write_in(str(output), "box/a.jpg", b"x")
    assert str(output / "box") in str(raised.value)
    assert "/proc/" not in str(raised.value)
    storage.write_in(str(output), "box/b.jpg", b"x")
    with pytest.raises(NotADirectoryError, match=f"{output}/box/b.jpg"):
        storage.write_in(str(output), "box/b.jpg/c.jpg", b"x")


def test_a_folder_that_may_not_be_listed_may_be_written_to(output, monkeypatch):
    (output / "closed").mkdir(mode=0o300)
    storage.write_in(str(output), "closed/sub/a.jpg", b"x")
    assert (output / "closed" / "sub" / "a.jpg").read_bytes() == b"x"


def test_no_descriptor_is_left_open(output):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("a/b/c/d.jpg", "box/linked/a.jpg", "box/linked"):
        with contextlib.suppress(LinkError, OSError):
            storage.write_in(str(output), name, b"x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
