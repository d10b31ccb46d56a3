"""The identity of an exported model: a digest of what its signature `serving_default` computes, and of nothing else.

TensorFlow names the functions of a graph differently in each export, so the bytes of `saved_model.pb` of two exports
differ. Names have no part in this digest: an operation is known by its type, its attributes and
what it is applied to, down to the arguments and constants. Variables are known by type, shape and bytes. Whatever
changes the colours changes the digest: the weights, the network, and the fields of the configuration that shape the
export. Another version of TensorFlow may build another graph, and then gives another digest.
"""

from __future__ import annotations

import graphlib
import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from model import saved_model
from model.plain_paths import plain

SIGNATURE = "serving_default"
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
# They say where and under which names an operation runs; so do those that start with an underscore.
_IGNORED = frozenset({"config", "config_proto", "container", "executor_type", "metadata", "shared_name"})


def of(path: str) -> str:
    """Return the digest, hex sha256, of the SavedModel in a folder, local or gs://.

    Raises:
        ValueError: the folder holds a SavedModel that `model.export` did not write.
    """
    with tf.io.gfile.GFile(tf.io.gfile.join(path, saved_model.GRAPH), "rb") as file:
        graph = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs[0]
    names = _names(graph.object_graph_def.nodes)
    numbers = {name: number for number, name in names.items()}
    if f"signatures/{SIGNATURE}" not in numbers:
        raise ValueError(f"{path} has no signature {SIGNATURE}")
    signature = graph.object_graph_def.nodes[numbers[f"signatures/{SIGNATURE}"]]
    function = signature.bare_concrete_function.concrete_function_name
    interface = graph.signature_def[SIGNATURE]
    parts = [f"{name} {one.dtype} {_sides(one.tensor_shape)}" for name, one in sorted(interface.inputs.items())]
    parts += [f"{name} {one.dtype} {_sides(one.tensor_shape)}" for name, one in sorted(interface.outputs.items())]
    parts.append(_Library(graph.graph_def.library.function).digest(function))
    with plain(path) as folder:
        reader = tf.train.load_checkpoint(tf.io.gfile.join(folder, "variables", "variables"))
        for bound in graph.object_graph_def.concrete_functions[function].bound_inputs:
            value = np.asarray(reader.get_tensor(names[bound] + _VALUE))
            parts.append(f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}")
    return _digest(parts)


class _Library:
    """The functions of a graph, by name."""

    def __init__(self, functions: Iterable[Any]) -> None:
        self._functions = {function.signature.name: function for function in functions}
        self._known: dict[str, str] = {}

    def digest(self, name: str) -> str:
        """Return the digest of what a function gives for its arguments."""
        if name not in self._known:
            self._known[name] = self._found(self._functions[name])
        return self._known[name]

    def _found(self, function: Any) -> str:
        values = {argument.name: f"argument {place}" for place, argument in enumerate(function.signature.input_arg)}
        nodes = {node.name: node for node in function.node_def}
        inputs = {name: [one for one in node.input if not one.startswith("^")] for name, node in nodes.items()}
        after = {name: {one.partition(":")[0] for one in given} & nodes.keys() for name, given in inputs.items()}

        def value(given: str) -> str:
            name, _, output = given.partition(":")
            return f"{values[name]} {output}"

        for name in graphlib.TopologicalSorter(after).static_order():
            node = nodes[name]
            told = [f"{key} {self._attribute(node.attr[key])}" for key in sorted(node.attr) if not _is_ignored(key)]
            values[name] = _digest([node.op, *told, *map(value, inputs[name])])
        return _digest(value(function.ret[output.name]) for output in function.signature.output_arg)

    def _attribute(self, attribute: Any) -> str:
        if attribute.WhichOneof("value") == "func":
            return self.digest(attribute.func.name)
        if attribute.list.func:
            return _digest(self.digest(function.name) for function in attribute.list.func)
        return hashlib.sha256(attribute.SerializeToString(deterministic=True)).hexdigest()


def _names(nodes: Any) -> dict[int, str]:
    """Return the paths of the objects in a SavedModel by their numbers, in terms of which checkpoints name values."""
    names, waiting = {0: ""}, [0]
    for number in waiting:
        for child in nodes[number].children:
            if child.node_id not in names:
                names[child.node_id] = f"{names[number]}/{child.local_name}".lstrip("/")
                waiting.append(child.node_id)
    return names


def _is_ignored(attribute: str) -> bool:
    return attribute.startswith("_") or attribute in _IGNORED


def _sides(shape: Any) -> list[int]:
    return [side.size for side in shape.dim]


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
