import numpy as np
import pytest

from model.guidance import palette
from tfrecords.color import srgb_to_lab

WARM = np.array([[10.0, 40.0], [40.0, 30.0], [-5.0, 20.0], [0.0, 5.0]])


@pytest.fixture(scope="module")
def chroma(photos) -> np.ndarray:
    return srgb_to_lab(photos["coffee"])[..., 1:][::2, ::2]


def farness(chroma: np.ndarray, colours: np.ndarray) -> float:
    """The mean distance of the clusters to the nearest colour of a palette."""
    centres = palette.clusters(chroma, len(colours))
    return np.linalg.norm(centres[:, None] - colours[None], axis=2).min(axis=1).mean()


@pytest.mark.parametrize("colours", [WARM, -WARM, WARM[:1], WARM[:2]])
def test_clusters_come_nearer_to_the_palette_by_two_thirds(chroma, colours):
    assert farness(palette.apply(chroma, colours), colours) < farness(chroma, colours) / 3


def test_its_own_palette_changes_nothing(chroma):
    for number in (1, 3, 6):
        own = palette.clusters(chroma, number)[::-1]  # in any order
        np.testing.assert_allclose(palette.apply(chroma, own), chroma, atol=1e-3)


def test_strength_is_a_share_of_the_way(chroma):
    whole, half = palette.apply(chroma, WARM), palette.apply(chroma, WARM, 0.5)
    np.testing.assert_allclose(half, (chroma + whole) / 2, atol=1e-3)
    np.testing.assert_array_equal(palette.apply(chroma, WARM, 0.0), chroma)


def test_grey_takes_one_colour_of_the_palette():
    assert np.isfinite(palette.apply(np.zeros((20, 20, 2), np.float32), WARM)).all()
