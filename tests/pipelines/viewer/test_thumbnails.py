from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colorized_folder import HOSTILE, NO_UTF_8, Folder, colorized
from PIL import Image

from pipelines.files import storage
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.viewer import thumbnails
from pipelines.viewer.pictures import SIDE, draw
from pipelines.viewer.thumbnails import Sheet, listed, path_of


@pytest.fixture(scope="module")
def processes():
    made = PhotoProcesses(draw)
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photos, processes) -> Folder:
    """A folder whose thumbnails are made."""
    made = colorized(tmp_path_factory.mktemp("thumbnails"), photos)
    for record in made.records:
        Sheet(record).make(str(made.output), set(), saver(made.output), processes)
    return made


def saver(output: Path):
    return lambda name, data: storage.write(str(output / name), data)


def sheet(folder: Folder, name: str) -> Sheet:
    return Sheet(next(record for record in folder.records if record.name == name))


def shown(folder: Folder, id_: str) -> np.ndarray:
    return np.asarray(Image.open(folder.output / path_of(id_)), np.float32)


def small(pixels: np.ndarray) -> np.ndarray:
    """A photo as its thumbnail should be, by another filter."""
    factor = min(1.0, SIDE / max(pixels.shape[:2]))
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), np.float32)


def luminance(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"))


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("box 1/astronaut.jpg", ["astronaut"]),
        (HOSTILE, ["chelsea"]),
        (NO_UTF_8, ["coffee"]),  # 16 bits a sample
        ("album.tif", ["coffee", "rocket"]),
        ("turned.jpg", ["rocket"]),
        ("reel/astronaut.jpg", ["astronaut"]),  # in a tar
    ],
)
def test_a_thumbnail_shows_the_page_upright(folder, photos, name, pages):
    pairs = sheet(folder, name).pairs
    assert len(pairs) == len(pages)
    for pair, photo in zip(pairs, pages, strict=True):
        for id_, expected in [(pair.before, small(luminance(photos[photo]))), (pair.after, small(photos[photo]))]:
            picture = shown(folder, id_)
            assert picture.shape == expected.shape
            assert np.abs(picture - expected).mean() < 4


def test_a_large_photo_is_made_small(tmp_path, photos, processes):
    large = np.asarray(Image.fromarray(photos["coffee"]).resize((2000, 1333)))
    folder = Folder(tmp_path)
    data = (tmp_path / "large.jpg", tmp_path / "grey.jpg")
    Image.fromarray(large).save(data[0], quality=90)
    Image.fromarray(luminance(large)).save(data[1], quality=90)
    record = folder.add("large.jpg", data[1].read_bytes(), data[0].read_bytes(), [large])
    [pair] = Sheet(record).pairs
    assert Sheet(record).make(str(folder.output), set(), saver(folder.output), processes) == {pair.before, pair.after}
    after = shown(folder, pair.after)
    assert after.shape == (427, SIDE, 3)
    assert np.abs(after - small(large)).mean() < 4
    assert shown(folder, pair.before).shape == (427, SIDE)


def test_what_is_as_it_was_has_one_picture(folder):
    [copied] = sheet(folder, "box 2/postcard.jpg").pairs
    assert (copied.before, bool(copied.after)) == ("", True)
    [skipped] = sheet(folder, "box 2/slide.jpg").pairs
    assert (bool(skipped.before), skipped.after) == (True, "")
    assert sheet(folder, "box 2/cut short.jpg").pairs == ()


def test_of_chroma_in_place_of_a_picture_there_is_the_source(tmp_path, photos, processes):
    folder = colorized(tmp_path, photos)
    record = folder.records[0]
    outputs = tuple(replace(output, name=f"{output.name}.chroma") for output in record.outputs)
    sheet = Sheet(replace(record, outputs=outputs))
    assert {(bool(pair.before), pair.after) for pair in sheet.pairs} == {(True, "")}
    assert sheet.make(str(folder.output), set(), saver(folder.output), processes) == sheet.ids


def test_of_a_source_that_is_gone_there_is_the_output(folder):
    [pair] = sheet(folder, "box 2/lost.jpg").pairs
    assert (folder.output / path_of(pair.after)).is_file()
    assert not (folder.output / path_of(pair.before)).exists()


def test_a_source_or_an_output_that_is_another_one_by_now_is_not_shown(tmp_path, photos, processes):
    folder = colorized(tmp_path, photos)
    record = folder.records[0]
    for path in (Path(record.uri), folder.output / record.name):
        path.write_bytes((folder.output / "turned.jpg").read_bytes())
    assert Sheet(record).make(str(folder.output), set(), saver(folder.output), processes) == set()


def test_what_is_there_is_not_made_again(folder, processes):
    there = dict(listed(str(folder.output)))
    assert set(there) == set().union(*(Sheet(r).ids for r in folder.records)) - {lost(folder)}
    for record in folder.records:
        assert Sheet(record).make(str(folder.output), set(there), pytest.fail, processes) == set()


def lost(folder: Folder) -> str:
    return sheet(folder, "box 2/lost.jpg").pairs[0].before


def test_another_photo_has_another_picture(folder):
    record = sheet(folder, "album.tif").record
    other = replace(record, outputs=tuple(replace(output, sha256="00") for output in record.outputs))
    ids = [id_ for pairs in (Sheet(record).pairs, Sheet(other).pairs) for pair in pairs for id_ in (pair.after,)]
    assert len(set(ids)) == 4
    assert [pair.before for pair in Sheet(record).pairs] == [pair.before for pair in Sheet(other).pairs]


def test_only_thumbnails_are_listed(tmp_path):
    folder = tmp_path / thumbnails.FOLDER / "ab"
    folder.mkdir(parents=True)
    for name in ("0" * 18 + ".jpg", "scan.jpg", ".0.jpg.part"):
        (folder / name).write_bytes(b"")
    assert [id_ for id_, _ in listed(str(tmp_path))] == ["ab" + "0" * 18]
    assert list(listed(str(tmp_path / "nowhere"))) == []
