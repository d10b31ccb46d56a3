"""The manifest of an earlier run as an input: its records are lists of photos (`pipelines.files.list_parts`).

colour/manifest/photos-00000-of-00004.jsonl                                a list
colour/manifest/partitions/00003-of-00008/manifest/photos-….jsonl          a list of a partition
"""

import re

from pipelines.files import list_parts, listings, storage
from tfrecords.errors import UserError
from tfrecords.words import first

_MANIFEST, _JOURNAL, _PARTITIONS = "manifest", "journal", "partitions"
_RECORDS = re.compile(r"photos-\d{5,}-of-\d{5,}\.")
_PARTITION = re.compile(r"(?P<index>\d{5,})-of-(?P<total>\d{5,})")
_RUNS = "runs.json"
_NAMED = 3


def found(folder: str) -> list[str]:
    """Return the URIs of the records in a folder that is named `manifest`, or those of its partitions; else none.

    Args:
        folder: local or a URI, that a user named as an input.
    """
    folder = folder.rstrip("/")
    if folder.rpartition("/")[2] != _MANIFEST:
        return []
    return [uri for one in _manifests(folder) for uri in _records(one)]


def is_record_list(uri: str) -> bool:
    """Return whether a list has the name and the place of records of a manifest, or of a run that is not done."""
    *_, above, folder, name = ("", "", *uri.split("/"))
    is_journal = (above, folder) == (_MANIFEST, _JOURNAL) and name.endswith(".jsonl")
    return is_journal or (folder == _MANIFEST and _RECORDS.match(name) is not None)


def check(folder: str) -> None:
    """Check that the records of a manifest are those of all photos of a run, so that none is left out unseen.

    Args:
        folder: for which `found` returns records, or none if no run has ended there.

    Raises:
        UserError: a run is not done or was killed, or a partition is missing.
    """
    folder = folder.rstrip("/")
    if folder.rpartition("/")[2] != _MANIFEST:
        return
    if any(map(_is_unfinished, {folder, *_manifests(folder)})):
        raise UserError(
            f"--input {folder} lacks photos: a run is not done or was killed; the same `autochrome colorize` "
            "finishes it"
        )
    there = _partitions(folder)
    total = max((total for _, total in there), default=0)
    if lost := [f"{index}/{total}" for index in range(1, total + 1) if (index, total) not in there]:
        raise UserError(
            f"--input {folder} lacks the photos of partition {first(lost, _NAMED)}; colorize them first, "
            f"or name the manifest of one partition: {_place(folder, *min(there))}"
        )


def _manifests(folder: str) -> list[str]:
    """Return the folders of records: those of the partitions if there are any, else the folder itself."""
    return [_place(folder, *one) for one in sorted(_partitions(folder))] or [folder]


def _is_unfinished(manifest: str) -> bool:
    has_journal = any(name.endswith(".jsonl") for name in storage.names(storage.join(manifest, _JOURNAL)))
    return has_journal and _RUNS in storage.names(manifest)


def _place(folder: str, index: int, total: int) -> str:
    return storage.join(folder, f"{_PARTITIONS}/{index:05d}-of-{total:05d}/{_MANIFEST}")


def _partitions(folder: str) -> set[tuple[int, int]]:
    names = (
        branch.path.rstrip("/").rpartition("/")[2] for branch in listings.of_folder(storage.join(folder, _PARTITIONS))
    )
    return {(int(one["index"]), int(one["total"])) for one in map(_PARTITION.fullmatch, names) if one}


def _records(folder: str) -> list[str]:
    names = (name for name in storage.names(folder) if _RECORDS.match(name) and list_parts.kind_of(name))
    return [storage.join(folder, name) for name in sorted(names)]
