import pytest

from pipelines import notices
from pipelines.files import sidecars


@pytest.mark.parametrize("name", ["a.txt", "box/000.JSON", "000.cls", "box/._a.jpg", ".DS_Store", "a.jpg.xmp", "a.md5"])
def test_labels_captions_and_metadata_are_not_photos(name):
    assert sidecars.is_sidecar(name)


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.dat", "a.json.png", "._box/a.jpg", "notes.txt/a.tif", "", "a.NEF"])
def test_whatever_may_hold_a_picture_is_opened(name):
    assert not sidecars.is_sidecar(name)


def test_files_left_out_are_told_of_once(monkeypatch, capsys):
    monkeypatch.setattr(notices, "_TOLD_HERE", notices.Board())
    with notices.on_terminal():
        for number in (0, 3, 2):
            sidecars.note(number)
    assert capsys.readouterr().err.count("\n") == 1


def test_nothing_is_said_where_nothing_was_left_out(monkeypatch, capsys):
    monkeypatch.setattr(notices, "_TOLD_HERE", notices.Board())
    with notices.on_terminal():
        sidecars.note(0)
    assert capsys.readouterr().err == ""
