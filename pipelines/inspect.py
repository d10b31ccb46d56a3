"""The command `autochrome inspect`: show and verify a data folder, without importing TensorFlow."""

import shlex
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from rich.text import Text

from model.terminal import printable, say, show
from pipelines import flags
from pipelines.dataset import rejected_lists
from pipelines.dataset.described import described
from pipelines.files import cloud, storage
from pipelines.files.faults import cause
from pipelines.flags import SAMPLE_FILE
from pipelines.runtime import commands
from pipelines.runtime.outcomes import DONE, REJECTED_FILE, print_table
from tfrecords.color import Bytes, dequantize_chroma, dequantize_luminance, lab_to_srgb, quantize_chroma
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError
from tfrecords.example import LabExample
from tfrecords.shards import Shard, checksum, is_shard, read_records
from tfrecords.words import counted, first

MISSING = "missing"
_NAMED = 3


def verify(data_dir: str, shard: Shard) -> str:
    """Read a whole shard, parse every record, and compare the shard with its description.

    Returns:
        what is wrong, or ''; MISSING if there is no such file.

    Raises:
        UserError: it may not be read.
        WorldError: the disk or the bucket fails.
    """
    path = storage.join(data_dir, shard.name)
    try:
        with storage.opened(path) as file:
            size, crc32c = checksum(iter(lambda: file.read(1 << 20), b""))
        if (size, crc32c) != (shard.bytes, shard.crc32c):
            return (
                f"{counted(size, 'byte')} with crc32c {crc32c:08x} instead of {shard.bytes:,} with {shard.crc32c:08x}"
            )
        with storage.opened(path) as file:
            number = len([LabExample.from_bytes(record).name for record in read_records(file)])
    except storage.io_errors() as error:
        if isinstance(error, ValueError):
            return str(error)
        if storage.size(path) < 0:
            return MISSING
        raise UserError(f"{path} cannot be read ({cause(error)}); allow it to be read, then start again") from error
    return "" if number == shard.count else f"{counted(number, 'record')} instead of {shard.count:,}"


def faults_of_set(data_dir: str, description: Description) -> list[str]:
    """Return what is wrong with a folder besides its shards: shards that it should not have, and its lists.

    Raises:
        WorldError: the folder cannot be listed.
    """
    known = {shard.name for shards in description.splits.values() for shard in shards}
    faults = []
    if unknown := sorted(name for name in storage.names(data_dir) if is_shard(name) and name not in known):
        faults.append(f"not named by {FILE_NAME}: {first(unknown, _NAMED)}; delete what is not yours")
    rejected = sum(number for key, number in description.outcomes.items() if key not in DONE)
    if (listed := rejected_lists.photos(data_dir)) != rejected:
        counts = f"{FILE_NAME} counts {counted(rejected, 'rejected photo')}"
        what = f"{REJECTED_FILE} is missing" if listed is None else f"{REJECTED_FILE} lists {listed:,}"
        faults.append(f"{what}, and {counts}; run the same `autochrome prepare` again")
    return faults


def sample(data_dir: str, description: Description, number: int) -> list[LabExample]:
    """Return the first examples of the shards, training first; shards are mixed, so any examples are representative.

    Raises:
        UserError: a shard cannot be read.
    """
    shards = [shard for split in description.splits.values() for shard in split]
    found: list[LabExample] = []
    for shard in shards:
        try:
            with storage.opened(storage.join(data_dir, shard.name)) as file:
                found += map(LabExample.from_bytes, islice(read_records(file), number - len(found)))
        except storage.io_errors() as error:
            raise UserError(
                f"{shard.name} cannot be read ({error}); run `autochrome inspect {shlex.quote(data_dir)} --verify`"
            ) from error
    return found


def contact_sheet(examples: list[LabExample], columns: int = 4) -> Bytes:
    """Return examples side by side, each as its luminance and in colour: uint8 ``[H, W, 3]``, sRGB."""
    tiles = [np.concatenate([_grey(example), _colour(example)], axis=1) for example in examples]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns if len(tiles) > columns else 0)
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _colour(example: LabExample) -> Bytes:
    luminance, chroma = dequantize_luminance(example.luminance), dequantize_chroma(example.chroma)
    return lab_to_srgb(np.dstack([luminance, chroma]))


def _grey(example: LabExample) -> Bytes:
    neutral = quantize_chroma(np.zeros(example.chroma.shape, np.float32))
    return _colour(replace(example, chroma=neutral))


def _summary(description: Description, faults: dict[str, str] | None) -> Table:
    table = Table()
    table.add_column("shard")
    table.add_column("examples", justify="right")
    table.add_column("MB", justify="right")
    table.add_column("crc32c")
    if faults is not None:
        table.add_column("verified")
    for shard in (shard for shards in description.splits.values() for shard in shards):
        figures = [f"{shard.count:,}", f"{shard.bytes / 1e6:,.1f}", f"{shard.crc32c:08x}"]
        verdict = [Text(printable(faults[shard.name] or "ok"))] if faults is not None else []
        table.add_row(Text(printable(shard.name)), *figures, *verdict)
    return table


def _synsets(examples: dict[str, int]) -> str:
    # Photos whose folder names no synset are counted under ''.
    number = sum(map(bool, examples))
    return f"; {counted(number, 'synset')}" if number else ""


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome inspect``; return 1 if ``--verify`` finds damage, else 0."""
    args = flags.inspect().parse_args(argv)
    cloud.check({"DIR": args.data})
    description = described(args.data)
    examples = sample(args.data, description, args.sample) if args.sample else []
    shards = [shard for split in description.splits.values() for shard in split]
    faults = {shard.name: verify(args.data, shard) for shard in shards} if args.verify else None
    console = Console()
    say(f"{args.data}: Lab records, {description.size} x {description.size}")
    show(_summary(description, faults), console)
    for split in description.splits:
        say(f"{split}: {counted(description.count(split), 'example')}")
    if statistics := description.statistics.get("train"):
        say(
            f"records: {statistics['record_bytes'] / max(1, statistics['examples']) / 1000:.1f} kB on average, "
            f"{statistics['largest_record'] / 1000:.1f} kB at most{_synsets(statistics['synsets'])}"
        )
    print_table("Inputs", description.outcomes, console)
    if examples:
        Image.fromarray(contact_sheet(examples)).save(SAMPLE_FILE)
        say(f"{SAMPLE_FILE}, row by row: {', '.join(example.name for example in examples)}")
    bad = {name: fault for name, fault in (faults or {}).items() if fault}
    if damaged := [name for name, fault in bad.items() if fault != MISSING]:
        which = "it" if len(damaged) == 1 else "them"
        what = f"damaged: {', '.join(damaged)}; delete {which}, and run the same `autochrome prepare` again"
        say(what, file=sys.stderr)
    if missing := [name for name, fault in bad.items() if fault == MISSING]:
        say(f"missing: {', '.join(missing)}; run the same `autochrome prepare` again", file=sys.stderr)
    others = faults_of_set(args.data, description) if args.verify else []
    for line in others:
        say(line, file=sys.stderr)
    return 1 if bad or others else 0


if __name__ == "__main__":
    commands.run_module("pipelines.inspect")
