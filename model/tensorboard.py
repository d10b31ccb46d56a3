"""Event files for TensorBoard: scalars and pictures by step.

An event file is a TFRecord file of Event messages, which TensorFlow itself can write; the package tensorboard is needed
to look at them only.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import writing
from tfrecords import color

FOLDER = "tensorboard"


class Events:
    """One event file of a run; a resumed run writes another one into the same folder."""

    def __init__(self, folder: str, step: int) -> None:
        """Begin a file in `folder`; what earlier files hold after `step` is not shown, it will be measured again.

        Raises:
            DeniedError, OutageError: it cannot be written; so do the methods.
        """
        self._folder = folder
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        with writing.named(folder):
            tf.io.gfile.makedirs(folder)
            self._writer = tf.io.TFRecordWriter(tf.io.gfile.join(folder, name))
        self._write(tf.compat.v1.Event(file_version="brain.Event:2"))
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._write(tf.compat.v1.Event(step=step + 1, session_log=start))

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures by name."""
        values = [tf.compat.v1.Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
        self._write(tf.compat.v1.Event(step=step, summary=tf.compat.v1.Summary(value=values)))

    def image(self, step: int, tag: str, pixels: NDArray[np.uint8]) -> None:
        """Add a picture, sRGB uint8 [H, W, 3]."""
        height, width, channels = pixels.shape
        encoded = tf.io.encode_png(pixels).numpy()
        image = tf.compat.v1.Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=encoded
        )
        value = tf.compat.v1.Summary.Value(tag=tag, image=image)
        self._write(tf.compat.v1.Event(step=step, summary=tf.compat.v1.Summary(value=[value])))

    def close(self) -> None:
        """End the file."""
        with writing.named(self._folder):
            self._writer.close()

    def _write(self, event: tf.compat.v1.Event) -> None:
        event.wall_time = time.time()
        with writing.named(self._folder):
            self._writer.write(event.SerializeToString())
            self._writer.flush()


def grid(luminance: NDArray[np.float32], *chromas: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a sheet of pictures, one row each: the luminance, then with each of the chromas.

    Args:
        luminance: float32 ``[N, S, S, 1]`` in [0, 1].
        chromas: float32 ``[N, S, S, 2]`` in (-1, 1) each.

    Returns:
        sRGB uint8 ``[N * S, (1 + chromas) * S, 3]``.
    """
    lightness = np.float32(100) * luminance
    columns = []
    for chroma in (np.zeros_like(chromas[0]), *chromas):
        lab = np.concatenate([lightness, np.float32(128) * chroma], axis=-1)
        columns.append(np.concatenate([color.lab_to_srgb(np.ascontiguousarray(one)) for one in lab], axis=0))
    return np.concatenate(columns, axis=1)
