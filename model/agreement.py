"""What the workers of a run have to agree on: the state that they start from, and the numbers that they decide by."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model import cluster
from tfrecords.errors import UserError


def means(strategy: tf.distribute.Strategy, *numbers: float) -> tuple[float, ...]:
    """Return the means of numbers over the workers, so that all workers decide alike."""
    if not _has_workers(strategy):
        return numbers
    local = strategy.run(tf.identity, args=(tf.constant(numbers, tf.float64),))
    return tuple(strategy.reduce(tf.distribute.ReduceOp.MEAN, local, axis=None).numpy().tolist())


def check_start(strategy: tf.distribute.Strategy, step: int, arrays: Iterable[NDArray[Any]]) -> None:
    """Make sure that all workers start from one state; all of them have to call this.

    Args:
        strategy: of the run.
        step: that this worker starts at.
        arrays: the weights and all other state of this worker, in a fixed order.

    Raises:
        UserError: a worker starts at another step or with other arrays than the first one.
    """
    if _has_workers(strategy):
        compare(_gathered(strategy, step, checksum(arrays)), list(cluster.from_environment().addresses))


def compare(rows: NDArray[Any], names: Sequence[str]) -> None:
    """Raise a `UserError` that names the first worker whose row differs from the first row.

    Args:
        rows: step and checksum of each replica, ``[replicas, 2]``.
        names: of the workers, each of which has as many replicas as the others, in the order of the rows.
    """
    differing = np.flatnonzero((rows != rows[0]).any(axis=1))
    if not differing.size:
        return
    first, other = names[0], names[int(differing[0]) * len(names) // len(rows)]
    step, found = int(rows[0, 0]), int(rows[differing[0], 0])
    same = "give all workers the same --output, --init and program, and look for damaged checkpoints"
    if found != step:
        raise UserError(f"{other} starts at step {found} and {first} at step {step}; {same}")
    raise UserError(f"{other} and {first} start at step {step} with different weights; {same}")


def checksum(arrays: Iterable[NDArray[Any]]) -> int:
    """Return the CRC-32 of the bytes of arrays."""
    found = 0
    for array in arrays:
        found = zlib.crc32(array.tobytes(), found)
    return found


def _gathered(strategy: tf.distribute.Strategy, *numbers: int) -> NDArray[np.float64]:
    """Return the numbers of all replicas, a row each; whole numbers up to 2 ** 53 are exact."""

    def row() -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        own = tf.one_hot(context.replica_id_in_sync_group, strategy.num_replicas_in_sync, dtype=tf.float64)
        return own[:, None] * tf.constant(numbers, tf.float64)

    rows = strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(row), axis=None)
    return np.asarray(rows.numpy(), np.float64)


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
