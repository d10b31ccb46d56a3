import numpy as np
import pytest
import skimage.data
from skimage.color import rgb2lab

from model import bins


def test_every_colour_of_photographs_is_in_a_class():
    centres = {tuple(centre) for centre in bins.centres().astype(int).tolist()}
    assert 240 < len(centres) < 313  # Zhang et al. count 313 with the neighbours of the gamut.
    assert {(0, 0), (80, 70), (-90, 80), (80, -110)} <= centres
    assert {(-110, -110), (110, 110), (-60, -60)}.isdisjoint(centres)
    for photo in (skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()):
        ab = np.rint(rgb2lab(photo)[::3, ::3, 1:] / 10).astype(int).reshape(-1, 2) * 10
        assert {tuple(colour) for colour in ab.tolist()} <= centres


def histogram(**counts: int) -> np.ndarray:
    made = np.zeros((23, 23), np.int64)
    made[11, 11] = counts.get("grey", 0)
    made[15, 13] = counts.get("skin", 0)
    made[3, 17] = counts.get("green", 0)
    return made


def test_rare_colours_weigh_more_and_pixels_one_on_average():
    counts = histogram(grey=9000, skin=900, green=100)
    weights = bins.weights(counts, 1.0)
    places = (bins.centres().astype(int) + 110) // 10
    by_place = {tuple(place): weight for place, weight in zip(places.tolist(), weights, strict=True)}
    assert by_place[11, 11] < by_place[15, 13] < by_place[3, 17]
    mean = sum(counts[place] * weight for place, weight in by_place.items()) / counts.sum()
    assert mean == pytest.approx(1, abs=1e-5)
    mild = bins.weights(counts, 0.5)
    assert 1 < mild.max() / mild.min() < weights.max() / weights.min()
    np.testing.assert_allclose(bins.weights(counts, 0.0), 1, atol=1e-6)


@pytest.mark.parametrize("wrong", [np.zeros((23, 23)), np.ones((22, 22))])
def test_what_is_no_histogram_is_an_error(wrong):
    with pytest.raises(ValueError, match="23 x 23"):
        bins.weights(wrong, 0.5)


def test_a_colour_is_shared_by_the_five_nearest_classes():
    centres, shares = bins.centres().astype(np.float64), bins.shares().reshape(256, 256, -1)
    assert shares.shape[-1] == len(centres)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)
    for a, b in [*np.random.default_rng(0).integers(-90, 90, (200, 2)), (-128, -128), (127, 127)]:
        distances = np.linalg.norm(centres - (a, b), axis=1)
        found = shares[a + 128, b + 128]
        [holders] = np.nonzero(found)
        assert len(holders) <= bins.NEIGHBOURS
        # Among equally far ones any may be chosen.
        nearest = np.sort(distances)[: bins.NEIGHBOURS]
        expected = np.exp(-(nearest**2 - nearest[0] ** 2) / (2 * 5.0**2))
        np.testing.assert_allclose(-np.sort(-found)[: bins.NEIGHBOURS], expected / expected.sum(), atol=1e-5)
        np.testing.assert_allclose(np.sort(distances[holders]), nearest[: len(holders)])


def test_mixed_shares_lie_halfway_between_the_smoothed_ones_and_all_alike():
    mixed = bins.mixed(histogram(grey=1, skin=1))
    assert mixed.sum() == pytest.approx(1, abs=1e-5)
    assert mixed.min() == pytest.approx(0.5 / len(mixed), abs=1e-6)
    places = {tuple(centre): share for centre, share in zip(bins.centres().astype(int).tolist(), mixed, strict=True)}
    assert places[0, 0] == pytest.approx(places[40, 20], rel=1e-4)
    # A Gaussian of half a class leaves 0.62 of a count in its own square.
    assert places[0, 0] == pytest.approx(0.5 / len(mixed) + 0.5 * 0.5 * 0.62, rel=0.02)
