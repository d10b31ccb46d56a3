"""Predictions by LiteRT: the network of a SavedModel in one file, without TensorFlow.

`model.lite_conversion` writes the file into the SavedModel's folder when a model is exported. With the released model
TensorFlow is ready after four seconds of processor time and takes 0.9 GB and 38 ms for a prediction; LiteRT is ready
after 0.13 s and takes 0.14 GB and 28 ms (``tests/bench/predict_bench.py``). The SavedModel remains the model: its
record says which of its files the network was made from, and a file that does not match is not used.

The file takes one picture of the model's size. Files of earlier versions take one at the resolution that the network
sees, to which it is shrunk first. If the network takes hints, the file takes them too: all 0 stands for none, and gives
to the bit what a file without them gives.
"""

from __future__ import annotations

import hashlib
from collections import deque
from typing import Any

import cv2
import numpy as np

from model import quiet, saved_model
from tfrecords.color import Floats

FILE = "assets/model.tflite"
"""The file's place in the folder of the SavedModel."""
KEY = "lite"
"""The part of the model's record about the file: `sha256` of the file, `files` (`saved_model.files_digest`) of the
model that it was made from, and `parameters`, the number of weights."""

_HINTS = 3  # channels


class Engine:
    """A network that LiteRT runs, on one thread for each prediction; several threads may predict at a time.

    Attributes:
        size: side S of the square luminance that it takes, in pixels.
        resolution: side of the luminance that the file takes.
        hint_side: side of the hints that it takes, in pixels; 0 if it takes none.
    """

    def __init__(self, model: bytes) -> None:
        """Load a network.

        Args:
            model: the bytes of the file.

        Raises:
            ValueError: they are not a network of one picture.
        """
        self._model = model
        with quiet.startup():
            interpreter = self._interpreter()
        (given,), taken = interpreter.get_output_details(), interpreter.get_input_details()
        places = {int(one["shape"][-1]): (int(one["index"]), int(one["shape"][1])) for one in taken}
        self._light, self.resolution = places[1]
        self._hints, self.hint_side = places.get(_HINTS, (-1, 0))
        self.size = int(given["shape"][1])
        self._idle = deque([interpreter])

    def _interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=self._model, num_threads=1)
        interpreter.allocate_tensors()
        return interpreter

    def predict(self, luminance: Floats, hints: Floats | None = None) -> Floats:
        """Return the chroma of pictures, one after the other.

        Args:
            luminance: float32 ``[N, S, S, 1]`` with N of at least 1, L* / 100 in [0, 1].
            hints: float32 ``[N, R, R, 3]``, R being `hint_side`: a / 128, b / 128 and 1 where they are given; or None.

        Returns:
            ab / 128, float32 ``[N, S, S, 2]`` in (-1, 1).
        """
        try:
            interpreter = self._idle.pop()  # an interpreter serves one thread at a time
        except IndexError:
            interpreter = self._interpreter()
        if hints is None:
            hints = np.zeros((len(luminance), self.hint_side, self.hint_side, _HINTS), np.float32)
        pairs = zip(luminance, hints, strict=True)
        chroma = np.concatenate([self._one(interpreter, light[..., 0], given) for light, given in pairs])
        self._idle.append(interpreter)
        return chroma

    def _one(self, interpreter: Any, light: Floats, hints: Floats) -> Floats:
        if self.resolution != self.size:
            light = cv2.resize(light, (self.resolution, self.resolution), interpolation=cv2.INTER_AREA)
        interpreter.set_tensor(self._light, light[None, ..., None])
        if self.hint_side:
            interpreter.set_tensor(self._hints, hints[None])
        interpreter.invoke()
        chroma: Floats = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return chroma


def load(folder: str, record: dict[str, Any]) -> Engine | None:
    """Load the network of a SavedModel; return None if it has no file, or one that was made from other files.

    Args:
        folder: of the SavedModel, local or gs://.
        record: `saved_model.check` of it.
    """
    model = content(folder, record)
    return None if model is None else Engine(model)


def content(folder: str, record: dict[str, Any]) -> bytes | None:
    """Return the bytes of the network's file; None where `load` returns None, which has the same arguments."""
    about = record.get(KEY)
    if not isinstance(about, dict):
        return None
    try:
        model, files = saved_model.file(folder, FILE), saved_model.files_digest(folder)
    except OSError:  # The model lacks files; TensorFlow says which.
        return None
    is_its_own = (hashlib.sha256(model).hexdigest(), files) == (about.get("sha256"), about.get("files"))
    return model if is_its_own else None
