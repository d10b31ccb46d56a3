"""The command `autochrome prepare`: make Lab TFRecords from a folder of photos.

The job is `FindPhotos` → `PreparePhotos`, which can also be used in other pipelines.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
from rich.console import Console

from model.terminal import say
from pipelines import flags
from pipelines.dataset.prepare_photos import CLAIM_FILE, CLEARED_FILE, PreparePhotos, Settings
from pipelines.files import cloud, input_checks, storage, writable
from pipelines.files.find_photos import FindPhotos
from pipelines.runtime import commands, resource_hints, runners
from pipelines.runtime.outcomes import REJECTED_FILE, print_table
from pipelines.runtime.progress import watched
from tfrecords.description import FILE_NAME, Description
from tfrecords.shards import SPLITS

_FOR = {"train": "training", "validation": "validation"}


@dataclass(eq=False)
class Prepare(beam.PTransform):
    """Run the whole job: root → the `Description` of the set.

    Attributes:
        input: folder, file or glob; or several.
        photos: makes the records.
    """

    input: str | Sequence[str]
    photos: PreparePhotos

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[Description]:
        """Apply the steps."""
        return root | FindPhotos(self.input, self.photos.ticker.listed) | self.photos


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome prepare``."""
    args, beam_flags = flags.prepare().parse_known_args(argv)
    options = runners.beam_options(beam_flags)
    runners.check_reach(options, input=args.input, output=args.output)
    settings = Settings(args.size, args.num_shards, args.validation_percent)
    input_checks.check_any(args.input)
    cloud.check({"--output": args.output})
    input_checks.check_apart(args.input, args.output)
    writable.check(args.output, own=(CLAIM_FILE, CLEARED_FILE))
    with watched("preparing", enabled=runners.is_local(options)) as ticker:
        asked = resource_hints.of(options)
        photos = PreparePhotos(args.output, settings, args.overwrite, ticker, asked)
        runners.run(Prepare(args.input, photos), options)
    if runners.is_local(options):
        path = storage.join(args.output, FILE_NAME)
        description = Description.from_json(storage.read(path).decode(), path)
        print_table(f"Prepared {', '.join(args.input)}", description.outcomes, Console())
        splits = ", ".join(f"{description.count(split):,} examples for {_FOR[split]}" for split in SPLITS)
        say(f"{path}: {splits}; rejected photos and why: {storage.join(args.output, REJECTED_FILE)}")
        say(f"next: {shlex.join(['autochrome', 'train', '--data', args.output, '--output', 'run'])}")
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.prepare")
