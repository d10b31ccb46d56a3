"""EXIF orientation inside a TensorFlow graph: found in JPEG and PNG files, and applied to their pixels."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

_TAG = 0x0112
_LONG = 4
_LARGEST = 4  # bytes of a number that is read
_MOST_ENTRIES = 1000


def orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Return the orientation that a file's EXIF data gives.

    It is looked for in the first directory of a JPEG's APP1 segment or of a PNG's eXIf chunk. XMP is not read.

    Args:
        encoded: the file, scalar string.

    Returns:
        int32 scalar, 1 to 8; 1 where nothing valid is found.
    """
    # Zeros at the end, so that numbers can be read at any place.
    data = tf.concat([tf.io.decode_raw(encoded, tf.uint8), tf.zeros([_LARGEST], tf.uint8)], 0)
    base = tf.cond(tf.io.is_jpeg(encoded), lambda: _in_jpeg(data), lambda: _in_png(data))
    return tf.cond(base > 0, lambda: _in_directory(data, base), lambda: tf.constant(1))


def upright(pixels: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """Turn pixels ``[H, W, C]`` upright.

    Args:
        pixels: of any type.
        turn: int32 scalar, 1 to 8, as `orientation` returns it.
    """
    turns: list[Callable[[tf.Tensor], tf.Tensor]] = [
        tf.identity,
        tf.image.flip_left_right,
        lambda image: tf.image.rot90(image, 2),
        tf.image.flip_up_down,
        tf.image.transpose,
        lambda image: tf.image.rot90(image, 3),
        lambda image: tf.image.rot90(tf.image.transpose(image), 2),
        lambda image: tf.image.rot90(image, 1),
    ]
    turned = tf.switch_case(turn - 1, [lambda one=one: one(pixels) for one in turns])
    return tf.ensure_shape(turned, [None, None, pixels.shape[-1]])


def _number(data: tf.Tensor, at: tf.Tensor, size: int, is_big: tf.Tensor | bool = True) -> tf.Tensor:
    """Return an unsigned number of at most four bytes, int64; what lies behind the end reads as 0."""
    at = tf.clip_by_value(at, 0, tf.size(data) - size)
    window = tf.cast(data[at : at + size], tf.int64)
    weights = tf.constant([256**index for index in range(size)], tf.int64)
    return tf.reduce_sum(window * tf.where(is_big, weights[::-1], weights))


def _at(place: tf.Tensor) -> tf.Tensor:
    """Return a place in a file as int32; places that no file has lie at the end."""
    return tf.cast(tf.minimum(place, 2**31 - 16), tf.int32)


def _in_jpeg(data: tf.Tensor) -> tf.Tensor:
    """Return where the TIFF header of the EXIF segment begins, int32; 0 where there is none."""

    def more(at: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        marker = _number(data, at + 1, 1)
        is_segment = (_number(data, at, 1) == 0xFF) & (marker != 0xDA) & (marker != 0xD9)
        return (found == 0) & (at < tf.size(data) - _LARGEST) & is_segment

    def step(at: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        marker, length = _number(data, at + 1, 1), _number(data, at + 2, 2)
        name = (_number(data, at + 4, 4) == 0x45786966) & (_number(data, at + 8, 2) == 0)  # Exif\0\0
        here = tf.where((marker == 0xE1) & name, at + 10, 0)
        skip = tf.where(marker == 0xFF, tf.constant(1, tf.int64), 2 + tf.maximum(length, 2))
        return at + tf.cast(skip, tf.int32), here

    return tf.while_loop(more, step, [tf.constant(2), tf.constant(0)])[1]


def _in_png(data: tf.Tensor) -> tf.Tensor:
    """Return where the TIFF header in the eXIf chunk begins, int32; 0 where there is none, and in other formats."""
    is_png = _number(data, tf.constant(0), 4) == 0x89504E47

    def more(at: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        return is_png & (found == 0) & (at < tf.size(data) - _LARGEST)

    def step(at: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        length, name = _number(data, at, 4), _number(data, at + 4, 4)
        return _at(tf.cast(at, tf.int64) + 12 + length), tf.where(name == 0x65584966, at + 8, 0)

    return tf.while_loop(more, step, [tf.constant(8), tf.constant(0)])[1]


def _in_directory(data: tf.Tensor, base: tf.Tensor) -> tf.Tensor:
    """Return the orientation in the first directory of the TIFF that begins at ``base``, int32."""
    is_big = _number(data, base, 1) == 0x4D  # MM
    first = _at(tf.cast(base, tf.int64) + _number(data, base + 4, 4, is_big))
    count = tf.cast(tf.minimum(_number(data, first, 2, is_big), _MOST_ENTRIES), tf.int32)

    def more(index: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        return (found == 0) & (index < count)

    def step(index: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        entry = first + 2 + 12 * index
        is_long = _number(data, entry + 2, 2, is_big) == _LONG
        value = tf.where(is_long, _number(data, entry + 8, 4, is_big), _number(data, entry + 8, 2, is_big))
        return index + 1, tf.where(_number(data, entry, 2, is_big) == _TAG, value, 0)

    _, found = tf.while_loop(more, step, [tf.constant(0), tf.constant(0, tf.int64)])
    return tf.cast(tf.where((found >= 1) & (found <= 8), found, 1), tf.int32)
