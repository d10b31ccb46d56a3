"""sRGB to CIELAB and back inside a TensorFlow graph, by tensorflow-io.

tensorflow-io's colour functions are plain TensorFlow and work with any version of it; its native plugins (file systems,
audio, TIFF) are built against an older one, do not load, and say so at import. Nothing of them is used here, so exactly
that warning is silenced.
"""

import warnings

import tensorflow as tf

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="unable to load libtensorflow_io", category=UserWarning)
    warnings.filterwarnings("ignore", message="file system plugins are not loaded", category=UserWarning)
    import tensorflow_io as tfio


def rgb_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """Converts sRGB to CIELAB (D65), within 0.05 of scikit-image.

    Args:
        rgb: float32 ``[..., 3]`` in [0, 1].

    Returns:
        float32 ``[..., 3]``: L in [0, 100], a and b within ±110.
    """
    return tfio.experimental.color.rgb_to_lab(rgb)


def lab_to_rgb(lab: tf.Tensor) -> tf.Tensor:
    """Converts CIELAB (D65) to sRGB; colours outside sRGB are clipped.

    Args:
        lab: float32 ``[..., 3]``, L in [0, 100].

    Returns:
        float32 ``[..., 3]`` in [0, 1].
    """
    return tf.clip_by_value(tfio.experimental.color.lab_to_rgb(lab), 0.0, 1.0)
