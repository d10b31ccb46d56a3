"""Files that are there whole or not at all: small texts, local or in a bucket.

TensorFlow is imported only for paths with a scheme. Its errors become an `OSError` with their first line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrecords.uris import is_remote


def write(path: str, text: str) -> None:
    """Write a file in place of the one that may be there; make its folder.

    Raises:
        OSError: it cannot be written; the one that was there is left.
    """
    if is_remote(path):  # An object appears when it is complete.
        with _gfile() as gfile:
            gfile.makedirs(path.rpartition("/")[0])
            with gfile.GFile(path, "w") as file:
                file.write(text)
        return
    partial = Path(f"{path}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def append(path: str, line: str) -> None:
    """Append to a local file."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(line)


def read(path: str) -> str | None:
    """Return the text of a file, what is not UTF-8 replaced; None if there is none.

    Raises:
        OSError: it cannot be read.
    """
    if is_remote(path):
        with _gfile() as gfile:
            if not gfile.exists(path):
                return None
            with gfile.GFile(path, "rb") as file:
                return bytes(file.read()).decode(errors="replace")
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextlib.contextmanager
def _gfile() -> Iterator[Any]:
    import tensorflow as tf

    try:
        yield tf.io.gfile
    except tf.errors.OpError as error:
        raise OSError(error.message.splitlines()[0]) from error
