"""The manifest of a run as an input: all photos of the run, or a line that says which are not there."""

from pathlib import Path

import pytest
from colorized_folder import Folder
from whole_manifest import write_manifest

from pipelines.archive import partitions
from pipelines.files import input_checks, sources
from pipelines.runtime.partition import Partition
from tfrecords.errors import UserError

NAMES = ("a.jpg", "b.jpg", "c.jpg")


@pytest.fixture
def parts(tmp_path) -> list[Path]:
    """The folders of three partitions, with the record of one photo each."""
    made = Folder(tmp_path)
    folders = [Path(partitions.folder_of(str(made.output), Partition(index, 3))) for index in (1, 2, 3)]
    for part, name in zip(folders, NAMES, strict=True):
        write_manifest(part, [made.add(name, b"scan", b"colour", [])])
    return folders


def manifest_of(parts: list[Path]) -> str:
    return str(parts[0].parents[1])


def test_the_photos_of_all_partitions_are_found(parts):
    input_checks.check_any(manifest_of(parts))
    assert tuple(sorted(source.name for source in sources.everything(manifest_of(parts)))) == NAMES


def test_a_partition_that_is_missing_is_named(parts):
    parts[1].rename(parts[1].parents[4] / "away")
    with pytest.raises(UserError) as raised:
        input_checks.check_any(manifest_of(parts))
    assert str(raised.value) == (
        f"--input {manifest_of(parts)} lacks the photos of partition 2/3; colorize them first, or name the manifest "
        f"of one partition: {parts[0]}/manifest"
    )
    input_checks.check_any([f"{parts[0]}/manifest", f"{parts[2]}/manifest"])


def test_records_of_a_run_that_is_not_done_are_refused(parts):
    journal = parts[2] / "manifest" / "journal"
    journal.mkdir()
    (journal / "0a-1-0b.jsonl").touch()
    for path in (manifest_of(parts), f"{parts[2]}/manifest"):
        with pytest.raises(UserError, match="lacks photos: a run is not done or was killed"):
            input_checks.check_any(path)


def test_a_folder_of_that_name_may_hold_photos(tmp_path):
    folder = tmp_path / "manifest"
    (folder / "journal").mkdir(parents=True)
    for name in ("photos-1.jpg", "journal/a.jsonl"):
        (folder / name).write_bytes(b"x")
    input_checks.check_any(str(folder))
    assert [source.name for source in sources.everything(str(folder))] == ["photos-1.jpg"]
