"""Conversion of an exported SavedModel to a network for LiteRT (see `model.lite`).

The signature `guided`, or else `serving_default`, is frozen and converted. Weights that the model keeps in half
precision stay in half precision; factors that the converter moves into them are rounded. The result is compared with
the SavedModel on pictures with soft and hard edges, and is not written if its chroma differs by more than 0.01. The
released model differs by 0.0007 on average on archive photos, and by up to 0.033 at single places.
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
MOST_GUIDED = 0.25
"""With hints, which are strong and move the colours far; `model.decoding` can multiply the difference."""
_CHROMA_SCALE = 128


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
    signature, guided = loaded.signatures["serving_default"], loaded.signatures.get(saved_model.GUIDED)
    model = convert(guided or signature)
    engine = lite.Engine(model)
    for one, most in ((signature, MOST_DIFFERENT), (guided, MOST_GUIDED)):
        if one is not None and not (difference := _difference(one, engine)) <= most:
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

    If the signature takes hints ``[N, R, R, 3]``, so does the network.

    Raises:
        Exception: LiteRT has no operation for a part of it.
    """
    is_half = any(variable.dtype == tf.float16 for variable in signature.variables)
    frozen = convert_variables_to_constants_v2(signature)
    graph = frozen.graph.as_graph_def()
    (result,) = frozen.outputs
    places = {int(given.shape[-1]): given for given in frozen.inputs}

    def network(*given: tf.Tensor) -> tf.Tensor:
        placed = {place.name: one for place, one in zip(places.values(), given, strict=True)}
        return tf.graph_util.import_graph_def(graph, input_map=placed, return_elements=[result.name])[0]

    specs = [tf.TensorSpec([1, *place.shape[1:3], channels], tf.float32) for channels, place in places.items()]
    traced = tf.function(network, input_signature=specs).get_concrete_function()
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
    hints = _hints(engine.hint_side) if "hints" in signature.structured_input_signature[1] else None
    given = {} if hints is None else {"hints": tf.constant(hints)}
    for picture in _pictures(engine.size):
        expected = signature(luminance=tf.constant(picture), **given)["chroma"].numpy()
        worst = np.maximum(worst, np.abs(engine.predict(picture, hints) - expected).max())
    return float(worst * _CHROMA_SCALE)


def _hints(side: int) -> Floats:
    """Return hints float32 ``[1, R, R, 3]`` at a few places."""
    draw = np.random.default_rng(1)
    mask = (draw.random((1, side, side, 1)) < 1e-3).astype(np.float32)
    return np.concatenate([mask * draw.uniform(-0.5, 0.5, (1, side, side, 2)).astype(np.float32), mask], axis=-1)


def _pictures(size: int) -> list[Floats]:
    """Return luminance float32 ``[1, S, S, 1]`` with noise, soft shapes, hard edges, and nothing."""
    noise = np.random.default_rng(0).random((size, size), np.float32)
    soft = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), max(1.0, size / 32)), None, 0, 1, cv2.NORM_MINMAX)
    hard = (soft > 0.5).astype(np.float32)
    return [picture[None, ..., None].astype(np.float32) for picture in (noise, soft, hard, np.full_like(noise, 0.5))]
