import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model import graph_engine
from model.batches import BATCH, Batches


class Device:
    """Returns means of the pictures, and remembers the sizes of its batches and how many ran at a time."""

    size = 4
    hint_side = 2

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.filled: list[int] = []
        self._busy = threading.Lock()
        self.release = threading.Event()

    def predict(self, luminance: np.ndarray, hints: np.ndarray | None = None) -> np.ndarray:
        assert self._busy.acquire(blocking=False), "two batches at a time"
        self.shapes.append(luminance.shape)
        self.filled.append(int((luminance.max(axis=(1, 2, 3)) > 0).sum()))
        self.release.wait(10)
        self._busy.release()
        if (luminance > 1).any():
            raise ValueError("no such luminance")
        return np.repeat(luminance, 2, axis=-1)


def picture(value: float) -> np.ndarray:
    return np.full((1, 4, 4, 1), value, np.float32)


def test_pictures_that_wait_while_the_device_works_form_the_next_batch():
    device = Device()
    batches = Batches(device, 3)
    values = [0.1, 0.2, 0.3, 0.4, 0.5]
    with ThreadPoolExecutor(5) as pool:
        found = [pool.submit(batches.predict, picture(value)) for value in values]
        while len(batches._waiting) + sum(device.filled) < 5:
            pass
        device.release.set()
    assert [one.result().mean() for one in found] == pytest.approx(values)
    assert set(device.shapes) == {(3, 4, 4, 1)}
    assert sum(device.filled) == 5
    assert len(device.filled) <= 3


def test_more_pictures_than_a_batch_holds_are_predicted_in_order():
    device = Device()
    device.release.set()
    many = np.concatenate([picture(value / 8) for value in range(1, 8)])
    assert np.array_equal(Batches(device, 3).predict(many)[..., 0], many[..., 0])


def test_an_error_of_the_device_reaches_the_threads_of_its_batch_only():
    device = Device()
    device.release.set()
    batches = Batches(device, 3)
    with pytest.raises(ValueError, match="no such luminance"):
        batches.predict(picture(2))
    assert batches.predict(picture(0.5)).mean() == 0.5


def test_a_prediction_depends_neither_on_its_batch_nor_on_its_place_in_it(saved_model_dir):
    engine = graph_engine.Engine(str(saved_model_dir), str(saved_model_dir))
    rng = np.random.default_rng(0)
    pictures = rng.random((BATCH + 3, engine.size, engine.size, 1), np.float32)
    together = Batches(engine).predict(pictures)
    alone = np.concatenate([Batches(engine).predict(one[None]) for one in pictures])
    assert np.array_equal(together, alone)
    single = np.concatenate([engine.predict(one[None]) for one in pictures])
    assert np.abs(single - alone).max() < 1e-5
