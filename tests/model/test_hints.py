import numpy as np
import pytest
import tensorflow as tf

from model import hints

SIDE = 64
CHOSEN, WHOLE, COUNT = range(3)


def drawn(**numbers: float) -> np.ndarray:
    """Return the numbers of one example: hints, not the whole picture, one of them in the middle."""
    made = np.full(hints.DRAWS, 0.5, np.float32)
    made[CHOSEN], made[WHOLE], made[COUNT] = numbers.get("chosen", 0.0), numbers.get("whole", 0.9), 0.0
    made[COUNT] = numbers.get("count", 0.0)
    return made


def chroma() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (1, SIDE, SIDE, 2)).astype(np.float32)


def given(numbers: np.ndarray, truth: np.ndarray, share: float = 1.0) -> np.ndarray:
    return hints.draw(tf.constant(truth), tf.constant(numbers[None]), share).numpy()[0]


def test_a_hint_has_the_mean_colour_of_its_cells_and_nothing_is_given_elsewhere():
    truth = chroma()
    made = given(drawn(), truth)
    cells = truth[0].reshape(SIDE // 4, 4, SIDE // 4, 4, 2).mean((1, 3)).repeat(4, 0).repeat(4, 1)
    mask = made[..., 2] == 1
    half = SIDE * (hints.NARROWEST + 0.5 * (hints.WIDEST - hints.NARROWEST))
    side = 2 * int(half + 0.5)
    assert mask.sum() == side**2
    assert mask[SIDE // 2, SIDE // 2]
    np.testing.assert_allclose(made[mask][:, :2], cells[mask], atol=1e-6)
    np.testing.assert_array_equal(made[~mask], 0)


def test_the_share_of_examples_without_hints_is_given_nothing():
    assert not given(drawn(chosen=0.31), chroma(), share=0.3).any()
    assert given(drawn(chosen=0.29), chroma(), share=0.3).any()


def test_a_picture_that_is_given_whole_is_given_everywhere():
    made = given(drawn(whole=0.0), chroma())
    assert (made[..., 2] == 1).all()


@pytest.mark.parametrize(("count", "points"), [(0.2, 1), (0.4, 2), (0.95, 10)])
def test_few_examples_get_many_hints(count: float, points: int):
    numbers = drawn(count=count)
    places = (np.arange(hints.POINTS) + 0.5) / hints.POINTS
    numbers[3 : 3 + hints.POINTS] = numbers[3 + hints.POINTS : 3 + 2 * hints.POINTS] = places
    numbers[3 + 2 * hints.POINTS :] = 0.0
    mask = given(numbers, chroma())[..., 2]
    assert len(np.unique(np.nonzero(mask)[0] * hints.POINTS // SIDE)) == points
