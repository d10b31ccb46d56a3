import os
import subprocess
import sys

import numpy as np
import pytest

from model.guidance.guided import Question
from pipelines.archive.render import RenderOptions, render
from pipelines.errors import Rejected
from pipelines.images.limits import Limits
from pipelines.images.xmp import Mark
from pipelines.runtime.photo_process import PhotoProcesses


def test_memory_that_runs_out_while_colour_is_joined_is_told_from_pixels_that_break_it(encoded, monkeypatch):
    file = encoded(np.full((5000, 5000), 120, np.uint8), "JPEG")
    options = RenderOptions(
        size=32, mark=Mark(software="", model_name="", model_digest="", source_name="", digital_source_type="")
    )
    asked: list[tuple[int, ...]] = []

    def predict(question: Question) -> np.ndarray:
        asked.append(question.seen.shape)
        return np.zeros((32, 32, 2), np.float32)

    # Decoding it takes 70 MB, the colour photo 40 more.
    monkeypatch.setattr(Limits, "of", lambda size, **_: Limits(memory=95_000_000, processor=60, wall=60))
    with pytest.raises(Rejected) as raised:
        PhotoProcesses(render).call(file, options, answer=predict, alone=True)
    assert raised.value.reason == "too_large"
    assert asked == [(32, 32, 1)]


def test_a_process_loads_the_compiled_loops_before_its_first_photo_and_its_limits():
    asked = "import sys; from pipelines.archive.render import warm_up; assert 'numba' not in sys.modules; warm_up();"
    asked += "assert 'numba' in sys.modules"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", asked], env=environment, check=True)
