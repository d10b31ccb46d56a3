import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from model.stains import are_suspected, blotched_share
from model.upsampling import model_luminance
from tfrecords.color import srgb_to_lab

SIDE = 256


def plane(*values: float) -> np.ndarray:
    return np.tile(np.array(values, np.float32), (SIDE, SIDE, 1))


def backdrop() -> np.ndarray:
    """A softly lit studio backdrop, L* / 100, float32 [S, S, 1]."""
    slope = np.linspace(0.45, 0.65, SIDE, dtype=np.float32)
    return np.tile(slope, (SIDE, 1))[..., None] + np.random.default_rng(0).normal(0, 0.005, (SIDE, SIDE, 1)).astype(
        np.float32
    )


def blotches(strength: float, cells: int = 12, seed: int = 1) -> np.ndarray:
    """Chroma in patches, float32 [S, S, 2]."""
    patches = np.random.default_rng(seed).normal(0, strength, (cells, cells, 2)).astype(np.float32)
    return cv2.resize(patches, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def seen_and_true(name: str) -> tuple[np.ndarray, np.ndarray]:
    photo = np.ascontiguousarray(getattr(skimage.data, name)())
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return model_luminance(photo, SIDE), srgb_to_lab(small)[..., 1:]


@pytest.mark.parametrize("strength", [15, 30])
@pytest.mark.parametrize("cells", [8, 14])
def test_patches_on_a_backdrop_are_stains(strength, cells):
    assert are_suspected(backdrop(), blotches(strength, cells))


def test_a_red_patch_on_a_grey_sky_is_a_stain():
    spot = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(spot, (90, 90), 50, 1.0, -1)
    assert are_suspected(backdrop(), cv2.GaussianBlur(spot, (0, 0), 6)[..., None] * plane(40, 25))


@pytest.mark.parametrize("chroma", [plane(0, 0), plane(8, 25), plane(-20, 20), plane(0, -35)])
def test_one_colour_is_no_stain(chroma):
    assert blotched_share(backdrop(), chroma) == 0


def test_a_wash_that_follows_luminance_is_no_stain():
    light = backdrop()
    assert not are_suspected(light, (light - 0.4) * plane(40, 100))


def test_a_sky_that_fades_to_the_horizon_is_no_stain():
    fade = np.linspace(1, 0, SIDE, dtype=np.float32)[:, None, None]
    assert not are_suspected(0.9 - 0.3 * fade * np.ones((SIDE, SIDE, 1), np.float32), fade * plane(-4, -35))


def test_patches_in_foliage_are_no_stain():
    leaves = np.random.default_rng(0).uniform(0.1, 0.9, (64, 64)).astype(np.float32)
    assert not are_suspected(cv2.resize(leaves, (SIDE, SIDE))[..., None], blotches(30))


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "rocket", "retina"])
def test_true_colours_of_photos_are_not_suspected(name):
    assert not are_suspected(*seen_and_true(name))


def test_faint_patches_are_no_stain():
    assert not are_suspected(backdrop(), blotches(3))


@settings(max_examples=40, deadline=None)
@given(side=st.integers(8, 80), grid=st.integers(1, 80), tone=st.floats(0, 1), strength=st.floats(0, 100))
def test_the_share_is_a_share_at_any_size(side, grid, tone, strength):
    generator = np.random.default_rng(0)
    seen = np.full((side, side, 1), tone, np.float32)
    chroma = generator.normal(0, strength, (grid, grid, 2)).astype(np.float32)
    assert 0 <= blotched_share(seen, chroma) <= 1
