import sys

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.csgraph import dijkstra

from model.guidance import geodesic


def distances_by_dijkstra(levels: np.ndarray, kinds: np.ndarray, number: int) -> np.ndarray:
    """The distances to the nearest seed of each kind, the nearest first, by SciPy on an explicit graph."""
    height, width = levels.shape
    place = np.arange(height * width).reshape(height, width)
    graph = scipy.sparse.lil_matrix((height * width, height * width))
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
        there = (slice(dy, height), slice(max(0, dx), width - max(0, -dx)))
        cost = (23 if dy and dx else 16) + np.abs(levels[here] - levels[there])
        graph[place[here].ravel(), place[there].ravel()] = cost.ravel()
    found = [
        dijkstra(graph.tocsr(), directed=False, indices=place[kinds == kind], min_only=True)
        for kind in range(kinds.max() + 1)
    ]
    return np.sort(found, axis=0)[:number].reshape(number, height, width) / geodesic.UNIT


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_dijkstra(seed):
    rng = np.random.default_rng(seed)
    levels = geodesic.steps((100 * rng.random((19, 26))).astype(np.float32), 1.5)
    kinds = np.full(levels.shape, -1, np.int32)
    kinds.reshape(-1)[rng.choice(kinds.size, 30, replace=False)] = np.arange(30) % 6
    near = geodesic.nearest(levels, kinds, 4)
    np.testing.assert_array_equal(near.distances, distances_by_dijkstra(levels, kinds, 4))
    found = np.sort(kinds.reshape(-1)[near.seeds], axis=0)
    assert (np.diff(found, axis=0) > 0).all(), "one of each kind"


def test_the_loop_is_there_after_it_was_warmed_up():
    geodesic.warm_up()
    assert "model.guidance.buckets" in sys.modules


def test_what_is_beyond_the_limit_or_missing_is_infinitely_far():
    kinds = np.full((1, 50), -1, np.int32)
    kinds[0, 10] = 0
    near = geodesic.nearest(np.zeros((1, 50), np.int32), kinds, 2, limit=5)
    np.testing.assert_array_equal(np.isfinite(near.distances[0, 0]), np.abs(np.arange(50) - 10) <= 5)
    assert np.isinf(near.distances[1]).all()
    assert (near.seeds[1] == -1).all()


def test_an_edge_costs_what_its_contrast_is_worth():
    light = np.repeat(np.float32([20, 70]), 10)[None]
    kinds = np.full((1, 20), -1, np.int32)
    kinds[0, 0] = 0
    near = geodesic.nearest(geodesic.steps(light, 2.0), kinds, 1)
    np.testing.assert_array_equal(near.distances[0, 0], np.arange(20) + 100 * (np.arange(20) >= 10))
