"""Put a photo's files into the output, but never over a file that somebody else made.

A killed run may leave a file that no record mentions yet. Such a file is recognised by its mark
(`pipelines.files.marks`), or by its digest, which is in a local journal before the file is written. If both are
missing, the photo is made again and gives the same bytes.
"""

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.files import beneath, contents, marks, own_objects, storage
from pipelines.files.contents import Content
from pipelines.files.own_objects import Found


class OccupiedError(Exception):
    """Files that this program did not write are in the places of a photo's files.

    Attributes:
        found: these files, by path relative to the output.
    """

    def __init__(self, found: dict[str, Content]) -> None:
        super().__init__(*found)
        self.found = found


@dataclass(frozen=True)
class Placed:
    """A file that is in its place.

    Attributes:
        fingerprint: see `pipelines.files.contents`.
        replaced: whether a different content was there before.
    """

    fingerprint: str
    replaced: bool


def place(
    output: str,
    files: Mapping[str, bytes],
    ours: Mapping[str, frozenset[str]],
    run: int,
    *,
    replace_changed: bool = False,
    announce: Callable[[], None] = lambda: None,
    check: Callable[[], None] = lambda: None,
) -> dict[str, Placed]:
    """Put the files of a photo into the output: all of them, or none if one place is occupied.

    A file with the same bytes is left alone. A single object costs one request if its place is free.

    Args:
        output: the folder.
        files: by path relative to the output.
        ours: digests of the files that earlier runs wrote, by path.
        run: number of the run, for the marks of the files.
        replace_changed: whether to replace files that somebody else made.
        announce: called before the first file is written.
        check: called before each file is written; an exception from it stops the write.

    Returns:
        the result for each file.

    Raises:
        OccupiedError: files that earlier runs did not write are there.
        LinkError: a folder on the way to a local file is a link.
        storage.io_errors: a file cannot be written.
    """
    if not storage.is_remote(output):
        for name in files:
            beneath.check(Path(output), name.rpartition("/")[0])
    is_looked_up = len(files) > 1 or not storage.is_in_bucket(output)
    there = {name: found for name in files if is_looked_up and (found := _found(storage.join(output, name)))}
    same = {name for name, content in there.items() if content.sha256 == contents.sha256(files[name])}
    if not replace_changed:
        others = sorted(name for name in there.keys() - same if not there[name].may_go(ours.get(name, ())))
        if others:
            raise OccupiedError({name: there[name] for name in others})
    if same != files.keys():
        announce()
    placed = {}
    for name, data in files.items():
        uri = storage.join(output, name)
        if name in same:
            placed[name] = Placed(there[name].fingerprint, replaced=False)
        elif storage.is_in_bucket(uri):
            placed[name] = _put(uri, name, data, run, None if replace_changed else ours.get(name, frozenset()), check)
        else:
            storage.write_in(output, name, data, check)
            if not storage.is_remote(uri):
                marks.write(uri, run, contents.sha256(data))
            placed[name] = Placed(contents.fingerprint(uri), replaced=name in there)
    return placed


def _found(uri: str) -> Content | None:
    content = contents.read(uri)
    if content is None and not storage.is_remote(uri) and os.path.lexists(uri):
        raise FileExistsError(errno.EEXIST, "something that is not a file is there", uri)
    return content


def _put(uri: str, name: str, data: bytes, run: int, ours: frozenset[str] | None, check: Callable[[], None]) -> Placed:
    """Write an object; any existing object may be replaced if ``ours`` is None."""
    in_the_way: list[Content] = []

    def may_replace(found: Found) -> bool:
        if ours is None or found.own_run or not found.size:
            return True
        content = contents.read(uri)
        if content is None or content.may_go(ours):
            return True
        in_the_way.append(content)
        return False

    written = own_objects.write(uri, data, run, may_replace, check)
    if written is None:
        raise OccupiedError({name: in_the_way[-1]})
    generation, replaced = written
    return Placed(f"{len(data)}-{generation}", replaced)
