"""The job that makes Lab TFRecords of a folder of photos, leaving out those that teach no colour.

list → give every photo its shard by a hash of its name → group → each shard reads, judges, converts and writes its own
file → describe the whole. Only names cross the shuffle; pixels never do.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import apache_beam as beam
import cv2
from apache_beam.pvalue import AsSingleton
from rich.console import Console

from model.commands import Parser
from pipelines import commands, runners, sources, storage
from pipelines.convert import to_example
from pipelines.outcomes import REJECTED_FILE, Outcome, Rejected, count, print_table, to_jsonl
from pipelines.plan import Slot, order, shard_count, slot
from pipelines.progress import SILENT, Ticker, watched
from pipelines.sources import FindSources, Source
from tfrecords.description import FILE_NAME, SPLITS, Description
from tfrecords.errors import UserError
from tfrecords.shards import Shard, ShardWriter, shard_name


@dataclass(frozen=True)
class Settings:
    """What shapes the records.

    Attributes:
        size: side of the stored pictures, in pixels.
        num_shards: of the training split; 0 leaves it to ``plan.shard_count``.
        validation_percent: how many of a hundred photos are held out.
    """

    size: int = 256
    num_shards: int = 0
    validation_percent: float = 5.0


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard's photos.

    Attributes:
        split: the split it belongs to.
        shard: the file written, which is empty when every photo was rejected.
        rejected: the outcomes of the photos left out.
    """

    split: str
    shard: Shard
    rejected: list[Outcome]


def write_shard(grouped: tuple[Slot, Iterable[Source]], output: str, settings: Settings, ticker: Ticker) -> ShardResult:
    """Reads, judges, converts and writes the photos of one shard, which appears whole or not at all.

    Raises:
        OSError, BeamIOError: the shard cannot be written.
    """
    cv2.setNumThreads(1)  # the runner has a worker a core
    place, photos = grouped
    name = shard_name(place.split, place.index, place.total)
    rejected: list[Outcome] = []
    with storage.whole_file(storage.join(output, name)) as file:
        writer = ShardWriter(file)
        for source in sorted(photos, key=lambda source: order(source.name)):
            outcome = _write_photo(source, writer, settings.size)
            if outcome.status == "rejected":
                rejected.append(outcome)
            count(outcome)
            ticker.done(outcome.status)
    return ShardResult(place.split, writer.finished(name), rejected)


def _write_photo(source: Source, writer: ShardWriter, size: int) -> Outcome:
    try:
        data = source.read()
    except storage.IO_ERRORS as error:
        return Outcome(source.name, "rejected", "unreadable", str(error), source.uri)
    try:
        writer.write(to_example(data, source.name, size).to_bytes())
    except Rejected as verdict:
        return Outcome(source.name, "rejected", verdict.reason, verdict.detail, source.uri)
    return Outcome(source.name, "written", uri=source.uri)


def describe(results: list[ShardResult], settings: Settings) -> Description:
    """The description of the set that the shards make up."""
    shards = sorted((r.split, r.shard.name, r.shard) for r in results)
    outcomes = Counter(outcome.key for result in results for outcome in result.rejected)
    outcomes["written"] = sum(shard.count for _, _, shard in shards)
    return Description(
        size=settings.size,
        splits={split: [shard for of, _, shard in shards if of == split] for split in SPLITS},
        settings=asdict(settings),
        outcomes=dict(sorted(outcomes.items())),
    )


def _finish(results: list[ShardResult], output: str, settings: Settings) -> None:
    rejected = [outcome for result in results for outcome in result.rejected]
    storage.write(storage.join(output, REJECTED_FILE), to_jsonl(rejected))
    storage.write(storage.join(output, FILE_NAME), describe(results, settings).to_json().encode())


@dataclass(eq=False)
class Prepare(beam.PTransform):
    """The whole job: photos below ``input`` become shards and ``dataset.json`` in ``output``."""

    input: str
    output: str
    settings: Settings = Settings()
    ticker: Ticker = SILENT

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Builds the graph."""
        photos = root | "Find" >> FindSources(self.input, self.ticker)
        number = photos | "Count" >> beam.combiners.Count.Globally()
        return (
            photos
            | "Place" >> beam.Map(self._place, AsSingleton(number))
            | "Group" >> beam.GroupByKey()
            | "Write shards" >> beam.Map(write_shard, self.output, self.settings, self.ticker)
            | "Gather" >> beam.combiners.ToList()
            | "Describe" >> beam.Map(_finish, self.output, self.settings)
        )

    def _place(self, source: Source, photos: int) -> tuple[Slot, Source]:
        shards = self.settings.num_shards or shard_count(photos)
        return slot(source.name, shards, self.settings.validation_percent), source


def _parser() -> Parser:
    parser = Parser(
        "prepare",
        "--input DIR_OR_GLOB --output DIR [flags] [Beam flags]",
        "Make Lab TFRecords of a folder of photos; grey and toned ones are left out.",
        "autochrome prepare --input imagenet/train --output records",
    )
    paths = parser.add_argument_group("paths (local or gs://)")
    paths.add_argument("--input", required=True, metavar="DIR_OR_GLOB", help="photos, with all subfolders")
    paths.add_argument("--output", required=True, metavar="DIR", help="where shards and dataset.json go")
    records = parser.add_argument_group("records")
    records.add_argument("--size", type=commands.positive, default=256, help="side in pixels (256)")
    records.add_argument(
        "--num_shards", type=commands.positive, default=0, metavar="N", help="training files (one per 1,024 photos)"
    )
    records.add_argument(
        "--validation_percent", type=float, default=5.0, metavar="P", help="held out, by a hash of the name (5)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs ``autochrome prepare``."""
    args, beam_flags = _parser().parse_known_args(argv)
    options = runners.beam_options(beam_flags)
    if args.size % 8 or args.size > 2048:
        raise UserError(f"--size {args.size} must be a multiple of 8, at most 2048")
    if not 0 <= args.validation_percent < 100:
        raise UserError(f"--validation_percent {args.validation_percent} must be at least 0 and below 100")
    sources.check_any(args.input)
    storage.check_writable(args.output)
    settings = Settings(args.size, args.num_shards, args.validation_percent)
    with watched("preparing", enabled=runners.is_local(options)) as ticker:
        runners.run(Prepare(args.input, args.output, settings, ticker), options)
    if runners.is_local(options):
        path = storage.join(args.output, FILE_NAME)
        description = Description.from_json(storage.read(path).decode(), path)
        print_table(f"Prepared {args.input}", description.outcomes, Console())
        splits = ", ".join(f"{description.count(split):,} to {split}" for split in SPLITS)
        print(f"{path}: {splits}; rejected photos and why: {storage.join(args.output, REJECTED_FILE)}")
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.prepare")
