"""`PreparePhotos`: make Lab TFRecords from photos, leaving out those that teach no colour.

The job marks duplicates, assigns each photo to a shard by a hash of its name, and groups them. Each shard then reads,
judges, converts and writes its own file, and the set is described. Only names cross a shuffle; pixels never do.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from functools import partial, reduce
from operator import add

import apache_beam as beam
from apache_beam.pvalue import AsSingleton
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.dataset import claim, partitions, rejected_lists, shard_writer
from pipelines.dataset.claim import Claim, Clearing, Listing, Summarize
from pipelines.dataset.converted import HANDLER
from pipelines.dataset.duplicates import MarkDuplicates
from pipelines.dataset.measures import Measures
from pipelines.dataset.rejections import WriteRejected
from pipelines.dataset.shard_writer import ShardReport
from pipelines.dataset.sharding import PARTITIONS_FILE, Key, Slot, shard_count, slot
from pipelines.files import storage
from pipelines.files.keep_apart import KeepApart
from pipelines.files.sources import Source
from pipelines.runtime import runners
from pipelines.runtime.partition import WHOLE, Partition
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import SILENT, Ticker
from pipelines.runtime.worker_pool import Gate, WorkerPool
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError
from tfrecords.shards import SPLITS, is_shard
from tfrecords.statistics import Statistics

CLAIM_FILE = f"{shard_writer.FOLDER}/claim.json"
CLEARED_FILE = f"{shard_writer.FOLDER}/cleared_by"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings that affect the records.

    Attributes:
        size: side of the stored pictures in pixels, a multiple of 8 in [8, 2048].
        num_shards: of the training split; 0 for `sharding.shard_count`.
        validation_percent: percent of the photos that are held out, in [0, 100).

    Raises:
        UserError: a value is out of range.
    """

    size: int = 256
    num_shards: int = 0
    validation_percent: float = 5.0

    def __post_init__(self) -> None:
        """Check the values."""
        if self.size % 8 or not 8 <= self.size <= 2048:
            raise UserError(f"--size {self.size} must be a multiple of 8, at most 2048")
        if not 0 <= self.validation_percent < 100:
            raise UserError(f"--validation_percent {self.validation_percent} must be at least 0 and below 100")


def describe(
    finished: list[ShardReport], rejected: Mapping[str, int], settings: Settings, sources: Listing, ignored: int = 0
) -> Description:
    """Return the description of the set that the finished shards form.

    Args:
        finished: the shards; their rejected photos are not looked at.
        rejected: number of rejected photos by reason.
        settings: of the run.
        sources: that it found.
        ignored: number of files that are not photos by name.
    """
    by_name = sorted(finished, key=lambda part: part.shard.name)
    outcomes = {**rejected, "written": sum(part.shard.count for part in finished)}
    if ignored:
        outcomes["ignored"] = ignored
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


def _without_rejected(report: ShardReport) -> ShardReport:
    return replace(report, rejected=[])


def _finish(
    finished: list[ShardReport],
    rejected: dict[str, int],
    sources: Listing,
    output: str,
    settings: Settings,
    ignored: int = 0,
) -> Description:
    description = describe(finished, rejected, settings, sources, ignored)
    storage.write_in(output, FILE_NAME, description.to_json().encode())
    for marker in (storage.join(output, CLEARED_FILE), storage.join(output, PARTITIONS_FILE)):
        if storage.size(marker) >= 0:
            storage.remove([marker])
    for folder in (output, storage.join(output, shard_writer.FOLDER)):
        storage.sweep(folder)
    return description


def _clear(output: str) -> None:
    """Remove what an earlier run wrote, except its claim, and nothing else."""
    # The description goes first: a kill must not leave a description of shards that are gone.
    storage.remove([storage.join(output, name) for name in (FILE_NAME, *rejected_lists.lists(output), PARTITIONS_FILE)])
    for folder, ending in ((storage.join(output, shard_writer.FOLDER), ".json"), (output, "")):
        names = (name for name in storage.names(folder) if name.endswith(ending))
        storage.remove([storage.join(folder, name) for name in names if is_shard(name.removesuffix(ending))])


class _WriteShards(beam.DoFn):
    """Turn the place of a shard and its photos into a ShardReport, on several threads."""

    def __init__(self, output: str, size: int, ticker: Ticker, threads: int) -> None:
        self._output = output
        self._size = size
        self._ticker = ticker
        self._threads = threads

    def setup(self) -> None:
        self._processes = PhotoProcesses(HANDLER, most=self._threads)
        # One more reads and writes while the others' processes are at work: to finish a shard takes as long on a disk
        # as to convert five photos.
        threads = self._threads + 1
        self._pool = WorkerPool[_Finished](threads, Gate(threads))

    def process(self, grouped: tuple[Key, Iterable[Source]]) -> Iterator[ShardReport]:
        (split, index, total), photos = grouped
        make = partial(self._make, Slot(split=split, index=index, total=total), list(photos))
        return map(_counted, self._pool.add(make, make))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        window = GlobalWindow()
        for report in map(_counted, self._pool.rest()):
            yield WindowedValue(report, window.max_timestamp(), [window])

    def teardown(self) -> None:
        self._pool.close()
        self._processes.end()

    def _make(self, place: Slot, photos: list[Source]) -> "_Finished":
        measures = Measures()
        report = shard_writer.finish((place, photos), self._output, self._size, self._ticker, self._processes, measures)
        return report, measures


_Finished = tuple[ShardReport, Measures]


def _counted(finished: _Finished) -> ShardReport:
    report, measures = finished
    measures.count()
    return report


@dataclass(eq=False)
class PreparePhotos(beam.PTransform):
    """Make Lab records from photos for training: PCollection of `Source` → the one `Description` of the set.

    Shards and ``dataset.json`` are written into the output. A killed job continues where it was if it is started again
    with the same photos and settings. With others it stops, unless it may clear the output.

        >>> with beam.Pipeline(runner="FnApiRunner") as p:
        ...     described = p | FindPhotos("photos") | PreparePhotos("records", PrepareSettings(size=128))
        ...     _ = described | beam.Map(lambda records: print(records.count("train")))

    Attributes:
        output: the folder, local or in a bucket.
        settings: size of the pictures and number of shards.
        overwrite: whether to remove what a run with other photos or settings left in the output.
        threads: shards that a worker makes at a time, while one more is written; 0 for one per core in a local run
            with one worker, else 1.
        ticker: receives one report for every photo; used by the command.
        hints: resources that the stage that converts photos requests; used by the command.
        run: an id that no other run has; a runner that starts the job again keeps it.
        ignored: files of the input that are not photos (`FindPhotos.ignored`), which the description counts.
        partition: the part of the shards that is made. There is no description until those of all parts are complete.

    Raises:
        UserError: when it is applied: the output overlaps with the photos, or a partition is to clear the output. When
            the job runs: the output belongs to a run with other photos, settings or partitions, or a photo is in it.
    """

    output: str
    settings: Settings = Settings()
    _: KW_ONLY
    overwrite: bool = False
    threads: int = 0
    ticker: Ticker = SILENT
    hints: dict[str, str] = field(default_factory=dict)
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    ignored: beam.PCollection[Source] | None = None
    partition: Partition = WHOLE

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Description]:
        """Build the graph."""
        partitions.check(self.partition, self.output, overwrite=self.overwrite)
        photos = photos | "Apart" >> KeepApart(self.output)
        listing = photos | "Summarize" >> Summarize() | "Claim" >> beam.Map(self._claim)
        local = runners.is_run_locally(photos.pipeline)
        threads = self.threads or (runners.threads_of(photos.pipeline) if local else 1)
        grouped = (
            photos
            | "Duplicates" >> MarkDuplicates()
            # Nothing is written before the claim is made: this step waits for the listing that the claim yields.
            | "Place" >> beam.Map(self._place, AsSingleton(listing))
            | "Group" >> beam.GroupByKey()
        )
        is_whole = self.partition == WHOLE
        mine = grouped if is_whole else grouped | "Of this partition" >> beam.Filter(self._is_mine)
        write = _WriteShards(self.output, self.settings.size, self.ticker, threads)
        finished = mine | "Write shards" >> beam.ParDo(write).with_resource_hints(**self.hints)
        missing: AsSingleton | None = None
        if not is_whole:
            finished, missing = partitions.with_others(
                grouped, finished, self.output, self.settings.size, self.partition
            )
        rejected = finished | "List rejected" >> WriteRejected(self.output, missing)
        gathered = finished | "Reports" >> beam.Map(_without_rejected) | "Gather" >> beam.combiners.ToList()
        counts = []
        if self.ignored is not None:
            counts.append(AsSingleton(self.ignored | "Ignored" >> beam.combiners.Count.Globally()))
        told = (AsSingleton(rejected), AsSingleton(listing))
        return gathered | "Describe" >> beam.FlatMap(self._described, *told, () if is_whole else missing, *counts)

    def _is_mine(self, grouped: tuple[Key, Iterable[Source]]) -> bool:
        return partitions.has(self.partition, grouped[0])

    def _described(
        self,
        finished: list[ShardReport],
        rejected: dict[str, int],
        sources: Listing,
        missing: Sequence[int],
        ignored: int = 0,
    ) -> Iterator[Description]:
        if missing:
            partitions.tell(self.output, self.partition, missing)
        else:
            yield _finish(finished, rejected, sources, self.output, self.settings, ignored)

    def _claim(self, listing: Listing) -> Listing:
        self.ticker.all_listed()
        path = storage.join(self.output, CLAIM_FILE)
        clearing = Clearing(
            run=self.run, marker=storage.join(self.output, CLEARED_FILE), clear=partial(_clear, self.output)
        )
        mine = Claim(asdict(self.settings), listing)
        if self.partition == WHOLE:
            claim.stake(path, mine, clearing=clearing if self.overwrite else None)
        else:
            claim.stake(path, mine, advice=partitions.ADVICE)
            partitions.stake(self.output, self.partition, listing)
        return listing

    def _place(self, source: Source, listing: Listing) -> tuple[Key, Source]:
        shards = self.settings.num_shards or shard_count(listing.photos)
        place = slot(source.name, shards, self.settings.validation_percent)
        if self.partition != WHOLE and self.partition.has(place.index):
            self.ticker.listed()
        return (place.split, place.index, place.total), source
