import os

import pytest

from pipelines.files import marks


@pytest.mark.parametrize(
    ("mark", "checksum", "run"),
    [
        ("run 7 abc", "abc", 7),
        ("run 7 abc", "xyz", 0),
        ("run 7 abc", None, 0),
        ("run 0000000007 abc", "abc", 0),
        (" run 7 abc", "abc", 0),
        ("run -7 abc", "abc", 0),
        ("", "abc", 0),
        (None, "abc", 0),
    ],
)
def test_only_a_mark_that_fits_the_bytes_tells_of_a_run(mark, checksum, run):
    assert marks.run_in(mark, checksum) == run


def test_what_is_marked_is_read_back():
    assert marks.run_in(marks.of(12, "abc"), "abc") == 12


def test_a_local_file_carries_its_mark(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"photo")
    assert marks.read(str(path), "digest") == 0
    marks.write(str(path), 5, "digest")
    assert marks.read(str(path), "digest") == 5
    assert marks.read(str(path), "another") == 0
    assert os.listxattr(path) == ["user.autochrome"]
    assert path.read_bytes() == b"photo"


def test_a_file_system_without_marks_is_no_error(tmp_path, monkeypatch):
    marks.write(str(tmp_path / "nowhere"), 5, "digest")
    assert marks.read(str(tmp_path / "nowhere"), "digest") == 0
    monkeypatch.delattr(os, "setxattr")
    monkeypatch.delattr(os, "getxattr")
    path = tmp_path / "a.jpg"
    path.touch()
    marks.write(str(path), 5, "digest")
    assert marks.read(str(path), "digest") == 0
