"""Replacement of an exported model by another, so that at each moment there is a whole one.

A model is whole when its record is there. While a model is replaced, the one before it is in a folder beside it
(`model.saved_model.previous`), and programs that read models look there when the model itself is not whole
(`model.saved_model.folder`). If the program is killed, the next export finishes the work.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from model.saved_model import RECORD, is_remote, is_whole, previous


@contextlib.contextmanager
def of(path: str) -> Iterator[str]:
    """Yield a local folder to write a model into; at the end of the block it becomes `path`.

    Args:
        path: folder, local or gs://; what is in it is replaced.
    """
    path = path.rstrip("/")
    if is_remote(path):
        # Made here and then sent: TensorFlow would ask the bucket for something a hundred times.
        with tempfile.TemporaryDirectory(prefix="autochrome-model-") as made:
            yield made
            _send(made, path)
        return
    made = f"{path}.partial"
    _remove(made)
    yield made
    recover(path)
    if tf.io.gfile.exists(path):
        tf.io.gfile.rename(path, previous(path))
    tf.io.gfile.rename(made, path)
    _remove(previous(path))


def recover(path: str) -> None:
    """Finish or undo the replacement of a local model that was interrupted; do nothing in a bucket.

    There, the next export does so: until then, programs that read the model use the one before it.
    """
    path = path.rstrip("/")
    if is_remote(path) or not tf.io.gfile.exists(previous(path)):
        return
    if not tf.io.gfile.exists(path) and is_whole(previous(path)):
        tf.io.gfile.rename(previous(path), path)
    elif is_whole(path) or not is_whole(previous(path)):
        _remove(previous(path))


def _send(made: str, path: str) -> None:
    """Copy a local model into a bucket, where no folder can be renamed."""
    if is_whole(path):
        _copy(path, previous(path))
    _copy(made, path)
    _remove(previous(path))


def _copy(source: str, target: str) -> None:
    """Make the files of a folder those of a whole model; meanwhile the folder has no record, and is not whole."""
    record = tf.io.gfile.join(target, RECORD)
    if tf.io.gfile.exists(record):
        tf.io.gfile.remove(record)
    names = _files(source)
    for name in sorted(names - {RECORD}):
        place = tf.io.gfile.join(target, name)
        tf.io.gfile.makedirs(place.rpartition("/")[0])
        tf.io.gfile.copy(tf.io.gfile.join(source, name), place, overwrite=True)
    for name in _files(target) - names:
        tf.io.gfile.remove(tf.io.gfile.join(target, name))
    tf.io.gfile.copy(tf.io.gfile.join(source, RECORD), record, overwrite=True)


def _files(folder: str) -> set[str]:
    """Return the names of the files below a folder, relative to it."""
    return {
        tf.io.gfile.join(place, name).removeprefix(f"{folder}/")
        for place, _, names in tf.io.gfile.walk(folder)
        for name in names
    }


def _remove(folder: str) -> None:
    """Remove a folder, if it exists; its record goes first, so that what is left of it is not whole."""
    record = tf.io.gfile.join(folder, RECORD)
    if tf.io.gfile.exists(record):
        tf.io.gfile.remove(record)
    if tf.io.gfile.exists(folder):
        tf.io.gfile.rmtree(folder)
