"""The prepared set as the trainer sees it: an endless, seeded stream of examples, cut into global batches.

Batch k holds examples k B … k B + B - 1 of the stream under every strategy and number of replicas, so a run can stop at
any step and go on at the next, here or on other devices. Each pass over the set is shuffled anew; no example is dropped
between passes. Examples travel as bytes (uint8 ``[S, S, 3]``: luminance, a, b) and become floats per batch.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from model.config import Config
from tfrecords import dataset
from tfrecords.description import Description
from tfrecords.errors import UserError

CACHE_BYTES = 2**30
SHUFFLE_BUFFER = 2048

DatasetFn = Callable[[tf.distribute.InputContext], tf.data.Dataset]


def describe(data_dir: str, config: Config) -> Description:
    """Return the description of a prepared set that `config` can be trained on.

    Raises:
        UserError: there is none, it has no training examples, or its pictures have another size.
    """
    description = dataset.read_description(data_dir)
    if not description.count("train"):
        raise UserError(f"{data_dir} has no training examples; prepare more photos")
    if description.size != config.size:
        raise UserError(
            f"{data_dir} holds pictures of {description.size} px, configuration {config.name} takes {config.size} px; "
            f"prepare with --size={config.size}"
        )
    return description


def training(data_dir: str, config: Config, count: int, step: int) -> DatasetFn:
    """Return what makes the endless training input from batch `step` on, for `distribute_datasets_from_function`.

    Args:
        data_dir: the prepared set.
        config: gives the batch size, the seed and whether to flip.
        count: training examples in the set.
        step: how many batches were used already.

    Returns:
        A function to batches of one replica: luminance float32 ``[n, S, S, 1]`` in [0, 1], chroma float32
        ``[n, S, S, 2]`` in [-1, 1).
    """

    def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
        examples = _examples(data_dir, "train", config, count)
        buffer = count if _fits(config, count) else SHUFFLE_BUFFER
        first_pass, offset = divmod(step * config.batch_size, count)

        def one_pass(number: tf.Tensor) -> tf.data.Dataset:
            return examples.shuffle(buffer, seed=config.seed * 1_000_003 + number, reshuffle_each_iteration=False)

        def flip(index: tf.Tensor, lab: tf.Tensor) -> tf.Tensor:
            mirrored = tf.random.stateless_uniform([], seed=tf.stack([tf.constant(config.seed, tf.int64), index])) < 0.5
            return tf.where(mirrored, tf.reverse(lab, [1]), lab)

        stream = tf.data.Dataset.range(first_pass, tf.int64.max).flat_map(one_pass).skip(offset)
        stream = stream.enumerate(start=step * config.batch_size)
        stream = stream.shard(context.num_input_pipelines, context.input_pipeline_id)
        stream = stream.map(
            flip if config.flip else lambda index, lab: lab, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        batches = stream.batch(context.get_per_replica_batch_size(config.batch_size), drop_remainder=True)
        return batches.map(_to_floats).prefetch(tf.data.AUTOTUNE)

    return make


def validation(data_dir: str, config: Config, count: int) -> DatasetFn:
    """Return what makes the validation input, for `distribute_datasets_from_function`: every example once.

    Returns:
        A function to batches of one replica as in `training`, and weights float32 ``[n]``: 1 for an example, 0 for the
        filling that makes all batches equally large.
    """

    def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
        examples = _examples(data_dir, "validation", config, count)
        filling = tf.data.Dataset.from_tensors(tf.zeros([config.size, config.size, 3], tf.uint8))
        weighed = examples.map(lambda lab: (lab, 1.0)).concatenate(
            filling.repeat(-count % config.batch_size).map(lambda lab: (lab, 0.0))
        )
        batches = weighed.shard(context.num_input_pipelines, context.input_pipeline_id).batch(
            context.get_per_replica_batch_size(config.batch_size), drop_remainder=True
        )
        return batches.map(lambda lab, weight: (*_to_floats(lab), weight)).prefetch(tf.data.AUTOTUNE)

    return make


def _fits(config: Config, count: int) -> bool:
    return count * config.size * config.size * 3 <= CACHE_BYTES


def _examples(data_dir: str, split: str, config: Config, count: int) -> tf.data.Dataset:
    """The split in the order of its records, as bytes, kept in memory when it is small."""
    examples = dataset.load(data_dir, split).map(_to_bytes, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.cache() if _fits(config, count) else examples


def _to_bytes(luminance: tf.Tensor, chroma: tf.Tensor) -> tf.Tensor:
    codes = tf.concat([luminance * 255.0, chroma * 128.0 + 128.0], axis=-1)
    return tf.cast(tf.round(codes), tf.uint8)


def _to_floats(lab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    codes = tf.cast(lab, tf.float32)
    return codes[..., :1] / 255.0, (codes[..., 1:] - 128.0) / 128.0
