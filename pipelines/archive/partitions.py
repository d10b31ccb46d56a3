"""Partitions: one of n parts of the photos, with records of its own, for archives that are colorized in steps.

    OUTPUT/manifest/partitions/00003-of-00008/    what is in OUTPUT without partitions, except the photos

Photos whose files could ever get the same name are in one partition (`pipelines.archive.written_names.Rules.key`), so
partitions that run at the same time, or with other machines, name their files as one run would.
"""

import re

from pipelines.archive import run_list
from pipelines.archive.manifest import FOLDER
from pipelines.files import listings, storage
from pipelines.files.hashes import stable_hash
from pipelines.files.sources import Source
from pipelines.runtime.partition import WHOLE, Partition
from tfrecords.errors import UserError
from tfrecords.words import first

PARTITIONS = f"{FOLDER}/partitions"
_NAMED = 3
_NAME = re.compile(r"(?P<index>\d{5,})-of-(?P<total>\d{5,})")
_PATH = re.compile(rf"/{PARTITIONS}/{_NAME.pattern}\Z")


def folder_of(folder: str, partition: Partition) -> str:
    """Return the folder of the records of a partition.

    Args:
        folder: of the records of all partitions.
        partition: a part of the photos.
    """
    if partition == WHOLE:
        return folder
    return storage.join(folder, f"{PARTITIONS}/{partition.index:05d}-of-{partition.total:05d}")


def of_folder(folder: str) -> Partition:
    """Return the partition whose records are in a folder; WHOLE for any other folder."""
    found = _PATH.search(folder)
    return Partition(int(found["index"]), int(found["total"])) if found else WHOLE


def base_of(folder: str) -> str:
    """Return the folder of the records of all partitions, from that of one; any other folder is returned unchanged."""
    return _PATH.sub("", folder)


def has_ignored(ignored: Source, partition: Partition) -> bool:
    """Return whether a file that is not a photo is counted in a partition: each in one of them."""
    return partition.has(stable_hash(ignored.name))


def there(folder: str) -> list[Partition]:
    """Return the partitions that have records below a folder, in order.

    Raises:
        storage.io_errors, WorldError: the folder cannot be listed.
    """
    branches = listings.of_folder(storage.join(folder, PARTITIONS))
    found = (_NAME.fullmatch(branch.path.rstrip("/").rpartition("/")[2]) for branch in branches)
    partitions = {Partition(int(match["index"]), int(match["total"])) for match in found if match}
    return sorted(partitions, key=lambda partition: (partition.total, partition.index))


def lacking(folder: str) -> str:
    """Return which partitions of a folder are there and which are not; '' if all are, or if it has none.

    Raises:
        storage.io_errors, WorldError: the folder cannot be listed.
    """
    found = there(folder)
    total = max((one.total for one in found), default=0)
    lost = [str(one) for index in range(1, total + 1) if (one := Partition(index, total)) not in found]
    if not lost:
        return ""
    shown = ", ".join(map(str, found)) if len(found) <= _NAMED else f"{len(found):,} of {total:,}"
    return f"has {shown}, and lacks {first(lost, _NAMED)}: deleted, or not colorized yet"


def check(folder: str, partition: Partition) -> None:
    """Check that runs with and without partitions, or with other partitions, do not meet in a folder.

    Args:
        folder: of the records of all partitions.
        partition: of this run.

    Raises:
        UserError: they would.
    """
    totals = {known.total for known in there(folder)} - {partition.total}
    if totals:
        n = max(totals)
        raise UserError(f"{folder} holds records of {n} partitions; give --partition i/{n}, or choose another folder")
    if partition != WHOLE and run_list.known(folder):
        raise UserError(
            f"{folder} holds records of runs without --partition; leave it out here too, or choose another folder"
        )
