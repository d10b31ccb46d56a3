"""What `prepare` leaves in a folder."""

from pathlib import Path

from tfrecords.example import LabExample
from tfrecords.shards import read_records


def examples(folder: Path) -> list[LabExample]:
    """The examples of all shards."""
    found = []
    for path in sorted(folder.glob("*.tfrecord")):
        with path.open("rb") as file:
            found += [LabExample.from_bytes(record) for record in read_records(file)]
    return found
