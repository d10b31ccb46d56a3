from dataclasses import replace

import pytest
from deliveries import OUTPUT, RECORD, named

from pipelines.archive.written_names import folded
from pipelines.delivery import bags
from pipelines.delivery.bags import Bag


def divided(records, photos=9, size=10**12, has_scans=False) -> list[Bag]:
    return list(bags.divided(records, has_scans=has_scans, photos=photos, size=size))


def names(some: list[Bag]) -> list[list[str]]:
    return [[item.record.name for item in bag.items] for bag in some]


def test_bags_are_divided_by_number_and_by_size():
    records = [named(name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    assert names(divided(records, photos=2)) == [["a.jpg", "b.jpg"], ["c.jpg"]]
    two = 2 * OUTPUT.bytes
    assert names(divided(records, size=two)) == [["a.jpg", "b.jpg"], ["c.jpg"]]
    assert names(divided(records, size=two, has_scans=True)) == [["a.jpg"], ["b.jpg"], ["c.jpg"]]
    assert names(divided(records, size=1)) == [["a.jpg"], ["b.jpg"], ["c.jpg"]]  # each is too large


def test_records_are_taken_one_bag_at_a_time():
    def endless():
        while True:
            yield RECORD

    some = bags.divided(endless(), has_scans=False, photos=2, size=10**12)
    assert len(next(some).items) == 2


def test_photos_without_files_are_in_no_bag():
    assert divided([replace(RECORD, outputs=(), status="rejected")]) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("box 1/ä.jpg", "data/colour/box 1/ä.jpg"),
        ("50%.jpg", "data/colour/50_25_.jpg"),
        ("two\nlines.jpg", "data/colour/two_0a_lines.jpg"),
        ("caf\udce9.jpg", "data/colour/caf_e9_.jpg"),
    ],
)
def test_paths_are_such_that_any_reader_of_bags_finds_the_files(name, path):
    [bag] = divided([named(name)])
    assert [file.path for file in bag.payload()] == [path]


def test_no_two_files_have_one_path():
    long = 250 * "ä" + ".jpg"
    records = [named(name) for name in ("a_0a_.jpg", "a\n.jpg", "A_0a_.jpg", long, "ö" + long)]
    records.append(replace(named("b.jpg"), name="a_0a_.jpg"))  # in another tar
    [bag] = divided(records, has_scans=True)
    paths = [file.path for file in bag.payload()]
    assert len({path.casefold() for path in paths}) == len(paths) == 12
    assert max(len(path.rpartition("/")[2].encode()) for path in paths) < 250


def test_pages_of_one_tiff_are_one_file():
    pages = tuple(replace(OUTPUT, page=page) for page in (1, 2))
    [bag] = divided([replace(RECORD, outputs=pages)])
    assert len(bag.payload()) == 1
    assert [output.page for output in bag.items[0].outputs] == [1]


@pytest.mark.parametrize("twin", ["cafe\u0301.jpg", "CAFÉ.JPG", "caf\u200bé.jpg", "café.jpg ", "café.jpg."])
def test_no_two_files_have_paths_that_some_disk_takes_for_the_same(twin):
    records = [named("café.jpg"), replace(named("café~2.jpg"), name=twin)]
    [bag] = divided(records, has_scans=True)
    paths = [folded(file.path) for file in bag.payload()]
    assert len(set(paths)) == len(paths) == 4
