"""Area averaging in a graph, of operations that all devices have: XLA and LiteRT lack TensorFlow's ResizeArea."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def shrunk(pictures: tf.Tensor, side: int) -> tf.Tensor:
    """Return pictures of which each pixel is the mean over the area that it covers.

    Args:
        pictures: float32 ``[N, S, S, C]``, with S known.
        side: of the result, from 1 to S.

    Returns:
        float32 ``[N, side, side, C]``.
    """
    places, shares = _covered(int(pictures.shape[1]), side)
    for axis in (1, 2):
        parts = shares.reshape(-1, *([side, 1, 1] if axis == 1 else [1, side, 1]))
        pictures = tf.add_n(
            [tf.gather(pictures, place, axis=axis) * part for place, part in zip(places, parts, strict=True)]
        )
    return pictures


def _covered(size: int, side: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return which of `size` pixels in a row each of `side` larger ones covers, and by which part; ``[K, side]``."""
    edges = np.arange(side + 1) * size  # in units of 1 / side of a pixel, which are whole numbers
    first = edges[:-1] // side
    most = int(np.max(-(-edges[1:] // side) - first))
    places = first + np.arange(most)[:, None]
    covered = np.minimum(edges[1:], (places + 1) * side) - np.maximum(edges[:-1], places * side)
    return np.minimum(places, size - 1).astype(np.int32), (np.maximum(covered, 0) / size).astype(np.float32)
