"""Where a photo's files are put: never over a file that somebody else made.

A run that is killed may leave a file that no record tells of yet. Such a file is not somebody else's: on a local disk
its digest is in the journal before it is written, and where that is missing the photo is made again and gives the same
bytes.
"""

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines import contents, storage
from pipelines.contents import Content

Write = Callable[[str, bytes], None]


class OccupiedError(Exception):
    """Files that this program did not write are where a photo's files would go.

    Attributes:
        found: them, by path relative to the output.
    """

    def __init__(self, found: dict[str, Content]) -> None:
        super().__init__(*found)
        self.found = found


@dataclass(frozen=True)
class Placed:
    """A file that is in its place.

    Attributes:
        fingerprint: see `pipelines.contents`.
        replaced: whether another content was there before.
    """

    fingerprint: str
    replaced: bool


def place(
    output: str,
    files: Mapping[str, bytes],
    ours: Mapping[str, frozenset[str]],
    *,
    replace_changed: bool = False,
    announce: Callable[[], None] = lambda: None,
    write: Write = storage.write,
) -> dict[str, Placed]:
    """Puts the files of a photo into the output; all of them or, where one place is occupied, none.

    What is there already byte by byte is left alone.

    Args:
        output: the folder.
        files: by path relative to the output.
        ours: digests of what earlier runs wrote under a path.
        replace_changed: whether to replace files that somebody else made.
        announce: called before the first file is written.
        write: puts the bytes of a file in its place.

    Returns:
        what became of each file.

    Raises:
        OccupiedError: files that earlier runs did not write are there.
        storage.IO_ERRORS: a file cannot be written.
    """
    there = {name: content for name in files if (content := _found(storage.join(output, name))) is not None}
    same = {name for name, content in there.items() if content.sha256 == contents.sha256(files[name])}
    others = {
        name: there[name] for name in there.keys() - same if not _may_go(there[name], ours.get(name, frozenset()))
    }
    if others and not replace_changed:
        raise OccupiedError(dict(sorted(others.items())))
    if same != files.keys():
        announce()
    placed = {}
    for name, data in files.items():
        uri = storage.join(output, name)
        if name in same:
            placed[name] = Placed(there[name].fingerprint, replaced=False)
            continue
        write(uri, data)
        placed[name] = Placed(contents.fingerprint(uri), replaced=name in there)
    return placed


def _found(uri: str) -> Content | None:
    content = contents.read(uri)
    if content is None and not storage.is_remote(uri) and os.path.lexists(uri):
        raise FileExistsError(errno.EEXIST, "something that is not a file is there", uri)
    return content


def _may_go(content: Content, ours: frozenset[str]) -> bool:
    # A power cut may leave an empty file, and nobody makes a photo of no bytes.
    return content.bytes == 0 or content.sha256 in ours
