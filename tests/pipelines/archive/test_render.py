import os
import subprocess
import sys

import numpy as np
import pytest
import skimage.data

from pipelines.archive.render import RenderOptions, render, tone_of
from pipelines.errors import Rejected
from pipelines.images.limits import Limits
from pipelines.images.xmp import Mark
from pipelines.runtime.photo_process import PhotoProcesses

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


def test_memory_that_runs_out_while_colour_is_joined_is_told_from_pixels_that_break_it(encoded, monkeypatch):
    file = encoded(np.full((5000, 5000), 120, np.uint8), "JPEG")
    options = RenderOptions(
        size=32, mark=Mark(software="", model_name="", model_digest="", source_name="", digital_source_type="")
    )
    asked: list[tuple[int, ...]] = []

    def predict(seen: np.ndarray) -> np.ndarray:
        asked.append(seen.shape)
        return np.zeros((32, 32, 2), np.float32)

    # Decoding it takes 70 MB, the colour photo 40 more.
    monkeypatch.setattr(Limits, "of", lambda size: Limits(memory=95_000_000, processor=60, wall=60))
    with pytest.raises(Rejected) as raised:
        PhotoProcesses(render).call(file, options, answer=predict)
    assert raised.value.reason == "too_large"
    assert asked == [(32, 32, 1)]


def test_a_process_loads_the_compiled_loops_before_its_first_photo_and_its_limits():
    asked = "import sys; from pipelines.archive.render import warm_up; assert 'numba' not in sys.modules; warm_up();"
    asked += "assert 'numba' in sys.modules"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", asked], env=environment, check=True)
