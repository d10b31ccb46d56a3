"""`model.upsampling` inside a TensorFlow graph: the same filters and constants, for a whole photo at once.

What differs is in the last digits: colours are converted by tensorflow-io (within 0.05 Lab units), and photos of less
than twice the model's input are reduced by other weights (`tfrecords.squeezing`).
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import upsampling
from tfrecords import graph_color


def small_luminance(rgb: tf.Tensor, size: int) -> tf.Tensor:
    """Return what the model sees of a photo.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        size: side S of the model's input.

    Returns:
        L* / 100, float32 ``[S, S, 1]`` in [0, 1].
    """
    pixels = tf.cast(rgb, tf.float32)[None]
    is_larger = tf.reduce_all(tf.shape(rgb)[:2] >= size)
    small = tf.cond(
        is_larger,
        lambda: tf.image.resize(pixels, [size, size], tf.image.ResizeMethod.AREA),
        lambda: tf.image.resize(pixels, [size, size], antialias=True),
    )[0]
    light = _luminance(tf.round(small)) / 100.0
    return tf.clip_by_value(tf.ensure_shape(light, [size, size, 1]), 0.0, 1.0)


def recolor(rgb: tf.Tensor, chroma: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """Join the luminance of a photo with chroma, brought up along the edges of the luminance.

    Args:
        rgb: uint8 ``[H, W, 3]``; only the luminance is used.
        chroma: float32 ``[S, S, 2]``, a and b.
        seen: `small_luminance` of the photo.

    Returns:
        uint8 ``[H, W, 3]``.
    """
    light, small = _luminance(tf.cast(rgb, tf.float32)), seen * 100.0
    chroma = _sharpened(chroma, small)
    slope = _slope(chroma, small, upsampling.FINE_SIGMA, upsampling.FINE_VARIANCE)
    planes = tf.image.resize(tf.concat([chroma, slope, small], -1), tf.shape(rgb)[:2])
    detail = tf.clip_by_value(light - planes[..., 4:], -upsampling.MOST_DETAIL, upsampling.MOST_DETAIL)
    lab = tf.concat([light, planes[..., :2] + planes[..., 2:4] * detail], -1)
    return tf.cast(tf.round(graph_color.lab_to_rgb(lab) * 255.0), tf.uint8)


def _luminance(pixels: tf.Tensor) -> tf.Tensor:
    """Return L* of float32 ``[..., 3]`` in [0, 255], ``[..., 1]``."""
    return graph_color.rgb_to_lab(pixels / 255.0)[..., :1]


def _sharpened(chroma: tf.Tensor, light: tf.Tensor) -> tf.Tensor:
    """Do what the function of this name in `model.upsampling` does; chroma ``[S, S, 2]``, L* ``[S, S, 1]``."""
    side = light.shape[0]
    coarse = max(1, side // upsampling.COARSE)

    def shrunk(plane: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(plane[None], [coarse, coarse], tf.image.ResizeMethod.AREA)[0]

    def grown(plane: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(plane, [side, side])

    coarse_chroma, coarse_light = shrunk(chroma), shrunk(light)
    slope = _slope(coarse_chroma, coarse_light, upsampling.COARSE_SIGMA, upsampling.COARSE_VARIANCE)
    foretold = grown(slope) * (light - grown(coarse_light))
    energy = tf.reduce_sum(foretold * foretold)
    shown = tf.math.divide_no_nan(tf.reduce_sum((chroma - grown(coarse_chroma)) * foretold), energy)
    filled = chroma + tf.clip_by_value(1.0 - shown, 0.0, 1.0) * foretold
    around = 2 * upsampling.REACH + 1

    def highest(plane: tf.Tensor) -> tf.Tensor:
        return tf.nn.max_pool2d(plane[None], around, 1, "SAME")[0]

    return tf.clip_by_value(filled, -highest(-chroma), highest(chroma))


def _slope(chroma: tf.Tensor, light: tf.Tensor, sigma: float, flat: float) -> tf.Tensor:
    """Do what the function of this name in `model.upsampling` does; chroma ``[h, w, 2]``, L* ``[h, w, 1]``."""
    kernel = _gaussian(sigma)
    reach = len(kernel) // 2

    def mean(plane: tf.Tensor) -> tf.Tensor:
        depth = plane.shape[-1]
        padded = tf.pad(plane, [[reach, reach], [reach, reach], [0, 0]], "SYMMETRIC")[None]
        for shape in ((-1, 1, 1, 1), (1, -1, 1, 1)):
            weights = tf.tile(tf.reshape(tf.constant(kernel), shape), [1, 1, depth, 1])
            padded = tf.nn.depthwise_conv2d(padded, weights, [1, 1, 1, 1], "VALID")
        return padded[0]

    mean_light = mean(light)
    variance = mean(light * light) - mean_light * mean_light
    covariance = mean(light * chroma) - mean_light * mean(chroma)
    return mean(covariance / (variance + flat))


def _gaussian(sigma: float) -> NDArray[np.float32]:
    """Return OpenCV's kernel of float pictures, float32 ``[n]``."""
    reach = (round(8 * sigma + 1) | 1) // 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return kernel
