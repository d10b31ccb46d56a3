"""Predict the pictures of many threads together, for devices that are idle while they wait for single pictures.

A device gets batches of one size, filled up with zeros: with one size of batch it always runs the same program, and the
prediction of a picture depends neither on the other pictures of its batch nor on its place among them. So the bytes of
photos do not depend on which of them were at work together. They may differ from those of single predictions in the
last digits, as predictions on another kind of device do.
"""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from tfrecords.color import Floats

BATCH = 16


class Engine(Protocol):
    """What predicts."""

    size: int
    hint_side: int

    def predict(self, luminance: Floats, hints: Floats | None = None) -> Floats:
        """Return the chroma of a batch."""


class Batches:
    """Predicts for many threads at a time; each gives pictures and waits for their chroma.

    The first thread that finds no batch under way predicts for all that wait. The pictures of those that come meanwhile
    form the next batch, so nothing waits for a clock.

    Args:
        engine: predicts luminance float32 ``[N, S, S, 1]`` → chroma float32 ``[N, S, S, 2]``.
        batch: N of all its predictions.

    Attributes:
        size: side S of the luminance, in pixels.
        hint_side: side R of hints, in pixels; 0 if the engine takes none.
    """

    def __init__(self, engine: Engine, batch: int = BATCH) -> None:
        self.size = engine.size
        self.hint_side = engine.hint_side
        self._engine = engine
        self._batch = batch
        self._waiting: list[_Picture] = []
        self._lock = threading.Lock()
        self._device = threading.Lock()

    def predict(self, luminance: Floats, hints: Floats | None = None) -> Floats:
        """Return the chroma of pictures, float32 ``[N, S, S, 1]`` → ``[N, S, S, 2]``, N of at least 1.

        Pictures with hints ``[N, R, R, 3]`` are few, and are predicted one by one.

        Raises:
            Exception: any error of the device, for all pictures of the batch.
        """
        if hints is not None:
            with self._device:
                pairs = zip(luminance, hints, strict=True)
                return np.concatenate([self._engine.predict(light[None], given[None]) for light, given in pairs])
        pictures = [_Picture(one) for one in luminance]
        with self._lock:
            self._waiting += pictures
        for picture in pictures:
            while not picture.is_done:
                with self._device:
                    # Another thread may have predicted it while this one waited for the device.
                    if not picture.is_done:
                        self._next_batch()
        return np.stack([picture.result() for picture in pictures])

    def _next_batch(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        filled = np.zeros((self._batch, *batch[0].luminance.shape), np.float32)
        filled[: len(batch)] = [picture.luminance for picture in batch]
        try:
            chroma = self._engine.predict(filled)
        except Exception as error:
            for picture in batch:
                picture.error = error
        else:
            for picture, found in zip(batch, chroma, strict=False):
                picture.chroma = found
        for picture in batch:
            picture.is_done = True


class _Picture:
    """A picture that waits for its chroma."""

    def __init__(self, luminance: Floats) -> None:
        self.luminance = luminance
        self.chroma: Floats | None = None
        self.error: Exception | None = None
        self.is_done = False

    def result(self) -> Floats:
        if self.error is not None:
            raise self.error
        assert self.chroma is not None
        return self.chroma
