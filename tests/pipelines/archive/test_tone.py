import numpy as np
import pytest
import skimage.data

from pipelines.archive.tone import tone_of

SEPIA = np.array([1.0, 0.86, 0.66])


def print_of(name: str) -> np.ndarray:
    """A sepia print, uint8 [H, W, 3]."""
    grey = getattr(skimage.data, name)().astype(np.float64)
    return np.rint(grey[..., None] * SEPIA).astype(np.uint8)


@pytest.mark.parametrize("name", ["camera", "coins", "moon", "page"])
def test_a_print_that_faded_unevenly_is_toned(name):
    toned = print_of(name).astype(np.float64)
    # Towards one corner the tint gives way to grey, by a third of it.
    share = np.linspace(0, 1, toned.shape[0])[:, None] * np.linspace(0, 1, toned.shape[1])[None]
    faded = toned * (1 - share[..., None] / 3) + toned.mean(axis=-1, keepdims=True) * share[..., None] / 3
    assert tone_of(np.rint(faded).astype(np.uint8), 0) == "toned"


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
@pytest.mark.parametrize("bits", [8, 16])
def test_photographs_in_colour_are(name, bits):
    pixels = getattr(skimage.data, name)()
    assert tone_of(pixels if bits == 8 else pixels.astype(np.uint16) * 257, 0) == "color"


def test_one_channel_is_grey():
    assert tone_of(skimage.data.camera(), 0) == "grayscale"
    assert tone_of(np.repeat(skimage.data.camera()[..., None], 3, axis=-1), 0) == "grayscale"
