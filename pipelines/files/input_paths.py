"""Resolve the paths of `--input`, and choose the first part of photo names where there are several paths.

The name of a photo is its path below the folder that was named. With several folders, names begin with the name of the
folder, or with as much of its path as makes it unique: with ``--input 1920s/box1 --input 1920s/box2`` they are
``box1/a.jpg`` and ``box2/a.jpg``. The order of the paths does not matter.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.files import listings, storage, tars


@dataclass(frozen=True, kw_only=True)
class InputPath:
    """One path of an input.

    Attributes:
        pattern: folder, file or glob; local or a URI.
        root: the folder that names are relative to.
        folder: the first part of names: '' or a folder with a trailing slash.
        is_alone: whether this is the only path of the input.
    """

    pattern: str
    root: str
    folder: str = ""
    is_alone: bool = True

    def lends_no_folder(self, uri: str) -> bool:
        """Return whether a tar is the whole input, so that its own name is not part of the names of its photos."""
        return self.is_alone and uri == self.pattern


def of(patterns: str | Sequence[str]) -> list[InputPath]:
    """Return the paths of an input, sorted and without duplicates."""
    given = [patterns] if isinstance(patterns, str) else patterns
    distinct = [pattern for _, pattern in sorted({storage.normalized(pattern): pattern for pattern in given}.items())]
    roots = {pattern: listings.root_of(pattern) for pattern in distinct}
    if len(distinct) == 1:
        return [InputPath(pattern=one, root=root) for one, root in roots.items()]
    forms = {one: storage.normalized(root) for one, root in roots.items() if not _is_local_file(one)}
    labels = _labels(set(forms.values()))
    return [
        InputPath(pattern=one, root=root, folder=labels[forms[one]] if one in forms else "", is_alone=False)
        for one, root in roots.items()
    ]


def overlap(paths: Sequence[InputPath]) -> bool:
    """Return whether a file may be found below more than one of the paths."""
    roots = sorted(
        storage.normalized(path.pattern if _is_local_file(path.pattern) else path.root) + "/" for path in paths
    )
    # When sorted, a folder comes right before its contents, or before another folder inside it.
    return any(after.startswith(before) for before, after in pairwise(roots))


def meets(path: InputPath, output: str) -> bool:
    """Return whether an output folder would contain photos of the input, or be searched for them.

    The output may be in the same folder as a named photo or tar, and in the folder of a local glob such as ``*.jpg``,
    which does not search subfolders.
    """
    alone = listings.is_literal(path.pattern) and (tars.is_tar(path.pattern) or _is_local_file(path.pattern))
    source, target = storage.normalized(path.pattern if alone else path.root) + "/", storage.normalized(output) + "/"
    return source.startswith(target) or (target.startswith(source) and not _is_flat(path.pattern))


def _is_flat(pattern: str) -> bool:
    """Return whether a pattern is a local glob that does not search subfolders."""
    if listings.is_literal(pattern) or storage.is_remote(pattern):
        return False
    folder, _, last = pattern.rpartition("/")
    return last != "**" and (not folder or listings.is_literal(folder))


def _is_local_file(pattern: str) -> bool:
    is_local = not storage.is_remote(pattern)
    return is_local and listings.is_literal(pattern) and os.path.isfile(pattern)  # noqa: PTH113 (raises nothing)


def _labels(roots: set[str]) -> dict[str, str]:
    """Return the first part of names, by root: the shortest unique end of its path; '' for a single root."""
    if len(roots) == 1:
        return dict.fromkeys(roots, "")
    parts = {root: root.partition("://")[2].split("/") if "://" in root else root.split("/")[1:] for root in roots}
    depth = dict.fromkeys(roots, 1)
    while True:
        labels = {root: "/".join(parts[root][-depth[root] :]) for root in roots}
        shared = [root for root in roots if list(labels.values()).count(labels[root]) > 1]
        grown = [root for root in shared if depth[root] < len(parts[root])]
        if not grown:
            return {root: f"{label}/" for root, label in labels.items()}
        for root in grown:
            depth[root] += 1
