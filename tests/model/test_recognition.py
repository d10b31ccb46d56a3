"""Top-1 and FD-Lite are counted over the right pictures, and given only where they mean something."""

import numpy as np
import pytest

from model import recognition
from model.classifier import FEATURES
from model.recognition import LEAST, TRUTH, Recognition
from model.synsets import SYNSETS

SIDE = 8


class Shades:
    """A classifier for grey pictures: the class is the shade, and so is each feature, with some noise."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def classify(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.calls.append(len(pictures))
        shades = pictures[:, 0, 0, 0].astype(int)
        noise = np.random.default_rng(len(self.calls) % 2).normal(size=(len(pictures), FEATURES))
        return (shades[:, None] + noise).astype(np.float32), shades


def shade(value: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), value, np.uint8)


def test_top_1_is_of_the_pictures_with_a_known_class():
    judge = Recognition(Shades, 6)
    synsets = [SYNSETS[1], "", SYNSETS[2], "n99999999", SYNSETS[3], SYNSETS[4]]
    truth = [shade(value) for value in (1, 9, 2, 9, 3, 0)]
    model = [shade(value) for value in (1, 9, 0, 9, 0, 0)]
    for part in (slice(0, 2), slice(2, 6)):
        judge.add({TRUTH: truth[part], "model": model[part]}, synsets[part])
    assert judge.labelled == 4
    assert judge.scores(TRUTH) == {"top1": 75.0}
    assert judge.scores("model") == {"top1": 25.0}


def test_pictures_that_tell_nothing_are_not_classified():
    loaded: list[int] = []
    judge = Recognition(loaded.append, LEAST - 1)
    judge.add({TRUTH: [shade(1)], "model": [shade(1)]}, [""])
    assert loaded == []
    assert (judge.labelled, judge.images, judge.scores(TRUTH)) == (0, 0, {})


def test_fd_lite_needs_enough_pictures_and_says_how_many():
    judge = Recognition(Shades, LEAST)
    part = 100
    for start in range(0, LEAST, part):
        versions = {name: [shade(start // 100 + more)] * part for name, more in ((TRUTH, 0), ("close", 1), ("far", 3))}
        judge.add(versions, [""] * part)
        if start + part < LEAST:
            assert judge.scores("far") == {}
    assert (judge.images, judge.labelled) == (LEAST, 0)
    assert judge.scores(TRUTH)["fd_lite"] == pytest.approx(0, abs=1e-3)
    close, far = judge.scores("close")["fd_lite"], judge.scores("far")["fd_lite"]
    assert close == pytest.approx(FEATURES * 1, rel=0.05)
    assert far == pytest.approx(FEATURES * 9, rel=0.05)
    assert "top1" not in judge.scores("far")


def test_the_least_is_more_than_the_numbers_of_a_feature():
    assert recognition.LEAST > 3 * FEATURES
