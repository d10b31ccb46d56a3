"""Paths that TensorFlow does not take for globs.

TensorFlow looks for the files of checkpoints and of SavedModels by a glob: in a folder named `run[1]` it finds those of
`run1`, or none.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from model import saved_model
from tfrecords.errors import UserError

_MAGIC = frozenset("*?[\\")


@contextlib.contextmanager
def plain(path: str) -> Iterator[str]:
    """Give a path to a folder without characters that mean something in a glob, valid within the block.

    Args:
        path: of the folder, which need not exist yet.

    Raises:
        UserError: the path has such characters and lies in a bucket.
    """
    if _MAGIC.isdisjoint(path):
        yield path
    elif saved_model.is_remote(path):
        raise UserError(f"TensorFlow takes {path} for a glob; use a folder without any of * ? [ \\ in its path")
    else:
        with tempfile.TemporaryDirectory(prefix="autochrome-") as folder:
            link = Path(folder) / "link"
            link.symlink_to(Path(path).absolute())
            yield str(link)
