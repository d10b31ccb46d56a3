"""Which devices train: the tf.distribute strategy behind each name of `--strategy`."""

from __future__ import annotations

import os

import tensorflow as tf

from model import cluster
from tfrecords.errors import UserError

NAMES = ("auto", "one", "mirrored", "multiworker", "tpu")


def make(name: str) -> tf.distribute.Strategy:
    """Return the strategy called `name`; all of them run the same training loop.

    `auto` takes the first that fits: a TPU; the workers of TF_CONFIG, if there are several; several GPUs; one device.
    `one` (or `default`) is one device, a GPU if there is any; `mirrored` all GPUs of this machine, or its logical CPU
    devices where there is no GPU; `multiworker` the machines of TF_CONFIG; `tpu` the TPU of this machine or of
    TPU_NAME. The last two must be made before any other use of TensorFlow.

    Raises:
        UserError: the name is unknown, or the devices are not there.
    """
    if name == "auto":
        name = _detect()
    if name in ("one", "default"):
        return one("GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0")
    if name == "mirrored":
        return _mirrored()
    if name == "multiworker":
        found = cluster.from_environment()
        if not found.addresses:
            raise UserError("--strategy multiworker needs TF_CONFIG, which names the workers and this one; set it")
        with cluster.waited_for(found):
            return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        return _tpu()
    raise UserError(f"--strategy {name} is unknown; choose one of {', '.join(NAMES)}")


def one(device: str) -> tf.distribute.Strategy:
    """Return the strategy of one device, such as ``GPU:0``; batches are sent to it ahead of their steps.

    TensorFlow's default strategy hands out datasets as they are: each step would wait for its batch to be copied from
    the memory of the host. All others, `OneDeviceStrategy` included, have an iterator that copies ahead. The first
    processor device has nothing to wait for.
    """
    return tf.distribute.get_strategy() if device == "CPU:0" else tf.distribute.OneDeviceStrategy(device)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is the one that writes the results: true except on workers 1, 2, … of several."""
    resolver = strategy.cluster_resolver
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) or resolver is None:
        return True
    return resolver.task_type in (None, "chief") or (
        resolver.task_type == "worker" and resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs
    )


def _detect() -> str:
    if _has_tpu():
        return "tpu"
    if len(cluster.from_environment().addresses) > 1:
        return "multiworker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "one"


def _mirrored() -> tf.distribute.Strategy:
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    devices = [f"{kind}:{index}" for index, _ in enumerate(tf.config.list_logical_devices(kind))]
    if len(devices) < 2:
        raise UserError(
            f"--strategy mirrored needs two devices or more, found {', '.join(devices)}; use --strategy=one"
        )
    return tf.distribute.MirroredStrategy(devices)


def _has_tpu() -> bool:
    return bool(os.environ.get("TPU_NAME")) or bool(tf.config.list_physical_devices("TPU"))


def _tpu() -> tf.distribute.Strategy:
    if not _has_tpu():
        raise UserError(
            "--strategy tpu found no TPU here and no address in TPU_NAME; set TPU_NAME, or use --strategy=auto"
        )
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=os.environ.get("TPU_NAME", "local"))
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)
