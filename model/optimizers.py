"""Optimizers in Keras 3 and the learning rate over a run: a warm-up, then constant or falling along a cosine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from model import pretrained
from model.config import Config

FINAL = 0.01
"""What the cosine leaves of the highest learning rate."""


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate by step, and by how much of a time limit is used, whichever is further.

    The linear warm-up makes the first step at ``1 / warmup_steps`` of the highest rate.
    """

    def __init__(self, config: Config, steps: int, elapsed: keras.Variable) -> None:
        """Make the schedule of a run of `steps` steps; `elapsed` holds the used part of its time limit, else 0."""
        self._config = config
        self._steps = steps
        self._elapsed = elapsed

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of step 0, 1, …, a scalar float32."""
        step = keras.ops.cast(step, "float32")
        rate = self._config.learning_rate * keras.ops.minimum(1.0, (step + 1.0) / max(1, self._config.warmup_steps))
        if self._config.schedule == "constant":
            return rate
        done = keras.ops.minimum(1.0, keras.ops.maximum(step / self._steps, self._elapsed))
        return rate * (FINAL + (1 - FINAL) * 0.5 * (1.0 + keras.ops.cos(math.pi * done)))


class _Summed:
    """An optimizer that is given sums over all replicas: TensorFlow's would sum them once more.

    With JAX, no optimizer sums.
    """

    def _all_reduce_sum_gradients(self, pairs: Any) -> Any:
        """Return pairs of gradient and variable as they are."""
        return pairs


class Adam(_Summed, keras.optimizers.Adam):
    """Adam for gradients that are sums over all replicas."""


class AdamW(_Summed, keras.optimizers.AdamW):
    """AdamW for gradients that are sums over all replicas."""


class FineTuning(AdamW):
    """AdamW under which layers that start from published weights move more slowly and do not decay."""

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the slots of what will be moved."""
        published = [variable for variable in variables if pretrained.holds(variable)]
        self.exclude_from_weight_decay(var_list=published)
        self._published = {self._var_key(variable) for variable in published}
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable; Keras calls this for each."""
        part = pretrained.RATE if self._var_key(variable) in self._published else 1.0
        super().update_step(gradient, variable, part * learning_rate)


def make(config: Config, steps: int, elapsed: keras.Variable) -> keras.Optimizer:
    """Return the optimizer of a run of `steps` steps, which takes summed gradients; see `Schedule` for `elapsed`."""
    rate = Schedule(config, steps, elapsed)
    if config.optimizer == "adamw":
        kind = FineTuning if config.pretrained else AdamW
        return kind(rate, weight_decay=config.weight_decay)
    return Adam(rate)


def applied(
    optimizer: keras.Optimizer,
    elapsed: keras.Variable,
    slots: Sequence[Any],
    gradients: Sequence[Any],
    values: Sequence[Any],
    used: Any,
) -> tuple[list[Any], list[Any]]:
    """Return what one step makes of weights and of the optimizer's variables, without changing either.

    `keras.Optimizer.stateless_apply` does not take `elapsed`: a function that is compiled keeps what it was at first.

    Args:
        optimizer: from `make`, built.
        elapsed: that it was made with.
        slots: values of `optimizer.variables`.
        gradients: of the trainable variables.
        values: of these.
        used: value of `elapsed`.
    """
    weights, variables = optimizer._trainable_variables, optimizer.variables
    mapping = [*zip(weights, values, strict=True), *zip(variables, slots, strict=True), (elapsed, used)]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        optimizer.apply(gradients)
    return [scope.get_current_value(one) for one in weights], [scope.get_current_value(one) for one in variables]
