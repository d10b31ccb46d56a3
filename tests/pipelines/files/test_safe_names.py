import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.files.safe_names import is_safe, relative, utf_8

paths = st.lists(st.sampled_from(["a", "..", ".", "", "/", "\\", "\n", "\0", "%", "ü", "\udce9", "C:", " "])).map(
    "".join
)


@given(paths, st.booleans())
@example("x/../../../escaped.jpg", False)
@example("C:C:/a", True)
@example("./C:/a", True)
def test_no_path_leads_out_of_a_folder(path, windows):
    name = relative(path, windows=windows)
    assert name == "" or is_safe(name)
    assert os.path.normpath(f"/out/{name}").startswith("/out")
    assert not set("\n\0") & set(name)
    assert relative(name, windows=windows) == name


@given(st.text(st.characters(blacklist_categories=["Cc"], blacklist_characters="/"), min_size=3))
def test_a_name_without_fault_is_kept(name):
    assert relative(f"box/{name}") == f"box/{name}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/./a//../b.jpg", "a/b.jpg"),
        ("a\nb%.jpg", "a%0Ab%25.jpg"),
        ("50%/\x1b[31m.jpg", "50%/%1B[31m.jpg"),
        ("AC\\DC: live.jpg", "AC\\DC: live.jpg"),
        ("C:/scans/a.jpg", "C:/scans/a.jpg"),
    ],
)
def test_names_on_disks_and_in_buckets(path, name):
    assert relative(path) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("n01440764\\z.jpg", "n01440764/z.jpg"),
        ("C:\\scans\\..\\a.jpg", "scans/a.jpg"),
        ("\\\\server\\share\\a.jpg", "server/share/a.jpg"),
        ("C: drive.jpg", "C: drive.jpg"),
        ("c:/a.jpg", "a.jpg"),
    ],
)
def test_names_from_windows(path, name):
    assert relative(path, windows=True) == name


def test_bytes_that_are_not_utf_8_can_be_read_and_read_back():
    assert utf_8("50%/caf\udce9 100%.jpg") == "50%/caf%E9 100%25.jpg"
    assert utf_8("50%/ü\ud800") == "50%/ü%ED%A0%80"
    assert utf_8("box%20/ü.jpg") == "box%20/ü.jpg"
