"""Export: a trained network as a SavedModel that needs nothing but TensorFlow to run.

It has two signatures:

* ``serving_default``: `luminance` float32 ``[N, S, S, 1]``, L* / 100 in [0, 1] → `chroma` float32 ``[N, S, S, 2]``,
  ab / 128 in (-1, 1).
* ``colorize_bytes``: `image_bytes` string ``[N]``, encoded JPEG or PNG → `image_bytes` string ``[N]``, the colour
  photos as PNG at their original sizes. The luminance is brought down to S x S, the chroma up bilinearly and joined
  with the original luminance; what sRGB cannot show gives up chroma.

S is the configuration's `size`; where its `export_resolution` (or else its `resolution`) is smaller, the network sees
the luminance at that.

Networks that classify learn how common each colour is, and most of the world is grey. `prior_adjustment` α takes a part
of that back: α · log(½ p + ½ / Q) is subtracted from the logits, p being the classes' shares of the training set and Q
their number (Menon et al., "Long-tail learning via logit adjustment", 2021, with Zhang et al.'s smoothing).

Beside the graph lies ``autochrome.json``, the record of what was trained, on what and how.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import bins, networks, saved_model
from model.bins import Floats
from model.config import Config
from tfrecords import graph_color
from tfrecords.description import Description
from tfrecords.errors import UserError

CHROMA_SCALE = 128.0


def write(
    path: str, config: Config, weights: Sequence[NDArray[np.float32]], data: Description, training: dict[str, Any]
) -> None:
    """Write the SavedModel of a trained network to `path`, whole: whatever was there before is replaced at the end.

    Args:
        path: folder to write, local or gs://.
        config: of the network.
        weights: as `keras.Model.get_weights` gives them.
        data: the set it was trained on.
        training: figures for the record (steps, epochs, seconds, losses).
    """
    network = _Stored(config, weights, _adjustment(config, data))

    @tf.function(input_signature=[tf.TensorSpec([None, config.size, config.size, 1], tf.float32, name="luminance")])
    def predict(luminance: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"chroma": _chroma(network, config, luminance)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def colorize_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        coloured = tf.map_fn(lambda image: _colorize(network, config, image), image_bytes)
        return {"image_bytes": coloured}

    signatures = {"serving_default": predict, "colorize_bytes": colorize_bytes}
    record = json.dumps(_record(config, data, training), indent=2, sort_keys=True) + "\n"
    if saved_model.is_remote(path):
        _write_objects(path.rstrip("/"), network, signatures, record)
        return
    partial = f"{path.rstrip('/')}.partial"
    if tf.io.gfile.exists(partial):
        tf.io.gfile.rmtree(partial)
    tf.saved_model.save(network, partial, signatures)
    with tf.io.gfile.GFile(tf.io.gfile.join(partial, saved_model.RECORD), "w") as file:
        file.write(record)
    if tf.io.gfile.exists(path):
        tf.io.gfile.rmtree(path)
    tf.io.gfile.rename(partial, path.rstrip("/"))


def _write_objects(path: str, network: tf.Module, signatures: dict[str, Any], record: str) -> None:
    """Write a model into a bucket, where no folder can be renamed: its record, without which it is none, goes last."""
    place = tf.io.gfile.join(path, saved_model.RECORD)
    if tf.io.gfile.exists(place):
        tf.io.gfile.remove(place)
    with tempfile.TemporaryDirectory(prefix="autochrome-model-") as made:
        # Made here and then sent: TensorFlow would ask the bucket for something a hundred times.
        tf.saved_model.save(network, made, signatures)
        files = {str(found.relative_to(made)): found for found in sorted(Path(made).rglob("*")) if found.is_file()}
        for name, source in files.items():
            tf.io.gfile.copy(str(source), tf.io.gfile.join(path, name), overwrite=True)
    for folder, _, names in tf.io.gfile.walk(path):
        for name in (tf.io.gfile.join(folder, name) for name in names):
            if name.removeprefix(f"{path}/") not in files:
                tf.io.gfile.remove(name)
    with tf.io.gfile.GFile(place, "w") as file:
        file.write(record)


class _Stored(tf.Module):
    """A network whose weights are kept as `config.stored` and become float32 where they are used."""

    def __init__(self, config: Config, weights: Sequence[NDArray[np.float32]], adjustment: Floats | None) -> None:
        super().__init__()
        self.resolution = config.export_resolution or config.resolution
        self._network = _Untracked(networks.build(dataclasses.replace(config, resolution=self.resolution)))
        self._adjustment = adjustment
        self._kept = [tf.Variable(weight, trainable=False, dtype=config.stored) for weight in weights]

    def __call__(self, luminance: tf.Tensor) -> tf.Tensor:
        """The network's output for luminance ``[N, R, R, 1]``."""
        weights = [tf.cast(weight, tf.float32) for weight in self._kept]
        output, _ = self._network.it.stateless_call(weights, [], luminance, training=False)
        return output if self._adjustment is None else output - tf.constant(self._adjustment)


@dataclasses.dataclass(frozen=True)
class _Untracked:
    """Hides a network from the SavedModel, which would keep its own weights too."""

    it: keras.Model


def _adjustment(config: Config, data: Description) -> Floats | None:
    """What to subtract from the logits, float32 ``[Q]``; None for nothing.

    Raises:
        UserError: the data set does not say how common colours are.
    """
    if not config.prior_adjustment:
        return None
    histogram = data.statistics.get("train", {}).get("chroma")
    if not histogram:
        raise UserError("the data set has no histogram of chroma to adjust by; prepare it again or prior_adjustment=0")
    return np.float32(config.prior_adjustment) * np.log(bins.mixed(histogram))


def _record(config: Config, data: Description, training: dict[str, Any]) -> dict[str, Any]:
    return {
        "format_version": saved_model.FORMAT_VERSION,
        "name": config.name,
        "config": config.to_dict(),
        "data": {
            "fingerprint": data.fingerprint,
            "size": data.size,
            "examples": {split: data.count(split) for split in sorted(data.splits)},
        },
        "training": training,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _chroma(network: _Stored, config: Config, luminance: tf.Tensor) -> tf.Tensor:
    """Luminance float32 ``[N, S, S, 1]`` in [0, 1] → chroma float32 ``[N, S, S, 2]`` in (-1, 1)."""
    if network.resolution != config.size:
        luminance = tf.image.resize(luminance, [network.resolution] * 2, tf.image.ResizeMethod.AREA)
    return networks.decode(config, network(luminance))


def _colorize(network: _Stored, config: Config, encoded: tf.Tensor) -> tf.Tensor:
    """One encoded photo, scalar string → the coloured one as PNG, scalar string."""
    rgb = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    rgb.set_shape([None, None, 3])
    luminance = graph_color.rgb_to_lab(tf.cast(rgb, tf.float32) / 255.0)[..., :1]
    small = tf.image.resize(luminance / 100.0, [config.size, config.size], antialias=True)
    chroma = _chroma(network, config, tf.clip_by_value(small, 0.0, 1.0)[None])[0] * CHROMA_SCALE
    lab = tf.concat([luminance, tf.image.resize(chroma, tf.shape(rgb)[:2])], axis=-1)
    coloured = graph_color.lab_to_rgb(lab)
    return tf.io.encode_png(tf.cast(tf.round(coloured * 255.0), tf.uint8))
