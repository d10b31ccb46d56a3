"""Precision of training: in which type a network computes, and the scale of the loss that half precision needs.

Weights, losses, checkpoints and exports are float32 in each precision. Small gradients would vanish in float16: they
are computed of the loss times a scale, and divided by it. A step whose gradients are not finite is skipped, and the
scale halved; after `GROWTH_STEPS` steps without one it is doubled (Micikevicius et al., "Mixed Precision Training",
2018).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
SCALED = "float16"
"""The precision whose gradients are scaled."""
FIRST_SCALE = 2.0**15
LEAST_SCALE = 1.0
"""Gradients that are infinite at this scale are so for another reason: training stops."""
GROWTH_STEPS = 2000


@contextlib.contextmanager
def policy(precision: str) -> Iterator[None]:
    """Let networks that are built within compute in a precision, a key of `POLICIES`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def first(precision: str) -> list[Any]:
    """Return the scale of the first step, float32, and the good steps before it, int32; [] for no scale."""
    return [np.float32(FIRST_SCALE), np.int32(0)] if precision == SCALED else []


def next_scale(scale: Any, good: Any, is_finite: Any) -> tuple[Any, Any]:
    """Return the scale of the next step, and how many steps in a row were good.

    Args:
        scale: of this step, scalar float32.
        good: good steps in a row before this one, scalar int32.
        is_finite: whether all gradients of this step are finite, scalar bool.
    """
    good = ops.where(is_finite, good + 1, 0)
    is_due = good >= GROWTH_STEPS
    grown = ops.where(is_due, scale * 2.0, scale)
    return ops.where(is_finite, grown, scale * 0.5), ops.where(is_due, 0, good)


def what_failed(precision: str) -> str:
    """Return what a step is wrong in whose loss is finite and which yet ends the training."""
    return "the gradients are not finite at any scale" if precision == SCALED else "the weights are not finite"
