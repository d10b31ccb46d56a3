from pathlib import Path

import pytest

from pipelines.guidance import hint_files
from pipelines.guidance.page_files import unpacked
from tfrecords.errors import UserError

POINT = b'[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]'


def write(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(POINT)
    return str(folder)


def test_hint_files_mirror_the_tree(tmp_path):
    path = write(tmp_path, "a.jpg.hints.json", "box 1/b.tif.hints.png", "box 1/b.tif", "notes.txt")
    found = hint_files.find(path)
    assert set(found) == {"a.jpg", "box 1/b.tif"}
    assert found["box 1/b.tif"].name == "box 1/b.tif.hints.png"
    assert found["box 1/b.tif"].uri == str(tmp_path / "box 1/b.tif.hints.png")
    before = found["a.jpg"].sha256
    (tmp_path / "a.jpg.hints.json").write_bytes(POINT + b" ")
    assert hint_files.find(path)["a.jpg"].sha256 != before


def test_a_collection_gives_each_photo_its_points(tmp_path):
    file = tmp_path / "hints.csv"
    file.write_text("path,x,y,color\na.jpg,0,0,#ff0000\nb.jpg,0,0,#00ff00\n")
    before = hint_files.find(str(file))
    file.write_text("path,x,y,color\nb.jpg,0,0,#00ff00\na.jpg,0,1,#ff0000\n")
    after = hint_files.find(str(file))
    assert set(before) == set(after) == {"a.jpg", "b.jpg"}
    assert before["b.jpg"] == after["b.jpg"]
    assert before["a.jpg"].sha256 != after["a.jpg"].sha256


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.jpg"], "has no hint files; name them like their photos, with .hints.png or .hints.json behind it"),
        (
            ["a.tif.hints.png", "a.tif.p001.hints.png"],
            "a.tif has two hint files, a.tif.hints.png and a.tif.p001.hints.png",
        ),
        (["a.tif.p002.hints.png", "a.tif.p002.hints.json"], "a.tif has two hint files for page 2, .*; keep one"),
        (["a.tif.p000.hints.png"], "a.tif.p000.hints.png is for page 0; the first page is .p001"),
        (["a.jpg.hints.png", "a.jpg.hints.json"], "a.jpg has two hint files, a.jpg.hints.json and a.jpg.hints.png"),
    ],
)
def test_a_folder_without_use_is_refused(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        hint_files.find(write(tmp_path, *names))


@pytest.mark.parametrize(("name", "message"), [("none", "none does not exist; give"), ("none.csv", "--hints .*none")])
def test_what_is_not_there_is_refused(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        hint_files.find(str(tmp_path / name))


def test_pages_have_hint_files_of_their_own(tmp_path):
    found = hint_files.find(write(tmp_path, "a.tif.hints.json", "a.tif.p012.hints.png", "b.tif.P002.HINTS.JSON"))
    assert set(found) == {"a.tif", "b.tif"}
    assert [page for page, _ in found["a.tif"].pages] == [1, 12]
    assert (found["a.tif"].name, found["b.tif"].name) == ("a.tif.hints.json", "b.tif.P002.HINTS.JSON")
    data, digest = found["a.tif"].read(lambda uri: Path(uri).read_bytes())
    assert unpacked(data) == {1: POINT, 12: POINT}
    assert digest == found["a.tif"].sha256 != found["b.tif"].sha256


def test_a_broken_collection_is_refused_with_its_line(tmp_path):
    (tmp_path / "hints.csv").write_text("path,x,y,color\na.jpg,7,0,#ff0000\n")
    with pytest.raises(UserError, match=r"hints.csv: line 2: x must be a number from 0 to 1"):
        hint_files.find(str(tmp_path / "hints.csv"))


def test_a_hint_without_a_photo_is_refused(tmp_path):
    scans = write(tmp_path / "scans", "a.jpg", "box 1/b.jpg")
    found = hint_files.find(write(tmp_path / "hints", "a.jpg.hints.json", "box 1/b.jpg.hints.json"))
    hint_files.check_photos(found, [scans])
    found = hint_files.find(write(tmp_path / "hints", "box 1/c.jpg.hints.json"))
    with pytest.raises(UserError, match=r"box 1/c\.jpg\.hints\.json is for box 1/c\.jpg, which is not in the input"):
        hint_files.check_photos(found, [scans])
    (tmp_path / "hints.csv").write_text("path,x,y,color\nscans/a.jpg,0,0,#ff0000\n")
    found = hint_files.find(str(tmp_path / "hints.csv"))
    with pytest.raises(UserError, match=r"hints\.csv has points for scans/a\.jpg, which is not in the input;.*--input"):
        hint_files.check_photos(found, [scans])
