"""What probabilities of colours mean: one colour a place, faded where they lie too far apart.

The colour is the annealed mean of the classes (Zhang et al., "Colorful Image Colorization", 2016, section 2.3). Where
red, grey and blue are all possible, it is whichever is a little more likely, and that changes from one place of a dress
or a ceiling to the next: a stain. With shares q of the classes c, s is the spread of what is possible at a place,

    m = Σ q c        s² = Σ q |c|² − |m|²

S is the mean of s within 7 x 7 places, each weighing |m|² + 1, so that a patch is judged by its most vivid places, and

    f = min(1, max(0, (M − S) / (0.3 M)))

is the part of the chroma that may be left. M is `most_spread`, in Lab units: colours fade from a spread of 0.7 M on,
and are grey from M on. A wall of bricks, near that limit all over, would be left in patches. So chroma is multiplied by
the mean of f within 21 x 21 places, with the same weights: what is vivid and of one kind fades as one, and grey around
a stain does not save it. Larsson et al. ("Learning Representations for Automatic Colorization", 2016, section 3.3) fade
chroma likewise where the hue is undecided.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from model import bins
from tfrecords.statistics import CHROMA_STEP

CHROMA_SCALE = 128
JUDGED, SHARED = 7, 21
"""Sides in places of the windows in which a patch is judged, and fades as one."""
FADING = 0.3
"""Part of the largest spread over which chroma fades."""
_LEAST_WEIGHT = 1.0  # of a grey place; chroma squared, in Lab units


def mean(shares: Any) -> Any:
    """Return the mean colour, ab / 128 float32 ``[N, h, w, 2]``, of shares of the classes of `model.bins`."""
    return keras.ops.matmul(shares, keras.ops.convert_to_tensor(bins.centres() / CHROMA_SCALE))


def faded_mean(shares: Any, most_spread: float) -> Any:
    """Return the mean colour, faded where the colours that are possible lie far apart.

    Args:
        shares: of the classes of `model.bins`, float32 ``[N, h, w, Q]``.
        most_spread: spread at which no colour is left, in Lab units, above 0.

    Returns:
        ab / 128, float32 ``[N, h, w, 2]`` in (-1, 1).
    """
    # In steps of the classes all factors are whole numbers, which half precision keeps.
    places = bins.centres() / CHROMA_STEP
    squares = (places**2).sum(axis=1, keepdims=True)
    moments = keras.ops.matmul(shares, keras.ops.convert_to_tensor(np.hstack([places, squares])))
    middle = moments[..., :2]
    length = keras.ops.sum(keras.ops.square(middle), axis=-1, keepdims=True)
    spread = keras.ops.sqrt(keras.ops.relu(moments[..., 2:] - length))
    weight = length + _LEAST_WEIGHT / CHROMA_STEP**2
    most = most_spread / CHROMA_STEP
    left = keras.ops.clip((most - _weighed(spread, weight, JUDGED)) / (FADING * most), 0, 1)
    return middle * _weighed(left, weight, SHARED) * (CHROMA_STEP / CHROMA_SCALE)


def _weighed(values: Any, weights: Any, side: int) -> Any:
    """Return the weighted means within windows of a side; values and weights are float32 ``[N, h, w, 1]``."""
    sums = keras.ops.concatenate([weights * values, weights], axis=-1)
    for window in ((side, 1), (1, side)):
        sums = keras.ops.average_pool(sums, window, strides=1, padding="same", data_format="channels_last")
    return sums[..., :1] / sums[..., 1:]
