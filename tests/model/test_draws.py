import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model import draws

PLACES = draws.halves(np.arange(4000))


def uniform(seed: int = 0, use: int = 1, places: np.ndarray = PLACES, count: int = 50) -> np.ndarray:
    return np.asarray(draws.uniform(seed, places, use, count))


def test_numbers_are_uniform_and_normal():
    made = uniform()
    assert made.min() >= 0
    assert made.max() < 1
    assert stats.kstest(made.ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(np.asarray(draws.normal(0, PLACES, 1, 51)).ravel(), "norm").pvalue > 1e-3
    # Pairs of neighbours fill the square as evenly as chance does.
    for first, second in ((made[:, :-1], made[:, 1:]), (made[:-1], made[1:])):
        cells = np.histogram2d(first.ravel(), second.ravel(), 16, [[0, 1], [0, 1]])[0]
        assert stats.chisquare(cells.ravel()).pvalue > 1e-3


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"use": 2}, {"seed": 2**32}, {"places": draws.halves(np.arange(4000) + 2**32)}]
)
def test_seeds_uses_and_places_share_nothing(other):
    assert abs(np.corrcoef(uniform().ravel(), uniform(**other).ravel())[0, 1]) < 0.01


@given(st.integers(0, 2**40), st.integers(0, 2**62), st.integers(0, 20))
def test_an_example_does_not_depend_on_its_neighbours(seed: int, place: int, use: int):
    alone = uniform(seed, use, draws.halves(np.array([place])), 5)
    among = uniform(seed, use, draws.halves(np.array([3, place, 0])), 5)
    np.testing.assert_array_equal(alone[0], among[1])


def test_halves_hold_the_whole_number():
    low, high = draws.halves(np.array([5 * 2**32 + 7]))[0]
    assert (low, high) == (7, 5)


def test_numbers_stay_as_they_are():
    """A run that goes on, here or on JAX, draws what it would have drawn."""
    made = uniform(3, 1, draws.halves(np.arange(2)), 3)
    np.testing.assert_allclose(made[0], [0.06470901, 0.74282384, 0.64725649], atol=1e-7)
    np.testing.assert_allclose(made[1], [0.45359808, 0.76502997, 0.86876160], atol=1e-7)
