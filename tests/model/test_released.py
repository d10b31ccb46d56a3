"""The model that ships, on photos that it has not seen."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from skimage.color import rgb2lab

from model import config, saved_model
from model.colorizer import Colorizer

FOLDER = Path(saved_model.folder("released"))
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
SIDE = 256


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    """Lab of photos by name, as scikit-image has it."""
    shrunk = {
        name: cv2.resize(getattr(skimage.data, name)(), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for name in PHOTOS
    }
    return {name: rgb2lab(photo) for name, photo in shrunk.items()}


@pytest.fixture(scope="module")
def predicted(truth) -> dict[str, np.ndarray]:
    """The ab that the released model finds for their luminance."""
    luminance = np.stack([lab[..., :1] for lab in truth.values()]).astype(np.float32) / 100
    return dict(zip(truth, Colorizer.load("released").predict(luminance), strict=True))


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
    free = {"epochs": 1, "temperature": 1.0}
    assert dataclasses.replace(stored, **free) == dataclasses.replace(config.released(), **free)


def test_it_is_small_enough_to_ship_and_has_a_card():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 24 * 2**20
    card = (FOLDER / "README.md").read_text()
    assert saved_model.digest("released")[:12] in card
