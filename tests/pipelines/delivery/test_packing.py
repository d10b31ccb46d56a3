from pathlib import Path

import bagit
import numpy as np
import pytest
from colorized_folder import Folder

from pipelines.delivery import packing
from pipelines.delivery.packing import Packed
from pipelines.delivery.told import Told
from pipelines.files import storage
from pipelines.runtime.worker_pool import Gate, WorkerPool
from tfrecords.errors import UserError

NAMES = ("box 1/a.jpg", "box 1/b%.jpg", "caf\udce9.jpg")
TOLD = Told(source_types={})


@pytest.fixture
def folder(tmp_path) -> Folder:
    made = Folder(tmp_path)
    page = [np.zeros((8, 8, 3), np.uint8)]
    for name in NAMES:
        made.add(name, b"scan of " + name.encode(errors="replace"), b"colour" + name.encode(errors="replace"), page)
    return made


def deliver(folder: Folder, told: Told = TOLD, photos: int = 2, *, has_scans: bool = True) -> list[Packed]:
    pool = WorkerPool(2, Gate(2))
    to = str(folder.output.parent / "bags")
    limits = {"has_scans": has_scans, "photos": photos, "size": 10**9}
    try:
        return list(packing.packed(folder.records, str(folder.output), to, told, pool, **limits))
    finally:
        pool.close()


def bags(folder: Folder) -> list[Path]:
    return sorted((folder.output.parent / "bags").iterdir())


def contents(folder: Folder) -> dict[str, bytes]:
    root = folder.output.parent / "bags"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_bags_are_valid_for_the_reference_implementation(folder):
    assert [len(one.bag.items) for one in deliver(folder)] == [2, 1]
    for path in bags(folder):
        assert bagit.Bag(str(path)).validate()
    assert len(list((bags(folder)[0] / "data").rglob("*.jpg"))) == 4


def test_a_changed_byte_makes_a_bag_invalid(folder):
    deliver(folder)
    path = bags(folder)[1] / "metadata" / "premis" / "caf_e9_.jpg.xml"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(bags(folder)[1])).validate()


def test_a_second_delivery_copies_nothing_and_a_stopped_one_continues(folder):
    deliver(folder)
    before = contents(folder)
    assert [one.is_found for one in deliver(folder)] == [True, True]
    (bags(folder)[1] / "tagmanifest-sha256.txt").unlink()
    (bags(folder)[1] / "data" / "colour" / "caf_e9_.jpg").unlink()
    assert [one.is_found for one in deliver(folder)] == [True, False]
    assert contents(folder) == before


@pytest.mark.parametrize("path", ["data/colour/box 1/a.jpg", "data/scans/box 1/a.jpg", "metadata/photos.csv"])
@pytest.mark.parametrize("data", [None, b"cut"])
def test_a_bag_that_lost_a_file_or_a_part_of_one_is_filled_again(folder, path, data):
    deliver(folder)
    before = contents(folder)
    lost = bags(folder)[0] / path
    lost.unlink()
    if data is not None:
        lost.write_bytes(data)
    assert [one.is_found for one in deliver(folder)] == [False, True]
    assert contents(folder) == before


def test_a_photo_that_differs_from_its_record_is_left_out_and_the_bag_is_valid(folder):
    (folder.output / NAMES[0]).write_bytes(b"changed")
    (folder.sources / NAMES[1]).unlink()
    faults = [line for one in deliver(folder, photos=9) for line in one.faults]
    assert faults[0] == "box 1/a.jpg has changed since it was recorded"
    assert faults[1].startswith("the scan box 1/b%.jpg cannot be read: ")
    [path] = bags(folder)
    assert bagit.Bag(str(path)).validate()
    (folder.output / NAMES[0]).write_bytes(b"colour" + NAMES[0].encode())
    assert [len(one.bag.items) for one in deliver(folder, photos=9)] == [2]
    assert bagit.Bag(str(path)).validate()


def test_a_bag_of_other_photos_stays(folder):
    deliver(folder)
    before = contents(folder)
    with pytest.raises(UserError, match="was made of other photos or with other flags"):
        deliver(folder, photos=1)
    assert contents(folder) == before


def test_manifests_for_the_web_are_made_where_there_is_an_address(folder):
    deliver(folder, Told(source_types={}, url="https://a.example"))
    assert "bag-00001/metadata/iiif/box 1/a.jpg.json" in contents(folder)
    assert bagit.Bag(str(bags(folder)[0])).validate()


def test_a_bag_holds_nothing_of_a_photo_that_was_left_out_after_a_kill(folder):
    told = Told(source_types={}, url="https://a.example")
    deliver(folder, told, photos=9)
    [path] = bags(folder)
    (path / "tagmanifest-sha256.txt").unlink()  # as if killed before the end
    (folder.output / NAMES[0]).unlink()
    assert [len(one.bag.items) for one in deliver(folder, told, photos=9)] == [2]
    assert bagit.Bag(str(path)).validate()
    assert not [name for name in contents(folder) if "/a.jpg" in name]


def test_a_bag_that_is_filled_again_has_no_seal_meanwhile(folder, monkeypatch):
    (folder.output / NAMES[0]).write_bytes(b"changed")
    deliver(folder, photos=9)
    [path] = bags(folder)
    (folder.output / NAMES[0]).write_bytes(b"colour" + NAMES[0].encode())
    written = []

    def write(root: str, name: str, data: bytes) -> None:
        written.append((name, (path / "tagmanifest-sha256.txt").exists()))
        write_in(root, name, data)

    write_in = storage.write_in
    monkeypatch.setattr(storage, "write_in", write)
    deliver(folder, photos=9)
    assert written[-1] == ("tagmanifest-sha256.txt", False)
    assert not any(sealed for _, sealed in written)


def test_a_bag_without_photos_is_not_left_behind(folder):
    for name in NAMES:
        (folder.output / name).unlink()
    assert [len(one.faults) for one in deliver(folder, photos=9)] == [3]
    assert contents(folder) == {}
