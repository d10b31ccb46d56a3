"""The distance of distributions whose distance is known, and that of SciPy's matrix square root."""

import numpy as np
import pytest
import scipy.linalg

from model.frechet import Normal, distance

SIZE = 12


def normal(features: np.ndarray, part: int = 7) -> Normal:
    """A distribution that takes its features in parts."""
    found = Normal(features.shape[1])
    for start in range(0, len(features), part):
        found.add(features[start : start + part])
    return found


def drawn(seed: int, count: int = 200) -> np.ndarray:
    """Correlated features, with a mean that is large compared with their spread."""
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(count, SIZE)) @ random.normal(size=(SIZE, SIZE))
    return (mixed + random.normal(size=SIZE, scale=20)).astype(np.float32)


def test_mean_and_covariance_do_not_depend_on_the_parts():
    features = drawn(0)
    for part in (1, 7, 1000):
        found = normal(features, part)
        assert found.count == 200
        np.testing.assert_allclose(found.mean, features.astype(np.float64).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.covariance, np.cov(features.astype(np.float64), rowvar=False), rtol=1e-7)


@pytest.mark.parametrize("count", [200, 8])
def test_the_distance_is_that_of_scipy_s_square_root(count):
    """With 8 features of 12 numbers, the covariances have no inverse."""
    one, other = drawn(1, count).astype(np.float64), drawn(2, count).astype(np.float64)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    shift = np.square(one.mean(axis=0) - other.mean(axis=0)).sum()
    expected = shift + np.trace(first + second - 2 * root)
    found = distance(normal(one.astype(np.float32)), normal(other.astype(np.float32)))
    assert found == pytest.approx(expected, rel=1e-4)
    assert found == pytest.approx(distance(normal(other.astype(np.float32)), normal(one.astype(np.float32))), rel=1e-9)


def test_known_distances():
    features = drawn(3)
    spread = np.trace(np.cov(features.astype(np.float64), rowvar=False))
    mean = np.square(features.astype(np.float64).mean(axis=0)).sum()
    assert distance(normal(features), normal(features)) == pytest.approx(0, abs=1e-8 * spread)
    assert distance(normal(features), normal(features + np.float32(2))) == pytest.approx(4 * SIZE, rel=1e-4)
    # (2 - 1)² of both the mean and the spread.
    assert distance(normal(features), normal(2 * features)) == pytest.approx(mean + spread, rel=1e-6)
