"""Move the colours of a prediction to a palette, after H. Cho et al., "PaletteNet" (2017), without a network.

The prediction's chroma falls into clusters, as many as the palette has colours. An optimal assignment gives each of
them a colour of the palette, and each pixel moves as the clusters move that it has a share in. Luminance has no part in
it.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from model.guidance.clustering import Doubles, centres, squares
from tfrecords.color import Floats

MOST_CLUSTERS = 12
"""The number of clusters of a photo, at most; of a larger palette, the colours that fit best are used."""
_SAMPLES = 4096
_ROUNDS, _ENOUGH = 10, 0.02
_SAME = 0.05  # mean distance at which a palette is the photo's own
_NARROWEST = 2.0  # deviation of a cluster's share, in a and b


def clusters(chroma: Floats, number: int) -> Doubles:
    """Return the centres of clusters of chroma, float64 ``[K, 2]``, K being at most `number`.

    Args:
        chroma: a and b, float32 ``[h, w, 2]``.
        number: at least 1.
    """
    return centres(_samples(chroma), number)


def apply(chroma: Floats, palette: Doubles, strength: float = 1.0) -> Floats:
    """Return chroma whose clusters are colours of a palette.

    Args:
        chroma: a and b, float32 ``[h, w, 2]``.
        palette: a and b of its colours, float64 ``[P, 2]``.
        strength: from 0 for no change to 1.

    Returns:
        float32 ``[h, w, 2]``.
    """
    samples = _samples(chroma)
    found = clusters(chroma, min(len(palette), MOST_CLUSTERS))
    labels = squares(samples, found).argmin(axis=1)
    mass = np.bincount(labels, minlength=len(found))
    ones, others = linear_sum_assignment(squares(found, palette) * np.maximum(mass, 1)[:, None])
    target = palette[others[np.argsort(ones)]]
    whole = np.linalg.norm(target - found, axis=1).mean()
    if whole < _SAME:
        return chroma
    moved, moved_samples = chroma.astype(np.float64).reshape(-1, 2), samples
    for _ in range(_ROUNDS):
        means = np.stack([moved_samples[labels == index].mean(axis=0) for index in range(len(found))])
        if np.linalg.norm(target - means, axis=1).mean() <= _ENOUGH * whole:
            break
        moved = moved + _shares(moved, means) @ (target - means)
        moved_samples = moved_samples + _shares(moved_samples, means) @ (target - means)
    result = chroma.reshape(-1, 2) + strength * (moved - chroma.reshape(-1, 2))
    return result.astype(np.float32).reshape(chroma.shape)


def _shares(chroma: Doubles, around: Doubles) -> Doubles:
    """Return the share that each of N colours has in each cluster, ``[N, K]``; rows sum to 1."""
    between = squares(around, around)
    np.fill_diagonal(between, np.inf)
    width = max(_NARROWEST, np.sqrt(between.min()) / 3) if len(around) > 1 else 1.0
    powers = -squares(chroma, around) / (2 * width * width)
    shares: Doubles = np.exp(powers - powers.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _samples(chroma: Floats) -> Doubles:
    step = max(1, int((chroma.shape[0] * chroma.shape[1] / _SAMPLES) ** 0.5))
    return chroma[::step, ::step].reshape(-1, 2).astype(np.float64)
