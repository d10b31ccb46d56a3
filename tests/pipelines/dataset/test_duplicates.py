import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dataset import duplicates
from pipelines.dataset.duplicates import STEPS, MarkDuplicates
from pipelines.files.sources import Source


def sources(folder: Path, contents: dict[str, bytes]) -> list[Source]:
    found = []
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        found.append(Source(uri=str(folder / name), name=name, size=len(content), fingerprint=""))
    return found


def groups(photos: Iterable[Source], key: Callable[[Source], object]) -> Iterator[list[Source]]:
    found: defaultdict[object, list[Source]] = defaultdict(list)
    for photo in photos:
        found[key(photo)].append(photo)
    yield from found.values()


def mark(photos: list[Source]) -> list[Source]:
    """What the transform does, in one process and in order of name."""
    alike, done = [photos], []
    for key in ((lambda photo: photo.size), *STEPS.values()):
        split = [group for one in alike for group in groups(one, key)]
        done += [group for group in split if len(group) == 1 or group[0].size == 0]
        alike = [group for group in split if len(group) > 1 and group[0].size]
    found = [photo for group in done for photo in group] + [one for group in alike for one in duplicates.marked(group)]
    return sorted(found, key=lambda photo: photo.place)


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


def test_large_scans_of_one_size_are_told_apart_without_reading_them(tmp_path):
    """Two dozen scans of 64 GiB with the same border: read whole, they would take hours."""
    size, photos = 1 << 36, []
    for number in range(24):
        with (tmp_path / f"{number:02d}.tif").open("wb") as file:
            file.truncate(size)
            file.seek(size * 3 // 8 - 2048)
            file.write(bytes([number]) * 8192)
        photos.append(Source(uri=file.name, name=Path(file.name).name, size=size, fingerprint=""))
    small = sources(tmp_path, {"a.jpg": b"same", "b.jpg": b"same", "c.jpg": b"else", "d.jpg": b"other"})
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found = pipeline | beam.Create([*photos, *small]) | MarkDuplicates()
        lines = found | beam.Map(lambda photo: json.dumps([photo.name, photo.duplicate_of]))
        _ = lines | beam.io.WriteToText(str(tmp_path / "twins"), shard_name_template="")
    told = dict(json.loads(line) for line in (tmp_path / "twins").read_text().splitlines())
    assert len(told) == 28
    assert {name: twin for name, twin in told.items() if twin} == {"b.jpg": "a.jpg"}
