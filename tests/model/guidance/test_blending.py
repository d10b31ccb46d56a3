import numpy as np
import pytest

from model.guidance.blending import blend

BLUE, RED = np.float32([10, -50]), np.float32([50, 30])


def given_at(shape: tuple[int, int], colours: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
    given = np.zeros((*shape, 3), np.float32)
    for place, colour in colours.items():
        given[place] = [*colour, 1]
    return given


def test_two_tones_split_at_their_edge():
    light = np.repeat(np.float32([[30, 70]]), 40, axis=1).repeat(60, axis=0)
    chroma = blend(np.zeros((60, 80, 2), np.float32), light, given_at((60, 80), {(30, 10): BLUE, (30, 70): RED}), 0.5)
    to_blue, to_red = (np.hypot(*np.moveaxis(chroma - colour, -1, 0)) for colour in (BLUE, RED))
    np.testing.assert_array_equal(to_blue < to_red, light < 50)


def test_a_hint_keeps_its_colour_and_gives_way_to_the_prediction_with_distance():
    prediction = np.full((50, 200, 2), 20, np.float32)
    chroma = blend(prediction, np.full((50, 200), 50, np.float32), given_at((50, 200), {(25, 0): BLUE}), 0.2)
    np.testing.assert_array_equal(chroma[25, 0], BLUE)
    away = np.abs(chroma[25] - prediction[25]).sum(axis=1)
    assert (np.diff(away) <= 0).all()
    np.testing.assert_allclose(chroma[25, 40], (BLUE + 20) / 2, atol=0.1)  # at the reach, half of each
    np.testing.assert_array_equal(chroma[25, 150], [20, 20])


@pytest.mark.parametrize("reach", [0.0, 1.0])
def test_any_reach_gives_finite_colours(reach):
    prediction = np.random.default_rng(0).normal(size=(30, 40, 2)).astype(np.float32)
    light = np.linspace(0, 100, 1200, dtype=np.float32).reshape(30, 40)
    chroma = blend(prediction, light, given_at((30, 40), {(3, 4): BLUE, (20, 30): RED}), reach)
    assert np.isfinite(chroma).all()
    assert (np.abs(chroma[15, 15] - prediction[15, 15]) < 0.01).all() == (reach == 0)


def test_without_hints_the_prediction_stays():
    prediction = np.random.default_rng(0).normal(size=(30, 40, 2)).astype(np.float32)
    np.testing.assert_array_equal(
        blend(prediction, np.zeros((30, 40), np.float32), np.zeros((30, 40, 3), np.float32), 0.3), prediction
    )
