"""A prepared set as ``tf.data``."""

import contextlib
import shlex
from collections.abc import Iterator

import tensorflow as tf

from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import DeniedError, OutageError, UserError, WorldError
from tfrecords.shards import SPLITS, checksum
from tfrecords.words import counted

# The path does not exist, leads through a file, or is a folder.
_MISSING = (tf.errors.NotFoundError, tf.errors.FailedPreconditionError, tf.errors.InvalidArgumentError)
_CHUNK = 1 << 20
_FEATURES = {
    "luminance": tf.io.FixedLenFeature([], tf.string),
    "chroma": tf.io.FixedLenFeature([], tf.string),
}


def read_description(data_dir: str) -> Description:
    """Read and check the description of a prepared set, in a folder or a bucket.

    Raises:
        UserError: there is no ``dataset.json``, it is not one of ours, or a shard it names is missing or has another
            size.
        DeniedError: access is denied.
        OutageError: the disk or the bucket does not answer.
    """
    path = tf.io.gfile.join(data_dir, FILE_NAME)
    data: bytes | None = None
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            data = file.read()
    except _MISSING:
        pass  # `Description.of_folder` reports it
    except tf.errors.OpError as error:
        raise of_the_world(path, error) from error
    description = Description.of_folder(data_dir, data)
    for shard in (shard for shards in description.splits.values() for shard in shards):
        shard_path = tf.io.gfile.join(data_dir, shard.name)
        try:
            found = tf.io.gfile.stat(shard_path).length
        except _MISSING as error:
            raise UserError(f"{shard_path} is missing; run the same `autochrome prepare` again") from error
        except tf.errors.OpError as error:
            raise of_the_world(shard_path, error) from error
        if found != shard.bytes:
            raise UserError(
                f"{shard_path} has {counted(found, 'byte')}, not {shard.bytes:,}; "
                "run the same `autochrome prepare` again"
            )
    return description


def of_the_world(path: str, error: tf.errors.OpError) -> WorldError:
    """Return the error for a file that may exist but cannot be read."""
    cause = error.message.partition("\n")[0]
    if isinstance(error, (tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError)):
        return DeniedError(f"{path}: access is denied ({cause}); grant access, then start again")
    return OutageError(f"{path} cannot be read ({cause}); start again when it can")


def shard_paths(data_dir: str, description: Description, split: str) -> list[str]:
    """Return the paths of a split's shards, in order."""
    return [tf.io.gfile.join(data_dir, shard.name) for shard in description.splits[split]]


def parse(record: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn one serialized example into the network's input and target (the paper's X and Y).

    Args:
        record: scalar string.
        size: side S of the stored picture.

    Returns:
        luminance float32 ``[S, S, 1]`` in [0, 1] and chroma float32 ``[S, S, 2]``, ab / 128, in [-1, 1).
    """
    found = tf.cast(codes(record, size), tf.float32)
    return found[..., :1] / 255.0, (found[..., 1:] - 128.0) / 128.0


def codes(record: tf.Tensor, size: int) -> tf.Tensor:
    """Return the luminance and chroma of one serialized example as they are stored.

    Args:
        record: scalar string.
        size: side S of the stored picture.

    Returns:
        uint8 ``[S, S, 3]``: L* 2.55, a + 128, b + 128.
    """
    fields = tf.io.parse_single_example(record, _FEATURES)
    luminance = tf.reshape(tf.io.decode_raw(fields["luminance"], tf.uint8), [1, size, size])
    planes = tf.io.decode_jpeg(fields["chroma"], channels=1, dct_method="INTEGER_ACCURATE")
    return tf.transpose(tf.concat([luminance, tf.reshape(planes, [2, size, size])], axis=0), [1, 2, 0])


@contextlib.contextmanager
def damage_named(data_dir: str) -> Iterator[None]:
    """Name the damaged shard if the block cannot read the set; this reads the whole set.

    Raises:
        UserError: a shard does not have the checksum that ``dataset.json`` says.
    """
    try:
        yield
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
        description = read_description(data_dir)
        for shard in (shard for shards in description.splits.values() for shard in shards):
            path = tf.io.gfile.join(data_dir, shard.name)
            with tf.io.gfile.GFile(path, "rb") as file:
                _, crc32c = checksum(iter(lambda file=file: file.read(_CHUNK), b""))  # type: ignore[misc]
            if crc32c != shard.crc32c:
                raise UserError(
                    f"{path} is damaged: its checksum is not the one in {FILE_NAME}; run `autochrome inspect "
                    f"{shlex.quote(data_dir)} --verify`, delete what it names, and run the same `autochrome prepare` "
                    "again"
                ) from error
        raise


def load(data_dir: str, split: str, *, shuffle_seed: int | None = None, cycle_length: int = 16) -> tf.data.Dataset:
    """Return the examples of a split, once each, unbatched.

    Args:
        data_dir: folder or bucket prefix that ``prepare`` wrote.
        split: ``train`` or ``validation``.
        shuffle_seed: shuffles the order of the shards and then the records among 2,048; the same seed gives the same
            order. None keeps the order in which they were written.
        cycle_length: how many shards are read side by side when shuffling.

    Returns:
        pairs of luminance float32 ``[S, S, 1]`` in [0, 1], L* / 100, and chroma float32 ``[S, S, 2]`` in [-1, 1),
        ab / 128. Its `element_spec` has these shapes, S being the side of the set's pictures. A damaged shard raises
        `tf.errors.DataLossError` when it is read; `damage_named` makes a `UserError` of it that names the shard.

    Raises:
        UserError: the folder holds no complete set, or the split is unknown or empty.
        DeniedError: access is denied.
        OutageError: the disk or the bucket does not answer.

    Example:
        >>> for luminance, chroma in load("records", "train", shuffle_seed=0).batch(16):
        ...     ...
    """
    description = read_description(data_dir)
    if split not in SPLITS:
        raise UserError(f"split {split!r} is unknown; choose {' or '.join(SPLITS)}")
    if not description.count(split):
        raise UserError(f"{data_dir} has no {split} examples; prepare more photos or change --validation_percent")
    paths = shard_paths(data_dir, description, split)
    files = tf.data.Dataset.from_tensor_slices(paths)
    if shuffle_seed is None:
        records = files.interleave(tf.data.TFRecordDataset, cycle_length=1)
    else:
        records = (
            files.shuffle(len(paths), seed=shuffle_seed)
            .interleave(tf.data.TFRecordDataset, cycle_length=cycle_length, num_parallel_calls=tf.data.AUTOTUNE)
            .shuffle(2048, seed=shuffle_seed)
        )
    return records.map(lambda record: parse(record, description.size), num_parallel_calls=tf.data.AUTOTUNE)


def synsets(data_dir: str, split: str) -> tf.data.Dataset:
    """Return the WordNet ids of a split's examples, as scalar strings, in the order of `load`; empty without one."""
    files = tf.data.Dataset.from_tensor_slices(shard_paths(data_dir, read_description(data_dir), split))
    feature = {"synset": tf.io.FixedLenFeature([], tf.string, "")}
    records = files.interleave(tf.data.TFRecordDataset, cycle_length=1)
    return records.map(lambda record: tf.io.parse_single_example(record, feature)["synset"])
