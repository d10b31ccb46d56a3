"""Export: a trained network as a SavedModel that needs nothing but TensorFlow to run.

It has two signatures, or three:

* ``serving_default``: `luminance` float32 ``[N, S, S, 1]``, L* / 100 in [0, 1] → `chroma` float32 ``[N, S, S, 2]``,
  ab / 128 in (-1, 1). XLA compiles it for any N, as GPUs can and TPUs must.
* ``guided``, of networks that were trained with hints: `luminance` as above, and `hints` float32 ``[N, R, R, 3]``,
  a / 128, b / 128 and 1 where a colour is given, 0 elsewhere → `chroma` as above. Hints that are all 0 stand for none,
  and give what ``serving_default`` gives.
* ``colorize_bytes``: `image_bytes` string ``[N]``, encoded JPEG, PNG, GIF or BMP → `image_bytes` string ``[N]``, the
  colour photos as PNG at their original sizes. It needs a CPU, which reads the files. A photo that cannot be decoded
  becomes an empty string, and the others of its batch are not affected. EXIF orientation of JPEG and PNG is applied;
  chroma is brought up along the edges as `autochrome colorize` does it (`model.graph_upsampling`); what sRGB cannot
  show gives up chroma. What a graph cannot do: ICC profiles are ignored, so that pixels count as sRGB; 16 bits become
  8; transparency is dropped; no metadata is passed on, and nothing in the file says that a machine coloured it. Use the
  job, or `autochrome.colorize`, where these matter.

S is the configuration's `size`; where its `export_resolution` (or else its `resolution`) is smaller, the network sees
the luminance at that. It is R, the side of hints.

Networks that classify learn how common each colour is, and most of the world is grey. `prior_adjustment` α takes a part
of that back: α · log(½ p + ½ / Q) is subtracted from the logits, p being the classes' shares of the training set and Q
their number (Menon et al., "Long-tail learning via logit adjustment", 2021, with Zhang et al.'s smoothing).

Where red, grey and blue are all possible, a network paints patches of each. `most_spread` fades colours that lie so far
apart (`model.decoding` has the formula). It suits a trained network: one at its start holds all colours possible, and
everything would be grey.

The folder also contains ``autochrome.json``, the record of what was trained, on what and how.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import (
    bins,
    graph_photos,
    graph_upsampling,
    identity,
    lite,
    lite_conversion,
    networks,
    replacement,
    saved_model,
    shrinking,
    writing,
)
from model.bins import Floats
from model.config import Config
from model.terminal import say
from tfrecords.errors import UserError

CHROMA_SCALE = 128.0


class Data(Protocol):
    """What a network was trained on: the description of a prepared set, or the contents of packs."""

    @property
    def size(self) -> int:
        """Side of the pictures, in pixels."""

    @property
    def fingerprint(self) -> str:
        """By which the set is known."""

    @property
    def splits(self) -> Mapping[str, Any]:
        """The files of each split."""

    @property
    def statistics(self) -> Mapping[str, Any]:
        """Statistics of each split, see `tfrecords.statistics`."""

    def count(self, split: str) -> int:
        """Return the number of examples of a split."""


def check(config: Config, data: Data) -> None:
    """Make sure that what a configuration trains can be exported: trace the network with its first weights.

    Args:
        config: of the network.
        data: the set it will be trained on.

    Raises:
        UserError: it cannot be exported.
    """
    try:
        network = _Stored(config, networks.build(config).get_weights(), _adjustment(config, data))
        # The other signature predicts with the same function.
        traced = _signatures(network, config)[identity.SIGNATURE].get_concrete_function()
        kept = {id(weight.handle) for weight in network.variables}
        if any(found.dtype == tf.resource and id(found) not in kept for found in traced.captured_inputs):
            raise ValueError("it reads a variable or a table that is not among its weights")
    except UserError:
        raise
    except Exception as error:  # A network may do anything.
        way_out = ", or use --set export_resolution=0" if config.export_resolution else ""
        raise UserError(
            f"network {config.network} cannot be exported ({_reason(error)}); correct it{way_out}"
        ) from error


def _reason(error: Exception) -> str:
    """Return the line of a message of Keras or TensorFlow that says what is wrong; the others say where."""
    lines = [line.strip() for line in re.sub(r"\x1b\[\d+m", "", str(error)).splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"\w+(Error|Exception): ", line)]
    wheres = ("in user code:", "Exception encountered", "Arguments received", "File ")
    return next(iter(told or [line for line in lines if not line.startswith(wheres)]), type(error).__name__)


def write(path: str, config: Config, weights: Sequence[NDArray[Any]], data: Data, training: dict[str, Any]) -> None:
    """Write the SavedModel of a trained network to `path`; whatever was there before is replaced at the end.

    There is a whole model at each moment (see `model.replacement`).

    Args:
        path: folder to write, local or gs://.
        config: of the network.
        weights: as `keras.Model.get_weights` gives them.
        data: the set it was trained on.
        training: figures for the record (steps, epochs, seconds, losses).

    Raises:
        DeniedError: the folder may not be written.
        OutageError: the disk is full, or the disk or the bucket fails.
    """
    network = _Stored(config, weights, _adjustment(config, data))
    signatures = _signatures(network, config)
    with writing.named(path), replacement.of(path) as made:
        tf.saved_model.save(network, made, signatures)
        record = _record(config, data, training) | {"identity": _identity(made, path)} | _light(made)
        if config.hints:
            record[saved_model.HINT_SIDE] = network.resolution
        with tf.io.gfile.GFile(tf.io.gfile.join(made, saved_model.RECORD), "w") as file:
            file.write(json.dumps(record, indent=2, sort_keys=True) + "\n")


def _light(made: str) -> dict[str, Any]:
    """Add the network for LiteRT to a model; return what its record says about it, or nothing if there can be none."""
    try:
        return {lite.KEY: lite_conversion.write(made)}
    except OSError:  # such as a full disk
        raise
    except Exception as error:  # A network may do anything; TensorFlow can run it.
        say(f"autochrome: the model has no network for LiteRT ({_reason(error)}); TensorFlow predicts", file=sys.stderr)
        return {}


def _identity(made: str, path: str) -> dict[str, str]:
    """Return the digest of a model that was just made, and that of its files, which shows later that it is unchanged.

    If the model that it replaces computes the same, it keeps the digest of that one, which archives may have recorded.
    """
    found = identity.of(made)
    digest = found
    with contextlib.suppress(Exception):  # There is none yet, or it is damaged: TensorFlow raises many kinds of errors.
        before = saved_model.folder(path)
        if identity.of(before) == found:
            digest = saved_model.digest(before)
    return {"digest": digest, "files": saved_model.files_digest(made)}


def _signatures(network: _Stored, config: Config) -> dict[str, Any]:
    """Return the functions that the model has, by name (see the module)."""

    luminances = tf.TensorSpec([None, config.size, config.size, 1], tf.float32, name="luminance")

    @tf.function(input_signature=[luminances])  # type: ignore[untyped-decorator]
    def predict(luminance: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"chroma": _chroma(network, config, luminance)}

    given = tf.TensorSpec([None, network.resolution, network.resolution, networks.HINTS], tf.float32, name="hints")

    @tf.function(input_signature=[luminances, given])  # type: ignore[untyped-decorator]
    def guided(luminance: tf.Tensor, hints: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"chroma": _chroma(network, config, luminance, hints)}

    files = tf.TensorSpec([None], tf.string, name="image_bytes")

    @tf.function(input_signature=[files])  # type: ignore[untyped-decorator]
    def colorize_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        def colorized(one: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            encoded, is_readable = one
            return tf.cond(is_readable, lambda: _colorize(network, config, encoded), lambda: tf.constant(b""))

        photos = image_bytes, graph_photos.readable(image_bytes)
        return {"image_bytes": tf.map_fn(colorized, photos, fn_output_signature=tf.string)}

    signatures = {identity.SIGNATURE: predict, "colorize_bytes": colorize_bytes}
    return signatures | ({saved_model.GUIDED: guided} if config.hints else {})


class _Stored(tf.Module):
    """A network whose trained weights are kept as `config.stored` and become float32 where they are used.

    Weights that are not trained keep their type: half precision is too narrow for a variance.
    """

    def __init__(self, config: Config, weights: Sequence[NDArray[Any]], adjustment: Floats | None) -> None:
        super().__init__()
        self.resolution = config.export_resolution or config.resolution
        self._network = _Untracked(networks.build(dataclasses.replace(config, resolution=self.resolution)))
        self._adjustment = adjustment
        self._kept = [
            tf.Variable(weight, trainable=False, dtype=config.stored if variable.trainable else variable.dtype)
            for variable, weight in zip(self._network.it.weights, weights, strict=True)
        ]

    def __call__(self, luminance: tf.Tensor, hints: tf.Tensor | None = None) -> tf.Tensor:
        """Return the network's output for luminance ``[N, R, R, 1]`` and hints ``[N, R, R, 3]``; None for none."""
        network = self._network.it
        values = dict(self._network.seeds)
        for variable, weight in zip(network.weights, self._kept, strict=True):
            values[id(variable)] = tf.cast(weight, variable.dtype)
        trainable = [values[id(variable)] for variable in network.trainable_variables]
        others = [values[id(variable)] for variable in network.non_trainable_variables]
        given = networks.arguments(network, luminance, hints)
        output, _ = network.stateless_call(trainable, others, given, training=False)
        return output if self._adjustment is None else output - tf.constant(self._adjustment)


class _Untracked:
    """Hides a network from the SavedModel, which would keep its own weights too.

    Attributes:
        it: the network.
        seeds: the values of the variables that are not weights, by their `id`.
    """

    def __init__(self, network: keras.Model) -> None:
        weights = {id(weight) for weight in network.weights}
        self.it = network
        self.seeds: dict[int, Any] = {
            id(variable): variable.numpy() for variable in network.variables if id(variable) not in weights
        }


def _adjustment(config: Config, data: Data) -> Floats | None:
    """Return what to subtract from the logits, float32 ``[Q]``; None for nothing.

    Raises:
        UserError: the data set does not say how common colours are.
    """
    if not config.prior_adjustment:
        return None
    histogram = data.statistics.get("train", {}).get("chroma")
    if not histogram:
        raise UserError(
            "the data set has no histogram of chroma to adjust by; prepare it again, or use --set prior_adjustment=0"
        )
    return np.float32(config.prior_adjustment) * np.log(bins.mixed(histogram))


def _record(config: Config, data: Data, training: dict[str, Any]) -> dict[str, Any]:
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


def _chroma(network: _Stored, config: Config, luminance: tf.Tensor, hints: tf.Tensor | None = None) -> tf.Tensor:
    """Predict: luminance float32 ``[N, S, S, 1]`` in [0, 1] → chroma float32 ``[N, S, S, 2]`` in (-1, 1)."""
    if network.resolution != config.size:
        luminance = shrinking.shrunk(luminance, network.resolution)
    return networks.decode(config, network(luminance, hints))


def _colorize(network: _Stored, config: Config, encoded: tf.Tensor) -> tf.Tensor:
    """Colorize one photo: encoded, scalar string → PNG, scalar string."""
    rgb = graph_photos.upright(encoded)
    seen = graph_upsampling.small_luminance(rgb, config.size)
    chroma = _chroma(network, config, seen[None])[0] * CHROMA_SCALE
    return tf.io.encode_png(graph_photos.recolored(rgb, chroma, seen))
