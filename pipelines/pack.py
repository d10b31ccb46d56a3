"""The command ``autochrome pack``: a prepared set in, small files for machines that train without TensorFlow out."""

import hashlib
import itertools
import random
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from model import packs
from model.terminal import say
from pipelines import flags
from pipelines.dataset.described import described
from pipelines.files import cloud, faults, storage
from pipelines.runtime import commands
from tfrecords.color import Bytes, dequantize_chroma, dequantize_luminance, lab_to_srgb
from tfrecords.description import Description
from tfrecords.errors import UserError
from tfrecords.example import LabExample
from tfrecords.shards import read_records
from tfrecords.words import counted

_AT_A_TIME = 1024
"""Records that are in memory at once."""


def picture(example: LabExample, side: int, quality: int) -> bytes:
    """Return the picture of an example in WebP, reduced to `side` pixels as the trainer reduces it: its Lab codes."""
    codes = np.dstack([example.luminance, example.chroma])
    if side != len(codes):
        codes = np.asarray(cv2.resize(codes, (side, side), interpolation=cv2.INTER_AREA))
    return packs.encode(_srgb(codes), quality)


def _srgb(codes: Bytes) -> Bytes:
    luminance = dequantize_luminance(np.ascontiguousarray(codes[..., 0]))
    chroma = dequantize_chroma(np.ascontiguousarray(codes[..., 1:]))
    return lab_to_srgb(np.dstack([luminance, chroma]))


def _pictures(data_dir: str, description: Description, split: str, side: int, quality: int) -> Iterator[bytes]:
    """Yield the pictures of a split, in the order of its records.

    Raises:
        UserError: a shard is damaged.
    """
    with ThreadPoolExecutor() as pool:
        for shard in description.splits.get(split, []):
            try:
                with storage.opened(storage.join(data_dir, shard.name)) as file:
                    records = read_records(file)
                    while some := list(itertools.islice(records, _AT_A_TIME)):
                        # Parsed in this thread: protobuf makes its classes at the first use, and threads would race.
                        parsed = map(LabExample.from_bytes, some)
                        yield from pool.map(lambda example: picture(example, side, quality), parsed)
            except storage.io_errors() as error:
                raise UserError(
                    f"{shard.name} cannot be read ({faults.cause(error)}); "
                    f"run `autochrome inspect {shlex.quote(data_dir)} --verify`"
                ) from error


def _files(pictures: list[bytes], limit: int) -> list[list[bytes]]:
    """Return the pictures in groups whose files have at most `limit` bytes; a larger picture has its own file."""
    groups: list[list[bytes]] = []
    size = limit + 1
    for one in pictures:
        size += packs.encoded_size([len(one)]) - packs.encoded_size([])
        if size > limit:
            groups.append([])
            size = packs.encoded_size([len(one)])
        groups[-1].append(one)
    return groups


def _written(output: str, split: str, groups: list[list[bytes]]) -> list[packs.File]:
    found = []
    for index, group in enumerate(groups):
        name, data = packs.file_name(split, index, len(groups)), packs.encoded(group)
        storage.write_in(output, name, data)
        found.append(packs.File(name=name, count=len(group), bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
    return found


def pack(data_dir: str, output: str, *, side: int, quality: int, file_mib: int, seed: int) -> packs.Contents:
    """Write the packs of a prepared set.

    Training pictures are shuffled; held-out ones keep their order, of which training validates on the first.

    Args:
        data_dir: the prepared set, local or gs://.
        output: local folder, without packs.
        side: of the pictures; 0 keeps that of the set.
        quality: of WebP, from 1 to 100.
        file_mib: size of a file at most, in MiB.
        seed: of the order.

    Raises:
        UserError: there is no set, it is empty or has smaller pictures, a shard is damaged, or the output has packs or
            may not be written.
        WorldError: the disk is full or fails.
    """
    description = described(data_dir)
    if not description.count("train"):
        raise UserError(f"{data_dir} has no training examples; prepare more photos")
    side = side or description.size
    if side > description.size:
        raise UserError(f"{data_dir} holds pictures of {description.size} px; choose --side={description.size} or less")
    folder = Path(output)
    if packs.is_pack(folder):
        raise UserError(f"{output} has packs already; choose another --output, or delete it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        splits = {}
        for split in packs.SPLITS:
            pictures = list(_pictures(data_dir, description, split, side, quality))
            if split == "train":
                random.Random(seed).shuffle(pictures)
            splits[split] = _written(output, split, _files(pictures, file_mib << 20))
        contents = packs.Contents(
            size=side,
            splits=splits,
            source={"fingerprint": description.fingerprint, "size": description.size},
            settings={"quality": quality, "seed": seed},
            statistics=description.statistics,
        )
        named = {file.name for files in splits.values() for file in files}
        for left in folder.glob(f"*{packs.SUFFIX}"):  # of a run that was killed
            if left.name not in named:
                left.unlink()
        storage.write_in(output, packs.FILE_NAME, contents.to_json().encode())
        storage.sweep(output)
    except OSError as error:
        raise UserError(f"output {output} cannot be written: {error.strerror}") from error
    return contents


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome pack``; return 0."""
    args = flags.pack().parse_args(argv)
    cloud.check({"--data": args.data})
    made = pack(args.data, args.output, side=args.side, quality=args.quality, file_mib=args.file_mib, seed=args.seed)
    files = [file for files in made.splits.values() for file in files]
    photos = ", ".join(f"{made.count(split):,} {split}" for split in packs.SPLITS)
    size = sum(file.bytes for file in files) / 2**20
    say(f"{args.output}: {photos} pictures of {made.size} px, {size:.1f} MiB in {counted(len(files), 'file')}")
    say(f"next: python -m model.jax_train --data {shlex.quote(args.output)} --output run")
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.pack")
