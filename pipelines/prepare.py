"""The job that makes Lab TFRecords of a folder of photos, leaving out those that teach no colour.

list → mark duplicates → give every photo its shard by a hash of its name → group → each shard reads, judges, converts
and writes its own file → describe the whole. Only names cross a shuffle; pixels never do.
"""

import shlex
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial, reduce
from operator import add

import apache_beam as beam
from apache_beam.pvalue import AsSingleton
from rich.console import Console

from model.terminal import say
from pipelines import flags
from pipelines.dataset import claim, shard_writer
from pipelines.dataset.claim import Claim, Clearing, Listing, Summarize
from pipelines.dataset.duplicates import MarkDuplicates
from pipelines.dataset.examples import convert
from pipelines.dataset.shard_writer import ShardReport
from pipelines.dataset.sharding import Slot, shard_count, slot
from pipelines.files import cloud, input_checks, storage, writable
from pipelines.files.sources import FindSources, Source
from pipelines.runtime import commands, resource_hints, runners
from pipelines.runtime.outcomes import REJECTED_FILE, print_table, tally, to_jsonl
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import SILENT, Ticker, watched
from tfrecords.description import FILE_NAME, Description
from tfrecords.shards import SPLITS, is_shard
from tfrecords.statistics import Statistics

CLAIM_FILE = f"{shard_writer.FOLDER}/claim.json"
_FOR = {"train": "training", "validation": "validation"}
CLEARED_FILE = f"{shard_writer.FOLDER}/cleared_by"


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


def describe(finished: list[ShardReport], settings: Settings, sources: Listing) -> Description:
    """The description of the set that the parts make up."""
    by_name = sorted(finished, key=lambda part: part.shard.name)
    outcomes = tally(outcome for part in finished for outcome in part.rejected)
    outcomes["written"] = sum(part.shard.count for part in finished)
    statistics = {
        split: reduce(add, (part.statistics for part in by_name if part.split == split), Statistics())
        for split in SPLITS
    }
    return Description(
        size=settings.size,
        splits={split: [part.shard for part in by_name if part.split == split] for split in SPLITS},
        settings=asdict(settings),
        outcomes=dict(sorted(outcomes.items())),
        sources=asdict(sources),
        statistics={split: one.to_dict() for split, one in statistics.items()},
    )


def _finish(finished: list[ShardReport], sources: Listing, output: str, settings: Settings) -> None:
    rejected = [outcome for part in finished for outcome in part.rejected]
    storage.write_in(output, REJECTED_FILE, to_jsonl(rejected))
    storage.write_in(output, FILE_NAME, describe(finished, settings, sources).to_json().encode())
    marker = storage.join(output, CLEARED_FILE)
    if storage.size(marker) >= 0:
        storage.remove([marker])
    for folder in (output, storage.join(output, shard_writer.FOLDER)):
        storage.sweep(folder)


def _clear(output: str) -> None:
    """Removes what an earlier run wrote but for its claim, and nothing else."""
    # First what says that the set is whole: a kill must not leave a description of shards that are gone.
    storage.remove([storage.join(output, name) for name in (FILE_NAME, REJECTED_FILE)])
    for folder, ending in ((storage.join(output, shard_writer.FOLDER), ".json"), (output, "")):
        names = (name for name in storage.names(folder) if name.endswith(ending))
        storage.remove([storage.join(folder, name) for name in names if is_shard(name.removesuffix(ending))])


class _WriteShards(beam.DoFn):
    """A shard's place and its photos → ShardReport."""

    def __init__(self, output: str, size: int, ticker: Ticker) -> None:
        self._output = output
        self._size = size
        self._ticker = ticker

    def setup(self) -> None:
        self._processes = PhotoProcesses(convert)

    def process(self, grouped: tuple[Slot, Iterable[Source]]) -> Iterator[ShardReport]:
        yield shard_writer.finish(grouped, self._output, self._size, self._ticker, self._processes)

    def teardown(self) -> None:
        self._processes.close()


@dataclass(eq=False)
class Prepare(beam.PTransform):
    """The whole job: photos below ``input`` become shards and ``dataset.json`` in ``output``.

    Killed and started again it goes on where it was; ``overwrite`` clears away what another run left.

    Attributes:
        input: folder, file or glob; or several.
        output: the folder.
        settings: what shapes the records.
        overwrite: whether to clear the output first.
        ticker: to be told of every photo.
        hints: what the stage that converts photos asks of its machines.
        run: a number that no other run has; a runner that starts the job again keeps it.
    """

    input: str | Sequence[str]
    output: str
    settings: Settings = Settings()
    overwrite: bool = False
    ticker: Ticker = SILENT
    hints: dict[str, str] = field(default_factory=dict)
    run: str = field(default_factory=lambda: uuid.uuid4().hex)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Builds the graph."""
        photos = root | "Find" >> FindSources(self.input, self.ticker.listed)
        listing = photos | "Summarize" >> Summarize() | "Claim" >> beam.Map(self._claim)
        finished = (
            photos
            | "Duplicates" >> MarkDuplicates()
            # Nothing is written before the claim stands: the listing that it yields is waited for here.
            | "Place" >> beam.Map(self._place, AsSingleton(listing))
            | "Group" >> beam.GroupByKey()
            | "Write shards"
            >> beam.ParDo(_WriteShards(self.output, self.settings.size, self.ticker)).with_resource_hints(**self.hints)
            | "Gather" >> beam.combiners.ToList()
        )
        return finished | "Describe" >> beam.Map(_finish, AsSingleton(listing), self.output, self.settings)

    def _claim(self, listing: Listing) -> Listing:
        self.ticker.all_listed()
        path = storage.join(self.output, CLAIM_FILE)
        clearing = Clearing(self.run, storage.join(self.output, CLEARED_FILE), partial(_clear, self.output))
        mine = Claim(asdict(self.settings), listing)
        claim.stake(path, mine, clearing=clearing if self.overwrite else None)
        return listing

    def _place(self, source: Source, listing: Listing) -> tuple[Slot, Source]:
        shards = self.settings.num_shards or shard_count(listing.photos)
        return slot(source.name, shards, self.settings.validation_percent), source


def main(argv: list[str] | None = None) -> int:
    """Runs ``autochrome prepare``."""
    args, beam_flags = flags.prepare().parse_known_args(argv)
    options = runners.beam_options(beam_flags)
    runners.check_reach(options, input=args.input, output=args.output)
    input_checks.check_any(args.input)
    cloud.check({"--output": args.output})
    input_checks.check_apart(args.input, args.output)
    writable.check(args.output, own=(CLAIM_FILE, CLEARED_FILE))
    settings = Settings(args.size, args.num_shards, args.validation_percent)
    with watched("preparing", enabled=runners.is_local(options)) as ticker:
        asked = resource_hints.of(options)
        runners.run(Prepare(args.input, args.output, settings, args.overwrite, ticker, asked), options)
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
