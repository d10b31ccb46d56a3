import numpy as np
import pytest

from model.guidance import reference
from tfrecords.color import srgb_to_lab


@pytest.fixture(scope="module")
def pictures(photos) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Luminance and chroma by name."""
    labs = {name: srgb_to_lab(np.ascontiguousarray(pixels[::2, ::2])) for name, pixels in photos.items()}
    return {name: (lab[..., 0], lab[..., 1:]) for name, lab in labs.items()}


def flat(found: reference.Statistics) -> list[float]:
    return [*found.mean, *found.deviation]


@pytest.mark.parametrize(("name", "other"), [("coffee", "chelsea"), ("chelsea", "astronaut")])
def test_the_statistics_of_the_reference_are_reached(pictures, name, other):
    light, chroma = pictures[name]
    chroma = chroma * np.float32(0.7)  # no cone is dark, as in a prediction
    wanted = reference.statistics(*pictures[other])
    found = reference.statistics(light, reference.transfer(light, chroma, wanted))
    np.testing.assert_allclose(flat(found), flat(wanted), atol=2e-3)


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_a_photo_is_its_own_reference(pictures, name):
    light, chroma = pictures[name]
    np.testing.assert_allclose(reference.transfer(light, chroma, reference.statistics(light, chroma)), chroma, atol=0.2)


def test_black_and_grey_are_no_trouble(pictures):
    wanted = reference.statistics(*pictures["coffee"])
    for light in (np.zeros((9, 9), np.float32), np.linspace(0, 100, 81, dtype=np.float32).reshape(9, 9)):
        assert np.isfinite(reference.transfer(light, np.zeros((9, 9, 2), np.float32), wanted)).all()
    assert flat(reference.statistics(np.zeros((9, 9), np.float32), np.zeros((9, 9, 2), np.float32))) == [0, 0, 0, 0]
