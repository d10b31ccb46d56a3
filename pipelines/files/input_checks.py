"""Check an input before work starts: it exists, contains photos, and does not overlap with the output."""

import os
from collections.abc import Sequence

from pipelines.files import cloud, faults, input_paths, listed_photos, listings, record_lists, sources, storage, tars
from pipelines.files.input_paths import InputPath
from pipelines.files.list_parts import PLAIN, ListOptions
from tfrecords.description import FILE_NAME, is_description
from tfrecords.errors import UserError

_FIX = "name a folder, a photo, a .tar, a list, or a glob in quotes"
_LISTS = ".txt, .csv, .tsv, .jsonl and .parquet"
_PACKED_LISTS = (".txt.gz", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".json", ".xlsx", ".xls", ".ods")
_TRIED = 20
_ARCHIVES = (".zip", ".7z", ".rar")


def check_any(patterns: str | Sequence[str], lists: ListOptions = PLAIN) -> None:
    """Check that each path of an input contains at least one file that may be a photo.

    Args:
        patterns: folder, file, glob, tar or list; or several.
        lists: how lists are read.

    Raises:
        UserError: a path contains none or cannot be listed, or a list is not one.
        OutageError: the disk or the bucket does not answer.
    """
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        _check_path(pattern)
    paths = input_paths.of(patterns, lists)
    for path in paths:
        _check(path)
    if lists != PLAIN and not any(path.lists for path in paths):
        raise UserError("--root and --input_columns are for lists; name a list as --input, or leave them out")


def _check_path(pattern: str) -> None:
    if not pattern:
        raise UserError(f"--input is empty; {_FIX}")
    if not storage.is_remote(pattern) and listings.is_literal(pattern) and not os.path.lexists(pattern):
        raise UserError(f"--input {pattern} does not exist; {_FIX}")
    root = listings.root_of(pattern)
    if root and not storage.is_remote(pattern) and not os.path.lexists(root):
        raise UserError(f"--input {pattern}: there is no folder {root}; {_FIX}")
    _check_kind(pattern)
    cloud.check({"--input": pattern})


def _check(path: InputPath) -> None:
    pattern = path.pattern
    try:
        if listings.is_literal(pattern):
            record_lists.check(pattern)
        if path.lists:
            _check_list(path)
            return
        if listings.is_literal(pattern):
            _check_no_records(pattern)
        if next(sources.find(path), None) is None:
            raise UserError(f"--input {pattern} has no photos; {_FIX}")
    except storage.io_errors() as error:
        raise UserError(f"--input {pattern} cannot be listed: {faults.cause(error)}") from error


def _check_kind(pattern: str) -> None:
    """Reject a single file of a common kind that contains many photos and is not supported."""
    name = pattern.lower()
    if not listings.is_literal(pattern) or os.path.isdir(pattern):  # noqa: PTH112 (raises nothing)
        return
    if name.endswith(_PACKED_LISTS):
        raise UserError(f"--input {pattern} cannot be read as a list; lists are {_LISTS} files")
    if name.endswith(_ARCHIVES) or (tars.is_tar(name) and not name.endswith(".tar")):
        raise UserError(f"--input {pattern}: compressed archives are not supported; unpack it to a folder or a .tar")


def _check_list(path: InputPath) -> None:
    """Check that lists can be read, and that some of the first photos exist."""
    tried: list[str] = []
    for whole in path.lists:
        if storage.size(whole.uri) < 0:
            raise UserError(f"--input {whole.uri} does not exist; {_FIX}")
        for part in listed_photos.parts(whole):
            for uri in listed_photos.first(part, _TRIED - len(tried)):
                cloud.check({f"--input {path.pattern}:": uri} if not tried else {})
                if listed_photos.exists(uri):
                    return
                tried.append(uri)
            if len(tried) == _TRIED:
                break
    if not tried:
        raise UserError(f"--input {path.pattern} names no photos; write one path in each line")
    number = "its only photo does not exist" if len(tried) == 1 else f"none of its first {len(tried)} photos exists"
    fix = "name the folder that its paths are relative to with --root"
    if any("\udc80" <= char <= "\udcff" for char in tried[0]):
        fix = f"save the list as UTF-8, or {fix}"
    raise UserError(f"--input {path.pattern}: {number}: {tried[0]}; {fix}")


def _check_no_records(folder: str) -> None:
    """Reject a folder that `autochrome prepare` wrote."""
    if not storage.is_in_bucket(folder) and not os.path.isdir(folder):  # noqa: PTH112 (raises nothing)
        return
    data = storage.read_if_there(storage.join(folder, FILE_NAME)) or b""
    if is_description(data.decode(errors="replace")):
        raise UserError(
            f"--input {folder} holds Lab records, not photos; name the photos, or use it with `autochrome train --data`"
        )


def check_apart(patterns: str | Sequence[str], output: str, flag: str = "--output") -> None:
    """Check that an output folder does not overlap with the sources, so that neither is taken for the other.

    Args:
        patterns: of the sources.
        output: the folder that is written to.
        flag: the flag that named it.

    Raises:
        UserError: one folder contains the other, or no output is named.
    """
    if not output:
        raise UserError(f"{flag} is empty; name a folder")
    for path in input_paths.of(patterns):
        if input_paths.meets(path, output):
            raise UserError(f"{flag} {output} and {path.pattern} overlap; choose a folder apart from the photos")
