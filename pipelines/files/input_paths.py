"""Resolve the paths of `--input`, and choose the first part of photo names where there are several paths.

The name of a photo is its path below the folder that was named. With several folders, names begin with the name of the
folder, or with as much of its path as makes it unique: with ``--input 1920s/box1 --input 1920s/box2`` they are
``box1/a.jpg`` and ``box2/a.jpg``. The order of the paths does not matter.

A path may be a list of photos (`pipelines.files.list_parts`), or the manifest of an earlier run, whose records are one.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.files import list_parts, listings, record_lists, storage, tars
from pipelines.files.list_parts import PLAIN, ListOptions, Part
from pipelines.files.listings import Branch


@dataclass(frozen=True, kw_only=True)
class InputPath:
    """One path of an input.

    Attributes:
        pattern: folder, file or glob; local or a URI.
        root: the folder that names are relative to.
        folder: the first part of names: '' or a folder with a trailing slash.
        is_alone: whether this is the only path of the input.
        lists: the lists that it consists of; () for photos.
    """

    pattern: str
    root: str
    folder: str = ""
    is_alone: bool = True
    lists: tuple[Part, ...] = ()

    def lends_no_folder(self, uri: str) -> bool:
        """Return whether a tar is the whole input, so that its own name is not part of the names of its photos."""
        return self.is_alone and uri == self.pattern


def of(patterns: str | Sequence[str], options: ListOptions = PLAIN) -> list[InputPath]:
    """Return the paths of an input, sorted and without duplicates.

    Args:
        patterns: folder, file, glob, tar or list; or several.
        options: how lists are read.
    """
    given = [patterns] if isinstance(patterns, str) else patterns
    distinct = [pattern for _, pattern in sorted({storage.normalized(pattern): pattern for pattern in given}.items())]
    lists = {pattern: _lists(pattern) for pattern in distinct}
    roots = {
        pattern: options.root or os.path.dirname(pattern) if lists[pattern] else listings.root_of(pattern)  # noqa: PTH120 (URIs stay as they are)
        for pattern in distinct
    }
    is_alone = len(distinct) == 1
    forms = {one: storage.normalized(root) for one, root in roots.items() if lists[one] or not _is_local_file(one)}
    labels = {} if is_alone else _labels(set(forms.values()))
    paths = []
    for one, root in roots.items():
        folder = labels[forms[one]] if one in forms and not is_alone else ""
        read = tuple(_part(uri, folder, options) for uri in lists[one])
        paths.append(InputPath(pattern=one, root=root, folder=folder, is_alone=is_alone, lists=read))
    return paths


def _lists(pattern: str) -> list[str]:
    """Return the lists that a path of an input stands for; none if it stands for photos."""
    if not listings.is_literal(pattern):
        return []
    if list_parts.kind_of(pattern):
        return [] if os.path.isdir(pattern) else [pattern]  # noqa: PTH112 (raises nothing)
    return record_lists.found(pattern)


def _part(uri: str, folder: str, options: ListOptions) -> Part:
    """Return a whole list."""
    return Part(uri=uri, kind=list_parts.kind_of(uri), root=options.root, folder=folder, columns=options.columns)


def branches(path: InputPath) -> Iterator[Branch]:
    """Yield the parts of a path that workers list side by side."""
    for whole in path.lists:
        yield from listings.of_list(whole)
    if not path.lists:
        yield from listings.of_input(path.pattern)


def overlap(paths: Sequence[InputPath]) -> bool:
    """Return whether a file may be found more than once: below several of the paths, or because a list repeats it."""
    if any(path.lists for path in paths):
        return True
    roots = sorted(
        storage.normalized(path.pattern if _is_local_file(path.pattern) else path.root) + "/" for path in paths
    )
    # When sorted, a folder comes right before its contents, or before another folder inside it.
    return any(after.startswith(before) for before, after in pairwise(roots))


def meets(path: InputPath, output: str) -> bool:
    """Return whether an output folder would contain photos of the input, or be searched for them.

    The output may be in the same folder as a named photo, tar or list, and in the folder of a local glob such as
    ``*.jpg``, which does not search subfolders. The photos of a list are compared when the job finds them.
    """
    if path.lists:
        return False
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
