"""The job of `autochrome prepare`: a folder of photos becomes Lab TFRecords in another folder.

The job is `FindPhotos` → `PreparePhotos`, which can also be used in other pipelines.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

import apache_beam as beam
from rich.console import Console

from model.terminal import say
from pipelines.dataset import partitions, rejected_lists, rejections
from pipelines.dataset.prepare_photos import CLAIM_FILE, CLEARED_FILE, PreparePhotos, Settings
from pipelines.dataset.sharding import PARTITIONS_FILE
from pipelines.files import storage, writable
from pipelines.files.find_photos import FindPhotos
from pipelines.files.list_parts import PLAIN, ListOptions, lists_of
from pipelines.runtime import outcomes, resource_hints, runners
from pipelines.runtime.outcomes import REJECTED_FILE, print_table
from pipelines.runtime.partition import WHOLE
from pipelines.runtime.progress import watched
from tfrecords.description import FILE_NAME, Description
from tfrecords.shards import SPLITS
from tfrecords.words import counted

_FOR = {"train": "training", "validation": "validation"}


@dataclass(eq=False)
class Prepare(beam.PTransform):
    """Run the whole job: root → the `Description` of the set.

    Attributes:
        input: folder, file or glob; or several; checked.
        photos: makes the records.
        lists: how lists are read.
        exclude: globs of names that are ignored.
    """

    input: str | Sequence[str]
    photos: PreparePhotos
    _: KW_ONLY
    lists: ListOptions = PLAIN
    exclude: Sequence[str] = ()

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[Description]:
        """Apply the steps."""
        # The photos of a partition are known, and reported, when all photos are listed.
        on_found = self.photos.ticker.listed if self.photos.partition == WHOLE else None
        found = FindPhotos(self.input, lists=self.lists, on_found=on_found, exclude=self.exclude, is_checked=True)
        photos = root | found
        return photos | replace(self.photos, ignored=found.ignored)


def run(args: argparse.Namespace, beam_flags: Sequence[str]) -> None:
    """Run the job, whose input and output have been checked.

    Args:
        args: the flags of the command (`pipelines.flags.prepare`).
        beam_flags: Beam's flags.

    Raises:
        UserError: a flag is wrong, or a worker found an error that the user can correct.
        JobFailedError: the job failed.
    """
    options = runners.beam_options(beam_flags)
    threads = runners.threads(beam_flags, options) if runners.is_local(options) else 0
    settings = Settings(size=args.size, num_shards=args.num_shards, validation_percent=args.validation_percent)
    partitions.check(args.partition, args.output, overwrite=args.overwrite)
    writable.check(args.output, own=(CLAIM_FILE, CLEARED_FILE, PARTITIONS_FILE))
    with watched("preparing", enabled=runners.is_local(options)) as ticker:
        asked = resource_hints.of(options)
        photos = PreparePhotos(
            args.output,
            settings,
            overwrite=args.overwrite,
            threads=threads,
            ticker=ticker,
            hints=asked,
            partition=args.partition,
        )
        runners.run(Prepare(args.input, photos, lists=lists_of(args), exclude=args.exclude), options)
    if runners.is_local(options) and args.partition != WHOLE and partitions.is_waiting(args.output):
        title = f"Prepared partition {args.partition} of {', '.join(args.input)}"
        print_table(title, partitions.counts(args.output, args.partition), Console())
    elif runners.is_local(options):
        path = storage.join(args.output, FILE_NAME)
        description = Description.from_json(storage.read(path).decode(), path)
        print_table(f"Prepared {', '.join(args.input)}", description.outcomes, Console())
        counts = {split: counted(description.count(split), "example") for split in SPLITS}
        splits = ", ".join(f"{counts[split]} for {_FOR[split]}" for split in SPLITS)
        kept = ("written", "ignored")
        rejected = {reason: number for reason, number in description.outcomes.items() if reason not in kept}
        names = rejected_lists.SHARDS if rejections.shard_count(rejected) else REJECTED_FILE
        say(f"{path}: {splits}; rejected photos and why: {storage.join(args.output, names)}")
        if description.count("train"):
            say(f"next: {shlex.join(['autochrome', 'train', '--data', args.output, '--output', 'run'])}")
        if line := outcomes.nothing_made(description.outcomes):
            say(f"autochrome: {line}; {storage.join(args.output, names)} says why", file=sys.stderr)
