"""Random numbers that depend on nothing but a seed and a place: the same on TensorFlow and JAX, on any device.

Each example of the training stream draws its own numbers from its place in it, so a run can go on at any step and on
other devices. The generator hashes counters, as those of Salmon et al. ("Parallel random numbers: as easy as 1, 2, 3",
2011) do, with the 32-bit finaliser of MurmurHash3 in four rounds; `tests/model/test_draws.py` measures its quality.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

_ODD = (0x85EBCA6B, 0xC2B2AE35)
_GOLDEN = 0x9E3779B9


def uniform(seed: int, places: Any, use: int, count: int) -> Any:
    """Return uniform numbers in [0, 1) for each place, float32 ``[N, count]``, in steps of 2**-24.

    Args:
        seed: of the run, from 0.
        places: in the stream, as `halves` gives them, uint32 ``[N, 2]``.
        use: what the numbers are for; no use repeats the numbers of another.
        count: numbers a place.
    """
    return ops.cast(ops.right_shift(_bits(seed, places, use, count), _whole(8)), "float32") * 2.0**-24


def normal(seed: int, places: Any, use: int, count: int) -> Any:
    """Return numbers with the standard normal distribution, float32 ``[N, count]``; the arguments are `uniform`'s."""
    half = -(-count // 2)
    both = uniform(seed, places, use, 2 * half)
    # Box and Muller (1958); 1 - u is never 0.
    radius = ops.sqrt(-2.0 * ops.log(1.0 - both[:, :half]))
    angle = (2.0 * math.pi) * both[:, half:]
    return ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)[:, :count]


def halves(places: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return whole numbers ``[N]`` from 0 as their lower and upper halves, ``[N, 2]``."""
    return np.stack([places & 0xFFFFFFFF, places >> 32], axis=-1).astype(np.uint32)


def _bits(seed: int, places: Any, use: int, count: int) -> Any:
    """Return random bits, uint32 ``[N, count]``."""
    places = ops.convert_to_tensor(places, "uint32")
    key = _mixed(places[:, 0], _whole(seed % 2**32))
    key = _mixed(_mixed(key, places[:, 1]), _whole(seed >> 32))
    key = _mixed(key, _whole(use))
    return _mixed(key[:, None], ops.cast(ops.arange(count, dtype="int32"), "uint32")[None])


def _mixed(state: Any, value: Any) -> Any:
    """Return a hash of two uint32."""
    state = ops.bitwise_xor(state, value * _whole(_GOLDEN) + _whole(_GOLDEN))
    for factor in _ODD:
        state = ops.bitwise_xor(state, ops.right_shift(state, _whole(16))) * _whole(factor)
    return ops.bitwise_xor(state, ops.right_shift(state, _whole(15)))


def _whole(number: int) -> Any:
    return ops.cast(ops.array(number, dtype="uint32"), "uint32")
