"""The models that ship, on photos that they have not seen."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from skimage.color import rgb2lab

from model import config, saved_model
from model.colorizer import Colorizer

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
SIDE = 256


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    """Lab of photos by name, as scikit-image has it."""
    shrunk = {
        name: cv2.resize(getattr(skimage.data, name)(), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for name in PHOTOS
    }
    return {name: rgb2lab(photo) for name, photo in shrunk.items()}


@pytest.fixture(scope="module", params=saved_model.SHIPPED)
def predicted(truth, request) -> dict[str, np.ndarray]:
    """The ab that a model finds for their luminance."""
    luminance = np.stack([lab[..., :1] for lab in truth.values()]).astype(np.float32) / 100
    return dict(zip(truth, Colorizer.load(request.param).predict(luminance), strict=True))


def test_it_is_nearer_to_the_truth_than_grey(truth, predicted):
    errors = {name: np.linalg.norm(predicted[name] - lab[..., 1:], axis=-1).mean() for name, lab in truth.items()}
    grey = {name: np.linalg.norm(lab[..., 1:], axis=-1).mean() for name, lab in truth.items()}
    assert sum(errors.values()) < 0.9 * sum(grey.values())


def test_it_is_lively(truth, predicted):
    chroma = [np.linalg.norm(predicted[name], axis=-1).mean() for name in PHOTOS]
    true = [np.linalg.norm(truth[name][..., 1:], axis=-1).mean() for name in PHOTOS]
    assert sum(chroma) > 0.4 * sum(true)


def test_skin_is_warm(predicted):
    a, b = predicted["astronaut"][40:75, 105:130].mean(axis=(0, 1))
    assert a > 5
    assert b > 5


def test_it_is_what_the_configuration_makes():
    record = saved_model.check("released")
    assert record["name"] == "released"
    stored = config.Config.from_dict(record["config"])
    free = dict.fromkeys(config.EXPORT_ONLY, None) | {"epochs": None}
    assert stored.to_dict() | free == config.released().to_dict() | free


def test_the_first_one_is_as_it_was():
    """Archives that it coloured are known by its digest: another would have all their photos made again."""
    record = saved_model.check("released_1")
    stored = dataclasses.replace(config.Config.from_dict(record["config"]), name="released_1", epochs=100)
    assert stored == config.released_1()
    assert saved_model.digest("released_1")[:12] == "159823876249"


def test_the_second_one_is_as_it_was():
    record = saved_model.check("released_2")
    assert config.Config.from_dict(record["config"]) == config.released()
    assert saved_model.digest("released_2")[:12] == "99c39c2f4880"


@pytest.mark.parametrize("name", saved_model.SHIPPED)
def test_it_is_small_enough_to_ship_and_has_a_card(name: str):
    folder = Path(saved_model.folder(name))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 26 * 2**20  # the weights twice, for TensorFlow and for LiteRT
    assert saved_model.digest(name)[:12] in (folder / "README.md").read_text()
