"""The compiled loops give what OpenCV's arithmetic gives, on every processor, wherever compiled code can be kept."""

import hashlib
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from model.upsampling import MOST_DETAIL, guide, model_luminance, recolor
from tfrecords.color import lab_to_srgb, lab_to_srgb_words, luminance


def chroma_of(strength: float) -> np.ndarray:
    noise = np.random.default_rng(5).normal(0, 1, (64, 64, 2)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return soft * np.float32(strength / soft.std())


def lab_of(pixels: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Luminance and chroma of a recolored photo, by OpenCV and NumPy on the whole picture."""
    guided, light = guide(pixels, chroma), luminance(pixels)
    a, b, slope_a, slope_b, small = (cv2.resize(plane, light.shape[::-1]) for plane in guided.planes)
    detail = np.clip(light - small, -MOST_DETAIL, MOST_DETAIL)
    return np.dstack([light, a + slope_a * detail, b + slope_b * detail])


@pytest.mark.parametrize("strength", [3, 12, 40])
@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
@pytest.mark.parametrize("is_grey", [True, False])
def test_at_most_one_byte_in_a_thousand_differs_from_opencv_s_by_one_level(photos, name, strength, is_grey):
    pixels = cv2.cvtColor(photos[name], cv2.COLOR_RGB2GRAY) if is_grey else photos[name]
    chroma = chroma_of(strength)
    different = np.abs(recolor(pixels, chroma).astype(int) - lab_to_srgb(lab_of(pixels, chroma)))
    assert (different > 0).mean() < 0.001
    # Where a colour was outside sRGB, bisection may stop a step earlier or later.
    assert (different > 1).mean() < 0.00002
    assert different.max() <= 3


@pytest.mark.parametrize("strength", [3, 12])
def test_words_are_those_of_exact_arithmetic(photos, strength):
    pixels = photos["coffee"].astype(np.uint16) * 257
    chroma = chroma_of(strength)
    lab = lab_of(pixels, chroma).astype(np.float64)
    f = (lab[..., 0] + 16) / 116
    f = np.stack([f + lab[..., 1] / 500, f, f - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * [0.950456, 1, 1.088754]
    light = (
        xyz
        @ np.linalg.inv(
            [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
        ).T
    )
    inside = (light > 0.002).all(axis=-1) & (light < 0.999).all(axis=-1)
    words = 65535 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.abs(light) ** (1 / 2.4) - 0.055)
    found = recolor(pixels, chroma, bits=16)
    assert inside.mean() > 0.5
    assert np.abs(found - words)[inside].max() < 1.5
    theirs = lab_to_srgb_words(lab.astype(np.float32))
    assert np.abs(found - words)[inside].mean() < np.abs(theirs - words)[inside].mean()


MERGED = """
import hashlib
import numpy as np
from model.upsampling import recolor
rng = np.random.default_rng(0)
pixels, chroma = rng.integers(0, 256, (90, 130), np.uint8), rng.uniform(-40, 40, (16, 16, 2)).astype(np.float32)
print(hashlib.sha256(recolor(pixels, chroma).tobytes()).hexdigest())
"""


def merged(**environment: str) -> str:
    """Digest of a photo that a process of its own merged."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    command = [sys.executable, "-W", "error", "-c", MERGED]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def expected() -> str:
    rng = np.random.default_rng(0)
    pixels, chroma = rng.integers(0, 256, (90, 130), np.uint8), rng.uniform(-40, 40, (16, 16, 2)).astype(np.float32)
    return hashlib.sha256(recolor(pixels, chroma).tobytes()).hexdigest()


def test_a_processor_without_vector_extensions_gives_the_same_bytes(expected, tmp_path):
    assert merged(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_CACHE_DIR=str(tmp_path)) == expected


def test_photos_are_merged_where_no_folder_can_be_written_to(expected):
    assert merged(NUMBA_CACHE_DIR="/dev/null/nowhere") == expected


def test_the_luminance_that_the_model_sees_needs_no_compiled_code(photos):
    script = "import sys; import numpy as np; from model.upsampling import model_luminance;"
    script += "model_luminance(np.zeros((9, 9, 3), np.uint8), 4); assert 'numba' not in sys.modules"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert model_luminance(photos["coffee"], 4).shape == (4, 4, 1)
