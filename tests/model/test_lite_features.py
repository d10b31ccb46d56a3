import numpy as np
import pytest

import autochrome
from model.lite_features import _layers


@pytest.fixture(scope="module")
def light() -> np.ndarray:
    return np.tile(np.linspace(0, 100, 256, dtype=np.float32), (256, 1))


# The file of the second one takes the luminance at the network's resolution, that of the others a larger one.
@pytest.mark.parametrize("name", ["released", "released_2"])
def test_a_released_network_tells_what_it_sees_and_colours_as_before(light, name):
    released = autochrome.load_model(name)
    seen = (light / 100)[None, ..., None]
    before = released.predict(seen)
    layers, again = released.look(light), released.look(light)
    assert [layer.shape for layer in layers] == [(24, 24, 48), (24, 24, 128)]
    assert all(np.array_equal(one, other) for one, other in zip(layers, again, strict=True))
    np.testing.assert_array_equal(released.predict(seen), before)


def test_a_model_without_a_network_for_litert_tells_nothing(light, monkeypatch):
    colorizer = autochrome.load_model()
    monkeypatch.setattr("model.lite.FILE", "assets/none.tflite")
    assert colorizer.look(light) == ()


def tensors(*shapes: tuple[int, ...]) -> list[dict]:
    return [{"index": index, "shape": np.array(shape)} for index, shape in enumerate(shapes)]


def test_layers_are_the_last_narrow_one_before_coarser_ones_and_the_last_wide_one_after():
    found = tensors(
        (1, 8, 8, 99), (3, 4, 4, 1), (1, 4, 4, 9), (1, 4, 4, 6), (1, 4, 4, 9), (1, 2, 2, 3), (1, 4, 4, 7), (1, 4, 4, 5)
    )
    assert _layers(found, 4) == (3, 6)
    assert _layers(tensors((1, 8, 8, 9), (1, 4, 4, 9)), 4) == (1,)
    with pytest.raises(ValueError, match="no layers of 4 pixels"):
        _layers(tensors((1, 8, 8, 9)), 4)
