"""Photos inside a TensorFlow graph: decoded, turned upright, and joined with chroma.

Nothing here depends on a network: a process traces `upright` and `recolored` once for all models that it exports.
"""

from __future__ import annotations

import tensorflow as tf

from model import graph_exif, graph_upsampling


def _decoded(encoded: tf.Tensor) -> tf.Tensor:
    """Decode one photo: scalar string → uint8 ``[H, W, 3]``, as stored."""
    pixels = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    return tf.ensure_shape(pixels, [None, None, 3])


def readable(encoded: tf.Tensor) -> tf.Tensor:
    """Return which photos can be decoded: string ``[N]`` → bool ``[N]``.

    An operation that fails ends its graph, except in a dataset that is told to leave errors out. Photos are decoded
    here to find that out, and once more where the network is placed, which may be a GPU.
    """
    photos = tf.data.Dataset.from_tensor_slices(encoded).enumerate()
    decoded = photos.map(lambda index, one: (index, tf.size(_decoded(one)) > 0)).ignore_errors()
    none = tf.zeros(tf.shape(encoded), tf.bool)
    return decoded.reduce(none, lambda found, one: tf.tensor_scatter_nd_update(found, [[one[0]]], [one[1]]))


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])  # type: ignore[untyped-decorator]
def upright(encoded: tf.Tensor) -> tf.Tensor:
    """Decode one photo upright: scalar string → uint8 ``[H, W, 3]``."""
    return tf.ensure_shape(graph_exif.upright(_decoded(encoded), graph_exif.orientation(encoded)), [None, None, 3])


@tf.function  # type: ignore[untyped-decorator]
def recolored(rgb: tf.Tensor, chroma: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """Return what `model.graph_upsampling.recolor` does."""
    return graph_upsampling.recolor(rgb, chroma, seen)
