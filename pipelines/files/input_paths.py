"""What `--input` names: one path or several, and how the names of photos begin that come from several.

The name of a photo is its path below the folder that was named. Where several folders were, the names begin with the
folder's own name, or with as much of its path as tells it from the others: with ``--input 1920s/box1 --input
1920s/box2`` they are ``box1/a.jpg`` and ``box2/a.jpg``. The order of the paths does not matter.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.files import listings, storage, tars


@dataclass(frozen=True)
class InputPath:
    """One path of an input.

    Attributes:
        pattern: folder, file or glob, local or a URI.
        root: the folder that names are relative to.
        folder: what names begin with: '' or a folder with a last slash.
        is_alone: whether the input is this path alone.
    """

    pattern: str
    root: str
    folder: str = ""
    is_alone: bool = True

    def lends_no_folder(self, uri: str) -> bool:
        """Returns whether a tar is the whole input, so that the names of its photos do not begin with its own."""
        return self.is_alone and uri == self.pattern


def of(patterns: str | Sequence[str]) -> list[InputPath]:
    """Returns the paths of an input, in an order of their own; a path that is given twice is taken once."""
    given = [patterns] if isinstance(patterns, str) else patterns
    distinct = [pattern for _, pattern in sorted({storage.normalized(pattern): pattern for pattern in given}.items())]
    roots = {pattern: listings.root_of(pattern) for pattern in distinct}
    if len(distinct) == 1:
        return [InputPath(*pair) for pair in roots.items()]
    forms = {one: storage.normalized(root) for one, root in roots.items() if not _is_local_file(one)}
    labels = _labels(set(forms.values()))
    return [
        InputPath(one, root, labels[forms[one]] if one in forms else "", is_alone=False) for one, root in roots.items()
    ]


def overlap(paths: Sequence[InputPath]) -> bool:
    """Returns whether a file may be found below more than one of the paths."""
    roots = sorted(
        storage.normalized(path.pattern if _is_local_file(path.pattern) else path.root) + "/" for path in paths
    )
    # A folder comes right before what is in it, or before another folder in it.
    return any(after.startswith(before) for before, after in pairwise(roots))


def meets(path: InputPath, output: str) -> bool:
    """Returns whether an output folder would hold photos of the input, or be searched for them.

    It may lie beside a photo or a tar that is named, and in the folder of a local glob like ``*.jpg``, which finds
    nothing in subfolders.
    """
    alone = listings.is_literal(path.pattern) and (tars.is_tar(path.pattern) or _is_local_file(path.pattern))
    source, target = storage.normalized(path.pattern if alone else path.root) + "/", storage.normalized(output) + "/"
    return source.startswith(target) or (target.startswith(source) and not _is_flat(path.pattern))


def _is_flat(pattern: str) -> bool:
    """Returns whether a pattern is a local glob that finds nothing in subfolders."""
    if listings.is_literal(pattern) or storage.is_remote(pattern):
        return False
    folder, _, last = pattern.rpartition("/")
    return last != "**" and (not folder or listings.is_literal(folder))


def _is_local_file(pattern: str) -> bool:
    is_local = not storage.is_remote(pattern)
    return is_local and listings.is_literal(pattern) and os.path.isfile(pattern)  # noqa: PTH113 (raises nothing)


def _labels(roots: set[str]) -> dict[str, str]:
    """Returns what names begin with, by root: the end of its path that no other root has; '' for a single root."""
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
