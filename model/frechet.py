"""The Fréchet distance between two sets of features, each taken as a normal distribution.

See Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium" (2017), equation
6.

Features are taken in as they come: what is kept is the count, the sum and the sum of outer products.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class Normal:
    """A normal distribution, measured on features.

    Attributes:
        count: features so far.
    """

    def __init__(self, size: int) -> None:
        """Begin without features; each has `size` numbers."""
        self.count = 0
        self._sum = np.zeros(size)
        self._products = np.zeros((size, size))

    def add(self, features: NDArray[np.float32]) -> None:
        """Take in features ``[N, size]``."""
        exact = features.astype(np.float64)
        self.count += len(exact)
        self._sum += exact.sum(axis=0)
        self._products += exact.T @ exact

    @property
    def mean(self) -> Doubles:
        """The mean, ``[size]``."""
        return self._sum / self.count

    @property
    def covariance(self) -> Doubles:
        """The covariance, ``[size, size]``; of at least two features."""
        return (self._products - self.count * np.outer(self.mean, self.mean)) / (self.count - 1)


def distance(one: Normal, other: Normal) -> float:
    """Return the squared Fréchet distance |m - n|² + tr(C + D - 2 (C D)^½), at least 0 and symmetric.

    The trace of (C D)^½ is that of (C^½ D C^½)^½, whose argument is symmetric, so that no complex numbers appear.
    """
    root = _root(one.covariance)
    _, inner = _parts(root @ other.covariance @ root)
    shift = np.square(one.mean - other.mean).sum()
    spread = np.trace(one.covariance) + np.trace(other.covariance) - 2 * np.sqrt(inner).sum()
    return max(0.0, float(shift + spread))


def _root(matrix: Doubles) -> Doubles:
    """Return the square root of a covariance."""
    vectors, values = _parts(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T


def _parts(matrix: Doubles) -> tuple[Doubles, Doubles]:
    """Return eigenvectors and eigenvalues of a covariance; rounding makes some that are 0 negative."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return vectors, np.maximum(values, 0.0)
