import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset.duplicates import mark
from pipelines.files.sources import Source


def sources(folder: Path, contents: dict[str, bytes]) -> list[Source]:
    found = []
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        found.append(Source(uri=str(folder / name), name=name, size=len(content), fingerprint=""))
    return found


def twins(photos: list[Source]) -> dict[str, str]:
    return {photo.name: photo.duplicate_of for photo in mark(photos)}


def test_the_first_name_is_kept_whatever_the_order(tmp_path):
    photos = sources(tmp_path, {"c": b"same", "a": b"same", "b": b"same", "d": b"else"})
    for seed in range(4):
        random.Random(seed).shuffle(photos)
        assert twins(photos) == {"a": "", "b": "a", "c": "a", "d": ""}


def test_two_photos_of_one_name_may_be_the_same_as_well(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"same same else")
    photos = [
        Source(uri=str(tmp_path / "x.tar"), name="a.jpg", size=4, fingerprint="", offset=offset)
        for offset in (10, 5, 0)
    ]
    assert [(photo.offset, photo.duplicate_of) for photo in mark(photos)] == [(0, ""), (5, "a.jpg"), (10, "")]
    (tmp_path / "x.tar").unlink()
    assert [photo.duplicate_of for photo in mark(photos)] == ["", "", ""]


def test_a_difference_before_the_end_counts(tmp_path):
    end = bytes(range(256)) * 40
    assert twins(sources(tmp_path, {"a": b"x" + end, "b": b"y" + end})) == {"a": "", "b": ""}


def test_empty_and_lost_files_equal_no_other(tmp_path):
    assert twins(sources(tmp_path, {"a": b"", "b": b""})) == {"a": "", "b": ""}
    photos = sources(tmp_path, {"c": b"same", "d": b"same", "e": b"same"})
    (tmp_path / "c").unlink()
    assert twins(photos) == {"c": "", "d": "", "e": "d"}


@given(st.lists(st.binary(min_size=3, max_size=3), min_size=1, max_size=12))
def test_one_of_each_content_is_left(tmp_path_factory, contents):
    photos = sources(tmp_path_factory.mktemp("files"), {f"{index:02d}": data for index, data in enumerate(contents)})
    marked = twins(photos)
    assert len(marked) == len(contents)
    assert {contents[int(name)] for name, twin in marked.items() if not twin} == set(contents)
    for name, twin in marked.items():
        assert not twin or (contents[int(twin)] == contents[int(name)] and marked[twin] == "")
    assert sum(not twin for twin in marked.values()) == len(set(contents))
