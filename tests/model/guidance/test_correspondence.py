import numpy as np

from model.guidance import correspondence

SIDE, CELLS = 64, 8


def of_things(things: np.ndarray, light: float = 50) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Luminance and a layer for a picture of which each cell shows one of two things."""
    layer = np.stack([things, ~things], axis=-1).astype(np.float32)
    return np.full((SIDE, SIDE), light, np.float32), (layer,)


def halves() -> np.ndarray:
    return np.tile(np.arange(CELLS) < CELLS // 2, (CELLS, 1))


def test_things_take_the_colours_of_like_things_wherever_they_are():
    light, seen = of_things(halves())
    reference, known = of_things(~halves())
    chroma = np.zeros((SIDE, SIDE, 2), np.float32)
    chroma[:, : SIDE // 2], chroma[:, SIDE // 2 :] = (20, -30), (-10, 40)
    found = correspondence.correspond(light, seen, reference, chroma, known)
    np.testing.assert_allclose(found.chroma[:, : SIDE // 4].mean(axis=(0, 1)), (-10, 40), atol=0.5)
    np.testing.assert_allclose(found.chroma[:, -SIDE // 4 :].mean(axis=(0, 1)), (20, -30), atol=0.5)
    assert found.likeness > 0.99


def test_among_like_things_those_of_like_luminance_lend_their_colours():
    things = np.ones((CELLS, CELLS), np.bool_)
    light, seen = of_things(things, 80)
    reference, known = of_things(things)
    reference[:, : SIDE // 2] = 80
    chroma = np.zeros((SIDE, SIDE, 2), np.float32)
    chroma[:, : SIDE // 2] = (15, 15)
    found = correspondence.correspond(light, seen, reference, chroma, known)
    np.testing.assert_allclose(found.chroma, np.full_like(chroma, 15), atol=0.5)


def test_other_things_are_not_like():
    draw = np.random.default_rng(0)
    light, _ = of_things(halves())
    layers = [draw.standard_normal((CELLS, CELLS, 32)).astype(np.float32) for _ in range(2)]
    found = correspondence.correspond(light, layers[:1], light, np.zeros((SIDE, SIDE, 2), np.float32), layers[1:])
    assert found.likeness < correspondence.ALIKE * 2
