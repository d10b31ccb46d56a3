"""Files that are there whole or not at all: small texts, local or in a bucket."""

from __future__ import annotations

import tensorflow as tf

from model import saved_model


def write(path: str, text: str) -> None:
    """Write a file in place of the one that may be there."""
    if saved_model.is_remote(path):  # An object appears when it is complete.
        with tf.io.gfile.GFile(path, "w") as file:
            file.write(text)
        return
    with tf.io.gfile.GFile(f"{path}.partial", "w") as file:
        file.write(text)
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
