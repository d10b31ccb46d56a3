import numpy as np

from model.guidance import clustering


def test_three_heaps_are_three_clusters():
    rng = np.random.default_rng(0)
    heaps = np.array([[0.0, 0, 0], [9, 0, 0], [0, 9, 9]])
    samples = np.concatenate([heap + rng.normal(size=(50, 3)) for heap in heaps])
    found = clustering.centres(samples, 3)
    assert clustering.squares(found, heaps).min(axis=1).max() < 0.2
    np.testing.assert_array_equal(found, clustering.centres(samples, 3))


def test_equal_samples_are_one_cluster():
    np.testing.assert_array_equal(clustering.centres(np.full((9, 2), 3.0), 4), [[3, 3]])


def test_squares_are_distances():
    np.testing.assert_allclose(clustering.squares(np.array([[0.0, 0]]), np.array([[3.0, 4], [0, 1]])), [[25, 1]])
