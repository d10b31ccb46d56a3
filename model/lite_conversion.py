"""Conversion of an exported SavedModel to a network for LiteRT (see `model.lite`).

The signature `serving_default` is frozen, and cut where it shrinks the luminance, for which LiteRT has no operation.
Weights that the model keeps in half precision stay in half precision; factors that the converter moves into them are
rounded. The result is compared with the SavedModel on pictures with soft and hard edges, and is not written if its
chroma differs by more than 0.01. The released model differs by 0.0005 on average on archive photos, and by up to 0.016.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model import lite, saved_model
from model.plain_paths import plain
from tfrecords.color import Floats

MOST_DIFFERENT = 0.01
"""In units of a and b."""
_CHROMA_SCALE = 128
_SHRINKING = "ResizeArea"


def write(folder: str) -> dict[str, Any]:
    """Write the file for LiteRT into the folder of a SavedModel; return what the model's record says about it.

    Args:
        folder: of the SavedModel, local, with all of its files.

    Raises:
        ValueError: the result differs too much from the SavedModel.
        Exception: LiteRT has no operation for a part of the network, or another error of TensorFlow.
    """
    with plain(folder) as place:
        loaded = tf.saved_model.load(place)
    signature = loaded.signatures["serving_default"]
    model = convert(signature)
    difference = _difference(signature, lite.Engine(model))
    if not difference <= MOST_DIFFERENT:
        raise ValueError(f"its chroma differs by up to {difference:.3g}")
    file = Path(folder) / lite.FILE
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(model)
    return {
        "sha256": hashlib.sha256(model).hexdigest(),
        "files": saved_model.files_digest(folder),
        "parameters": sum(int(np.prod(variable.shape)) for variable in signature.variables),
    }


def convert(signature: Any) -> bytes:
    """Return the network of a signature luminance ``[N, S, S, 1]`` → chroma ``[N, S, S, 2]`` for one picture.

    Raises:
        Exception: LiteRT has no operation for a part of it.
    """
    is_half = any(variable.dtype == tf.float16 for variable in signature.variables)
    frozen = convert_variables_to_constants_v2(signature)
    graph = frozen.graph.as_graph_def()
    (given,), (result,) = frozen.inputs, frozen.outputs
    place, side = given.name, given.shape[1]
    for node in graph.node:
        if node.op == _SHRINKING:
            place = f"{node.name}:0"
            side = frozen.graph.get_tensor_by_name(place).shape[1]

    def network(luminance: tf.Tensor) -> tf.Tensor:
        return tf.graph_util.import_graph_def(graph, input_map={place: luminance}, return_elements=[result.name])[0]

    spec = tf.TensorSpec([1, side, side, 1], tf.float32, name="luminance")
    traced = tf.function(network, input_signature=[spec]).get_concrete_function()
    with _quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    if is_half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow from advising to pass an object that keeps variables, which a graph of constants has none of."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _difference(signature: Any, engine: lite.Engine) -> float:
    """Return the largest difference of a and b between a signature and its conversion; nan for a colour that is nan."""
    worst = 0.0
    for picture in _pictures(engine.size):
        expected = signature(luminance=tf.constant(picture))["chroma"].numpy()
        worst = np.maximum(worst, np.abs(engine.predict(picture) - expected).max())
    return float(worst * _CHROMA_SCALE)


def _pictures(size: int) -> list[Floats]:
    """Return luminance float32 ``[1, S, S, 1]`` with noise, soft shapes, hard edges, and nothing."""
    noise = np.random.default_rng(0).random((size, size), np.float32)
    soft = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), max(1.0, size / 32)), None, 0, 1, cv2.NORM_MINMAX)
    hard = (soft > 0.5).astype(np.float32)
    return [picture[None, ..., None].astype(np.float32) for picture in (noise, soft, hard, np.full_like(noise, 0.5))]
