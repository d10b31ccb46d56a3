"""Predictions by TensorFlow: the signatures `serving_default` and, if there is one, `guided` of a SavedModel."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import tensorflow as tf

from model import saved_model
from model.plain_paths import plain
from tfrecords.color import Floats
from tfrecords.errors import UserError


def one_thread_a_prediction() -> None:
    """Keep each prediction on one core, for callers that keep all cores busy with their own threads.

    Predictions then take a quarter less processor time. This only has an effect before TensorFlow's first operation.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)


class Engine:
    """A SavedModel that TensorFlow runs.

    Attributes:
        size: side S of the square luminance that it takes, in pixels.
        parameters: how many weights it has.
        hint_side: side of the hints that it takes, in pixels; 0 if it takes none.
    """

    def __init__(self, path: str, folder: str) -> None:
        """Load the SavedModel of `path`, which is in `folder`.

        Raises:
            UserError: its signature `serving_default` is not luminance float32 ``[N, S, S, 1]`` → chroma float32
                ``[N, S, S, 2]``.
            Exception: TensorFlow raises anything from OSError to KeyError on a damaged folder.
        """
        with plain(folder) as place:
            # The signature reads variables that only the loaded object keeps alive.
            self._loaded = tf.saved_model.load(place)
        signature = self._loaded.signatures.get("serving_default")
        self.size = _size(path, signature)
        self._predict = signature
        self._guided = self._loaded.signatures.get(saved_model.GUIDED)
        taken = self._guided.structured_input_signature[1]["hints"] if self._guided else None
        self.hint_side = 0 if taken is None else int(taken.shape[1])
        self.parameters = sum(int(np.prod(variable.shape)) for variable in signature.variables)

    def predict(self, luminance: Floats, hints: Floats | None = None) -> Floats:
        """Return the chroma of a batch.

        Args:
            luminance: float32 ``[N, S, S, 1]``, L* / 100 in [0, 1].
            hints: float32 ``[N, R, R, 3]``, R being `hint_side`: a / 128, b / 128 and 1 where they are given; or None.

        Returns:
            ab / 128, float32 ``[N, S, S, 2]`` in (-1, 1).
        """
        light = tf.constant(luminance, tf.float32)
        found = self._predict(luminance=light) if hints is None else self._guided(luminance=light, hints=hints)
        chroma: Floats = found["chroma"].numpy()
        return chroma


def _size(path: str, signature: Any) -> int:
    """Return S if the signature is `luminance [N, S, S, 1] → chroma [N, S, S, 2]`, both float32."""
    inputs = signature.structured_input_signature[1] if signature is not None else {}
    outputs = signature.structured_outputs if signature is not None else {}
    found = f"{_describe(inputs)} → {_describe(outputs)}" if signature is not None else "none"
    if set(inputs) == {"luminance"} and isinstance(outputs, dict) and set(outputs) == {"chroma"}:
        taken, given = inputs["luminance"], outputs["chroma"]
        sizes = taken.shape.as_list()[1:3] if taken.shape.rank == 4 else [None, None]
        expected = ([None, *sizes, 1], [None, *sizes, 2])
        if (
            sizes[0] is not None
            and sizes[0] == sizes[1]
            and (taken.shape.as_list(), given.shape.as_list()) == expected
            and taken.dtype == given.dtype == tf.float32
        ):
            return int(sizes[0])
    raise UserError(
        f"model {path}: signature serving_default must be luminance float32 [N,S,S,1] → chroma float32 [N,S,S,2]; "
        f"found {found}"
    )


def _describe(specs: Any) -> str:
    if not isinstance(specs, dict):
        return type(specs).__name__
    return ", ".join(
        f"{name} {spec.dtype.name} [{','.join('N' if side is None else str(side) for side in spec.shape)}]"
        for name, spec in sorted(specs.items())
    )
