import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from model.guidance import optimisation
from model.guidance.optimisation import optimise

BLUE, RED = np.float32([10, -50]), np.float32([50, 30])


def given_at(shape: tuple[int, int], colours: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
    given = np.zeros((*shape, 3), np.float32)
    for place, colour in colours.items():
        given[place] = [*colour, 1]
    return given


def test_two_tones_split_at_their_edge_and_hints_keep_their_colours():
    light = np.repeat(np.float32([[30, 70]]), 40, axis=1).repeat(60, axis=0)
    given = given_at((60, 80), {(30, 10): BLUE, (30, 70): RED})
    chroma = optimise(np.zeros((60, 80, 2), np.float32), light, given, 1.0)
    to_blue, to_red = (np.hypot(*np.moveaxis(chroma - colour, -1, 0)) for colour in (BLUE, RED))
    np.testing.assert_array_equal(to_blue < to_red, light < 50)
    np.testing.assert_array_equal(chroma[30, 10], BLUE)
    np.testing.assert_array_equal(chroma[30, 70], RED)


def test_like_places_far_away_follow_a_hint():
    """Two equal trees on a plain; the hint is on one of them."""
    light = np.full((80, 120), 80, np.float32)
    light[20:60, 10:40] = light[20:60, 80:110] = 30
    prediction = np.zeros((80, 120, 2), np.float32)
    chroma = optimise(prediction, light, given_at((80, 120), {(40, 25): BLUE}), 0.5)
    other, plain = chroma[30:50, 90:100].mean(axis=(0, 1)), chroma[:10].mean(axis=(0, 1))
    assert np.linalg.norm(other) > 3 * np.linalg.norm(plain)


def test_the_solution_is_that_of_a_direct_solver():
    rng = np.random.default_rng(0)
    matrix = scipy.sparse.random(300, 300, 0.02, random_state=rng)
    matrix = (matrix @ matrix.T + scipy.sparse.eye(300)).tocsr()
    right = rng.normal(size=300)
    expected = scipy.sparse.linalg.spsolve(matrix.tocsc(), right)
    np.testing.assert_allclose(optimisation._solved(matrix, right), expected, atol=0.02)


def test_without_hints_the_prediction_stays_on_a_grid_of_256_pixels():
    prediction = np.full((300, 512, 2), 7, np.float32)
    chroma = optimise(prediction, np.zeros((300, 512), np.float32), np.zeros((300, 512, 3), np.float32), 0.3)
    np.testing.assert_array_equal(chroma, np.full((150, 256, 2), 7))
