"""Clusters of samples: k-means that begins without random numbers."""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

Doubles = NDArray[np.float64]


def centres(samples: Doubles, number: int) -> Doubles:
    """Return the centres of clusters, float64 ``[K, D]``, K being at most `number`.

    Args:
        samples: ``[N, D]``, at least one.
        number: at least 1.
    """
    # The sample that is farthest from those before begins each cluster; the first is that nearest to the mean.
    seeds = [samples[np.argmin(squares(samples, samples.mean(axis=0)[None])[:, 0])]]
    distances = squares(samples, seeds[0][None])[:, 0]
    while len(seeds) < number and distances.max() > 1e-6:
        seeds.append(samples[np.argmax(distances)])
        distances = np.minimum(distances, squares(samples, seeds[-1][None])[:, 0])
    found, labels = kmeans2(samples, np.array(seeds), minit="matrix", iter=20, missing="warn")
    used: Doubles = found[np.unique(labels)]
    return used


def squares(ones: Doubles, others: Doubles) -> Doubles:
    """Return squared distances, ``[N, M]``, of ``[N, D]`` and ``[M, D]``."""
    found: Doubles = ((ones[:, None] - others[None]) ** 2).sum(axis=2)
    return found
