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


def test_the_reference_that_shows_the_scene_lends_its_colours_and_else_the_one_with_like_tones(photos):
    references = [reference.of(photos[name]) for name in ("coffee", "chelsea", "astronaut")]
    photo = reference.of(photos["astronaut"][40:, 30:])
    grey = photo.chroma * np.float32(0.2)
    found = reference.apply(photo.light, grey, references)
    assert np.abs(found - photo.chroma).mean() < 3
    other = reference.of(photos["rocket"])
    expected = [reference.transfer(other.light, other.chroma, one.statistics) for one in references]
    found = reference.apply(other.light, other.chroma, references)
    assert any(np.array_equal(found, one) for one in expected)


def striped(lying_first: bool) -> tuple[np.ndarray, np.ndarray]:
    """A picture whose one half has lying stripes and is red, and whose other half has standing ones and is blue."""
    lying = np.arange(256)[:, None] < 128 if lying_first else np.arange(256)[:, None] >= 128
    rows, columns = np.indices((256, 256))
    light = np.where(lying, rows % 4 < 2, columns % 4 < 2) * np.float32(20) + np.float32(40)
    return light, np.where(lying[..., None], (40, 20), (5, -40)).astype(np.float32) + np.zeros(
        (256, 256, 2), np.float32
    )


def slopes(light: np.ndarray) -> tuple[np.ndarray, ...]:
    """What a network may see: whether stripes lie or stand."""
    steps = [np.abs(np.diff(light, axis=axis, append=50)).reshape(16, 16, 16, 16).mean((1, 3)) for axis in (0, 1)]
    return (np.stack(steps, axis=-1),)


def test_like_things_lend_their_colours_where_no_scene_is_the_same(photos):
    light, truth = striped(lying_first=True)
    other_light, other = striped(lying_first=False)
    like = reference.Reference(light=other_light, chroma=other, statistics=reference.statistics(other_light, other))
    references = [reference.of(photos["rocket"]), like]
    found = reference.apply(light, np.zeros_like(truth), references, slopes)
    error = np.hypot(*np.moveaxis(found - truth, -1, 0))
    assert error[:100].mean() < 2
    assert error[-100:].mean() < 2
    without = reference.apply(light, np.zeros_like(truth), references)
    assert np.hypot(*np.moveaxis(without - truth, -1, 0)).mean() > 10
