import pytest

from pipelines import notices
from pipelines.files import sidecars


@pytest.mark.parametrize(
    "name",
    [
        "a.txt",
        "box/000.JSON",
        "000.cls",
        "box/._a.jpg",
        ".DS_Store",
        "a.jpg.xmp",
        "a.md5",
        "a.jpg.chroma",
        "Thumbs.db",
        "box/desktop.ini",
        "IMG_1.AAE",
        "MVI_1.THM",
        ".picasa.ini",
        "box/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
        ".thumbnails/normal/a.png",
        "__MACOSX/a.jpg",
        "report/thumbnails/ba/336e89832b60d732ad.jpg",
        "thumbnails/ba/336e89832b60d732ad.jpg",
        "report/viewer.js",
        "report/page.css",
    ],
)
def test_labels_captions_and_metadata_are_not_photos(name):
    assert sidecars.is_sidecar(name)


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "a",
        "a.dat",
        "a.json.png",
        "._box/a.jpg",
        "notes.txt/a.tif",
        "",
        "a.NEF",
        "eaDir/a.jpg",
        "thumbnails/a.jpg",
        "thumbnails/ba/336e89832b60.jpg",
        "@eaDir",
    ],
)
def test_whatever_may_hold_a_picture_is_opened(name):
    assert not sidecars.is_sidecar(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jpg.xmp", True), ("box/a.json", True), ("._a.xmp", False), ("Thumbs.db", False), ("@eaDir/a.json", False)],
)
def test_only_what_people_and_their_programs_say_is_of_a_photo(name, expected):
    assert sidecars.is_of_photo(name) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*_thumb.jpg", ["box/a_thumb.jpg"]),
        ("rejects", ["rejects/b.jpg", "box/rejects/c.jpg"]),
        ("rejects/", ["rejects/b.jpg", "box/rejects/c.jpg"]),
        ("box/rejects/*", ["box/rejects/c.jpg"]),
        ("*.tif", []),
    ],
)
def test_a_glob_names_files_and_folders(pattern, expected):
    names = ["box/a.jpg", "box/a_thumb.jpg", "rejects/b.jpg", "box/rejects/c.jpg"]
    assert [name for name in names if sidecars.is_excluded(name, [pattern])] == expected


def test_files_left_out_are_told_of_once(monkeypatch, capsys):
    monkeypatch.setattr(notices, "_told_here", notices.Board())
    with notices.on_terminal():
        for number in (0, 3, 2):
            sidecars.note(number)
    assert capsys.readouterr().err.count("\n") == 1


def test_nothing_is_said_where_nothing_was_left_out(monkeypatch, capsys):
    monkeypatch.setattr(notices, "_told_here", notices.Board())
    with notices.on_terminal():
        sidecars.note(0)
    assert capsys.readouterr().err == ""
