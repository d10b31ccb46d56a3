"""The prepared set as the trainer sees it: an endless, seeded stream of examples, cut into global batches.

Batch k holds examples k B … k B + B - 1 of the stream under every strategy and number of replicas, so a run can stop at
any step and go on at the next, here or on other devices. Each pass over the set is shuffled again; no example is
dropped between passes. Pictures are reduced once to the side that the crops need, and travel as bytes (uint8
``[s, s, 3]``: luminance, a, b) with their places in the stream; the device that trains makes examples of them
(`model.augment`).

A set that fits in memory is decoded once, by every worker whole, and shared out by example. A larger one is read again
in each pass, shards interleaved in a new order, and shared out by file: each worker reads only its own shards, so there
the batches do depend on the number of workers (not on the replicas of a worker).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from model import augment
from model.config import Config
from tfrecords import dataset
from tfrecords.description import Description
from tfrecords.errors import UserError

CACHE_BYTES = 2**30
SHUFFLE_BUFFER = 2048
INTERLEAVED_SHARDS = 16
VALIDATION_EXAMPLES = 2048
"""Held-out examples that training validates on, the first ones: enough to see a change, few enough to do it often."""

SHARDS, RECORDS = 1, 2
"""What random numbers are used for; folded into the seed, so that no use repeats the numbers of another."""

DatasetFn = Callable[[tf.distribute.InputContext], tf.data.Dataset]


def describe(data_dir: str, config: Config) -> Description:
    """Return the description of a prepared set that `config` can be trained on.

    Raises:
        UserError: there is none, it has no training examples, or its pictures are smaller than the network sees.
    """
    description = dataset.read_description(data_dir)
    if not description.count("train"):
        raise UserError(f"{data_dir} has no training examples; prepare more photos")
    if description.size < config.resolution:
        raise UserError(
            f"{data_dir} holds pictures of {description.size} px, and configuration {config.name} sees "
            f"{config.resolution} px; prepare with --size={config.resolution} or more"
        )
    return description


def validation_count(description: Description) -> int:
    """Return how many examples `validation` gives."""
    return min(VALIDATION_EXAMPLES, description.count("validation"))


def training(data_dir: str, config: Config, description: Description, step: int) -> DatasetFn:
    """Return what makes the endless training input from batch `step` on, for `distribute_datasets_from_function`.

    Args:
        data_dir: the prepared set.
        config: gives the batch size, the resolution, the seed, crops, flips and film.
        description: of the set.
        step: how many batches were used already.

    Returns:
        A function to batches of one replica: pictures uint8 ``[n, S, S, 3]``, and their places in the stream uint32
        ``[n, 2]``, as `model.augment` takes them.
    """

    def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
        picture = _picture(description.size, _stored_side(config, description))
        stream = _stream(data_dir, config, description, step, context, picture)
        batch_size = context.get_per_replica_batch_size(config.batch_size)
        return stream.batch(batch_size, drop_remainder=True).map(_placed).prefetch(tf.data.AUTOTUNE)

    return make


def names(
    data_dir: str, config: Config, description: Description, step: int, context: tf.distribute.InputContext
) -> list[str]:
    """Return the names of the examples that this worker's share of batch `step` holds."""
    features = {"name": tf.io.FixedLenFeature([], tf.string)}

    def name(record: tf.Tensor) -> tf.Tensor:
        return tf.io.parse_single_example(record, features)["name"]

    stream = _stream(data_dir, config, description, step, context, name)
    share = stream.take(config.batch_size // context.num_input_pipelines)
    return [name.decode(errors="replace") for _, name in share.as_numpy_iterator()]


def validation(data_dir: str, config: Config, description: Description) -> DatasetFn:
    """Return what makes the validation input, for `distribute_datasets_from_function`: every example once, uncut.

    Returns:
        A function to batches of one replica as in `training`, and weights float32 ``[n]``: 1 for an example, 0 for the
        filling that makes all batches equally large.
    """
    count = validation_count(description)
    side = config.resolution

    def make(context: tf.distribute.InputContext) -> tf.data.Dataset:
        records = tf.data.TFRecordDataset(dataset.shard_paths(data_dir, description, "validation")).take(count)
        pictures = _mapped(records, _picture(description.size, side)).cache()
        filling = tf.data.Dataset.from_tensors(tf.zeros([side, side, 3], tf.uint8))
        weighed = pictures.map(lambda lab: (lab, 1.0)).concatenate(
            filling.repeat(-count % config.batch_size).map(lambda lab: (lab, 0.0))
        )
        batches = weighed.shard(context.num_input_pipelines, context.input_pipeline_id).batch(
            context.get_per_replica_batch_size(config.batch_size), drop_remainder=True
        )
        return batches.map(_weighed).prefetch(tf.data.AUTOTUNE)

    return make


def _stored_side(config: Config, description: Description) -> int:
    """Return the side of training pictures: if the set is large enough, the smallest crop has the network's side."""
    return min(description.size, math.ceil(config.resolution / config.crop))


def _fits(config: Config, description: Description) -> bool:
    return description.count("train") * _stored_side(config, description) ** 2 * 3 <= CACHE_BYTES


def _stream(
    data_dir: str,
    config: Config,
    description: Description,
    step: int,
    context: tf.distribute.InputContext,
    parse: Callable[[tf.Tensor], tf.Tensor],
) -> tf.data.Dataset:
    """Return this worker's share of the stream from batch `step` on: pairs of place in the stream and parsed record."""
    workers, worker = context.num_input_pipelines, context.input_pipeline_id
    paths, counts = (
        dataset.shard_paths(data_dir, description, "train"),
        [shard.count for shard in description.splits["train"]],
    )
    fits = _fits(config, description)
    by_file = not fits and all(sum(counts[index::workers]) for index in range(workers))
    if by_file:
        paths, counts = paths[worker::workers], counts[worker::workers]
    count, used = sum(counts), step * config.batch_size // (workers if by_file else 1)
    first_pass, offset = divmod(used, count)

    def parsed(records: tf.data.Dataset) -> tf.data.Dataset:
        return records.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    cached = parsed(tf.data.TFRecordDataset(paths)).cache()

    def one_pass(number: tf.Tensor) -> tf.data.Dataset:
        of_shards, of_records = _order_seeds(config, number)
        if fits:
            return cached.shuffle(count, seed=of_records, reshuffle_each_iteration=False)
        files = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths), of_shards, reshuffle_each_iteration=False)
        records = files.interleave(
            tf.data.TFRecordDataset,
            cycle_length=INTERLEAVED_SHARDS,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return records.shuffle(SHUFFLE_BUFFER, seed=of_records, reshuffle_each_iteration=False)

    stream = tf.data.Dataset.range(first_pass, tf.int64.max).flat_map(one_pass).skip(offset)
    if not fits:
        stream = parsed(stream)
    if by_file:
        return stream.enumerate(start=used).map(lambda place, example: (place * workers + worker, example))
    return stream.enumerate(start=used).shard(workers, worker)


def _seed(config: Config, number: tf.Tensor, use: int) -> tf.Tensor:
    """Return the seed of one use of random numbers in pass `number`, int64 ``[2]``."""
    both = tf.stack([tf.constant(config.seed, tf.int64), number])
    return tf.random.experimental.stateless_fold_in(both, tf.constant(use, tf.int64))


def _order_seeds(config: Config, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the seeds by which pass `number` shuffles the shards and the records, int64 scalars."""
    of_shards, of_records = (
        tf.random.stateless_uniform([], _seed(config, number, use), None, None, tf.int64) for use in (SHARDS, RECORDS)
    )
    return of_shards, of_records


def _weighed(pictures: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the luminance and chroma of pictures, and their weights."""
    scaled = augment.floats(pictures)
    return scaled[..., :1], scaled[..., 1:], weight


def _placed(place: tf.Tensor, pictures: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return pictures and the lower and upper halves of their places."""
    return pictures, tf.stack([tf.cast(place % 2**32, tf.uint32), tf.cast(place // 2**32, tf.uint32)], axis=-1)


def _mapped(stream: tf.data.Dataset, function: Callable[..., Any]) -> tf.data.Dataset:
    return stream.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _picture(size: int, side: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from a record of ``size`` px to its picture, uint8 ``[side, side, 3]``."""

    def picture(record: tf.Tensor) -> tf.Tensor:
        codes = dataset.codes(record, size)
        if side == size:
            return codes
        return tf.cast(tf.round(tf.image.resize(codes, [side, side], tf.image.ResizeMethod.AREA)), tf.uint8)

    return picture
