from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.archive import single
from pipelines.archive.provenance import Recipe, Settings
from tfrecords.errors import UserError


@pytest.fixture
def photo(tmp_path, encoded, grey_photos) -> Path:
    path = tmp_path / "coins.jpg"
    path.write_bytes(encoded(grey_photos["coins"], "JPEG"))
    return path


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("a.jpg", "jpeg"),
        ("b/a.JPEG", "jpeg"),
        ("a.tif", "tiff"),
        ("gs://b/a.webp", "webp"),
        ("colour", ""),
        ("a.b", ""),
    ],
)
def test_two_names_of_files_give_the_format_of_the_output(photo, output, found):
    assert single.file_format([str(photo)], output) == found


def test_folders_tars_globs_and_several_inputs_are_jobs(photo, tmp_path):
    folder = tmp_path / "folder.jpg"
    folder.mkdir()
    (tmp_path / "a.tar").touch()
    for patterns, output in (
        ([str(tmp_path)], "a.jpg"),
        ([str(photo)], str(folder)),
        ([f"{tmp_path}/*.jpg"], "a.jpg"),
        ([str(photo)] * 2, "a.jpg"),
        ([str(tmp_path / "a.tar")], "a.jpg"),
    ):
        assert single.file_format(patterns, output) == ""


def test_a_picture_of_a_format_that_is_not_written_is_refused(photo):
    with pytest.raises(UserError, match=r"^--output a\.gif: \.gif files are not written; end it in \.jpg"):
        single.file_format([str(photo)], "a.gif")


def run(photo: Path, output: Path, model: str = "nowhere", **options: bool) -> int:
    settings = Settings(format="png")
    recipe = (
        Recipe.of(model, settings)
        if model != "nowhere"
        else Recipe(model="m", model_digest="0" * 64, settings=settings, settings_digest=settings.digest())
    )
    return single.run(str(photo), str(output), model, recipe, **{"keep": False, "dry": False, **options})


def test_the_photo_itself_and_a_file_that_is_there_are_not_written_over(photo, tmp_path, capsys):
    with pytest.raises(UserError, match="is the photo itself"):
        run(photo, photo)
    (tmp_path / "a.png").write_bytes(b"theirs")
    with pytest.raises(UserError, match="exists already"):
        run(photo, tmp_path / "a.png")
    assert run(photo, tmp_path / "a.png", keep=True) == 0
    assert "exists already and is kept" in capsys.readouterr().out
    assert (tmp_path / "a.png").read_bytes() == b"theirs"


def test_a_dry_run_writes_nothing(photo, tmp_path, capsys):
    assert run(photo, tmp_path / "new" / "a.png", dry=True) == 0
    assert capsys.readouterr().out == f"{tmp_path}/new/a.png: would be made from {photo}\n"
    assert not (tmp_path / "new").exists()


def test_one_photo_becomes_one_file_in_colour(photo, tmp_path, saved_model_dir, capsys, grey_photos):
    assert run(photo, tmp_path / "new" / "a.png", saved_model_dir) == 0
    with Image.open(tmp_path / "new" / "a.png") as made:
        assert (made.format, made.size, made.mode) == ("PNG", grey_photos["coins"].shape[::-1], "RGB")
        assert np.ptp(np.asarray(made).astype(int), axis=2).max() > 10, "it has colours"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"], "no manifest"
    assert f"{tmp_path}/new/a.png: 384 x 303 pixels" in capsys.readouterr().out


def test_a_photo_that_cannot_be_read_is_told_with_its_reason(photo, tmp_path, saved_model_dir, capsys):
    photo.write_bytes(photo.read_bytes()[:900])
    assert run(photo, tmp_path / "a.png", saved_model_dir) == 1
    assert f"{photo}: rejected, unreadable: " in capsys.readouterr().out
    assert not (tmp_path / "a.png").exists()
