"""Convert sRGB to CIELAB and back inside a TensorFlow graph, with tensorflow-io.

The colour functions of tensorflow-io are plain TensorFlow and work with any version of it. Its native plugins (file
systems, audio, TIFF) are built against an older version, do not load, and warn at import. They are not used here, so
exactly that warning is silenced.
"""

import warnings

import tensorflow as tf

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="unable to load libtensorflow_io", category=UserWarning)
    warnings.filterwarnings("ignore", message="file system plugins are not loaded", category=UserWarning)
    import tensorflow_io as tfio


def rgb_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """Convert sRGB to CIELAB (D65), within 0.05 of scikit-image.

    Args:
        rgb: float32 ``[..., 3]`` in [0, 1].

    Returns:
        float32 ``[..., 3]``: L in [0, 100], a and b within ±110.
    """
    return tfio.experimental.color.rgb_to_lab(rgb)


def lab_to_rgb(lab: tf.Tensor) -> tf.Tensor:
    """Convert CIELAB (D65) to sRGB; colours outside the gamut lose chroma, never luminance, as on the host.

    Args:
        lab: float32 ``[..., 3]``, L in [0, 100].

    Returns:
        float32 ``[..., 3]`` in [0, 1].
    """
    rgb = _convert(lab)
    touching = tf.where(tf.logical_not(_inside(rgb)))
    candidates = tf.gather_nd(lab, touching)
    scale = tf.zeros(tf.shape(candidates)[:1])
    # Bisection: the largest factor of a and b that fits, to 1/256.
    for step in (0.5**n for n in range(1, 9)):
        trial = _convert(_scale_chroma(candidates, scale + step))
        scale += tf.where(_inside(trial), step, 0.0)
    return tf.tensor_scatter_nd_update(rgb, touching, _convert(_scale_chroma(candidates, scale)))


def _convert(lab: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(tfio.experimental.color.lab_to_rgb(lab), 0.0, 1.0)


def _inside(rgb: tf.Tensor) -> tf.Tensor:
    """Return whether each colour is inside the range, away from the ends where clipping puts what is outside."""
    return tf.reduce_all((rgb > 0.0) & (rgb < 1.0), axis=-1)


def _scale_chroma(lab: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    return lab * tf.stack([tf.ones_like(scale), scale, scale], axis=-1)
