"""What a network for LiteRT sees at the places of a picture: two of its inner layers.

They are at an eighth of its resolution: the last of the narrowest layers before anything coarser, which sees shapes and
textures, and the last of the widest after it, which knows what things are. The network itself is used as it is, but
without XNNPACK, which keeps no inner layers. With the released model a look takes 0.1 s of processor time and 0.11 GB.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

import cv2
import numpy as np

from model import quiet
from tfrecords.color import Floats

SHRINK = 8
"""How much coarser than the network's resolution the layers are."""


class Features:
    """The inner layers of a network; threads take turns."""

    def __init__(self, model: bytes, resolution: int) -> None:
        """Load a network.

        Args:
            model: the bytes of its file, see `model.lite`.
            resolution: side of the luminance that its layers see, in pixels; the file may take a larger one.

        Raises:
            ValueError: it has no layers at an eighth of its resolution.
        """
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        with quiet.startup():
            self._interpreter = Interpreter(
                model_content=model,
                num_threads=1,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            tensors = self._interpreter.get_tensor_details()  # before scratch buffers are among them
            self._interpreter.allocate_tensors()
        given = self._interpreter.get_input_details()
        self._given = [(int(one["index"]), tuple(map(int, one["shape"]))) for one in given]
        self._layers = _layers(tensors, resolution // SHRINK)
        self._lock = Lock()

    def look(self, light: Floats) -> tuple[Floats, ...]:
        """Return the layers for a picture, each float32 ``[n, n, C]``.

        Args:
            light: L*, float32 ``[S, S]``.
        """
        with self._lock:
            for place, shape in self._given:
                self._interpreter.set_tensor(
                    place, _light(light, shape) if shape[-1] == 1 else np.zeros(shape, np.float32)
                )
            self._interpreter.invoke()
            return tuple(self._interpreter.get_tensor(place)[0] for place in self._layers)


def _light(light: Floats, shape: tuple[int, ...]) -> Floats:
    """Return L* as the network takes it: L* / 100 of the size of its input ``[1, S, S, 1]``."""
    _, height, width, _ = shape
    small: Floats = cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA) / np.float32(100)
    return small[None, ..., None]


def _layers(tensors: list[dict[str, Any]], side: int) -> tuple[int, ...]:
    """Return which tensors are looked at; they are listed in the order in which they are computed."""
    shapes = {int(one["index"]): tuple(map(int, one["shape"])) for one in tensors}
    pictures = {place: shape for place, shape in shapes.items() if len(shape) == 4 and shape[0] == 1}
    fine = [place for place, shape in pictures.items() if shape[1] == shape[2] == side and shape[3] > 1]
    coarse = [place for place, shape in pictures.items() if 1 < shape[1] == shape[2] < side]
    if not fine:
        raise ValueError(f"it has no layers of {side} pixels")
    before = [place for place in fine if place < min((one for one in coarse if one > fine[0]), default=fine[-1] + 1)]
    after = [place for place in fine if place not in before] or before
    narrowest, widest = min(pictures[one][3] for one in before), max(pictures[one][3] for one in after)
    first = max(one for one in before if pictures[one][3] == narrowest)
    return tuple(dict.fromkeys((first, max(one for one in after if pictures[one][3] == widest))))
