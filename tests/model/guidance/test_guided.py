import numpy as np
import pytest

from model.guidance import guided, hints
from model.guidance.guided import Choices
from model.guidance.hints import Point
from model.upsampling import model_luminance


def half(seen: np.ndarray, hints: np.ndarray | None = None) -> np.ndarray:
    """A model whose a is the luminance, and whose b is 10 without hints and that of the hints with them."""
    if hints is not None:
        return np.broadcast_to(hints.max(axis=(1, 2), keepdims=True)[..., 1:2], (*seen.shape[:3], 2)).copy()
    return np.concatenate([50 * seen, np.full_like(seen, 10)], axis=-1).astype(np.float32)


def test_without_hints_the_prediction_is_scaled_and_nothing_else():
    seen = np.random.default_rng(0).random((32, 32, 1)).astype(np.float32)
    np.testing.assert_array_equal(
        guided.answer(guided.Question(seen=seen), Choices(saturation=0.5), half), half(seen) * np.float32(0.5)
    )


def test_hints_are_spread_on_a_grid_of_the_photos_shape(photos):
    photo = photos["coffee"][..., 1]
    found = hints.of_points([Point(x=0.5, y=0.5, radius=0.05, rgb=(40, 80, 200))], *photo.shape)
    asked = guided.question(photo, None, 32, found)
    np.testing.assert_array_equal(asked.seen, model_luminance(photo, 32))
    assert asked.given.shape == (341, 512, 3)
    chroma = guided.answer(asked, Choices(saturation=2, hint_reach=0.1), half)
    np.testing.assert_allclose(chroma[170, 256], hints.chroma_of((40, 80, 200)), atol=1e-4)  # not scaled
    far = chroma[:20, :20]
    assert far[..., 1].mean() == pytest.approx(20, abs=0.5)
    assert far[..., 0].mean() == pytest.approx(asked.light[:20, :20].mean(), abs=3)


@pytest.mark.parametrize("choices", [{"saturation": 9}, {"hint_reach": 2}, {"hint_method": "magic"}])
def test_unknown_choices_are_refused(choices):
    with pytest.raises(ValueError, match=f"{next(iter(choices))} must be "):
        Choices(**choices)


def test_a_network_that_takes_hints_gets_them_and_its_prediction_is_blended_with_them(photos):
    photo = photos["coffee"][..., 1]
    found = hints.of_points([Point(x=0.5, y=0.5, radius=0.05, rgb=(200, 180, 40))], *photo.shape)
    asked = guided.question(photo, None, 32, found)
    chroma = guided.answer(asked, Choices(hint_reach=0.1, hint_method="network"), half)
    own = hints.chroma_of((200, 180, 40))
    np.testing.assert_allclose(chroma[170, 256], own, atol=1e-4)
    np.testing.assert_allclose(chroma[0, 0], [own[1], own[1]], atol=0.1)


def test_hints_on_a_grid_are_brought_to_the_side_of_a_network():
    given = np.zeros((40, 60, 3), np.float32)
    given[20, 30] = 10, -20, 1
    given[0, :2] = (30, 30, 1), (50, 10, 1)
    small = hints.shrunk(given, 12)
    assert small.shape == (12, 12, 3)
    np.testing.assert_array_equal(small[6, 6], [10, -20, 1])
    np.testing.assert_array_equal(small[0, 0], [40, 20, 1])
    assert small[..., 2].sum() == 2


def test_a_palette_moves_the_prediction_before_hints_are_spread():
    seen = np.random.default_rng(0).random((32, 32, 1)).astype(np.float32)
    blue = (10.0, -50.0)
    chroma = guided.answer(guided.Question(seen=seen), Choices(palette=(blue,), saturation=0.5), half)
    np.testing.assert_allclose(chroma.mean(axis=(0, 1)), [5, -25], atol=0.5)
    asked = guided.question(
        np.full((60, 90), 120, np.uint8), None, 32, hints.of_layer(np.full((4, 4, 4), [200, 30, 40, 255], np.uint8))
    )
    for method in ("blend", "optimise"):
        chroma = guided.answer(asked, Choices(palette=(blue,), hint_method=method), half)
        np.testing.assert_allclose(chroma, np.broadcast_to(hints.chroma_of((200, 30, 40)), chroma.shape), atol=1e-3)
