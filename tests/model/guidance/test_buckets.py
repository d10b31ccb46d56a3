import numpy as np

from model.guidance import buckets


def settled(levels: np.ndarray, kinds: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    distances, seeds = np.full((2, number, *levels.shape), -1, np.int32)
    buckets.settle(levels.astype(np.int32), kinds.astype(np.int32), 16, 1 << 30, distances, seeds)
    return distances, seeds


def test_a_queue_that_is_full_grows():
    """Every pixel of a large picture is a seed at once."""
    kinds = np.zeros((60, 60))
    distances, seeds = settled(np.zeros((60, 60)), kinds, 1)
    assert not distances.any()
    np.testing.assert_array_equal(seeds[0], np.arange(3600).reshape(60, 60))


def test_the_same_picture_gives_the_same_seeds_each_time():
    """Ties are many here: the picture is flat."""
    kinds = np.full((40, 40), -1)
    kinds[::13, ::13] = np.arange(16).reshape(4, 4)
    first, again = settled(np.zeros((40, 40)), kinds, 4), settled(np.zeros((40, 40)), kinds, 4)
    np.testing.assert_array_equal(first, again)
    assert (first[0] >= 0).all()
