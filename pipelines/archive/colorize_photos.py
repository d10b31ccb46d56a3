"""`ColorizePhotos`: read, decode, predict, merge, encode and write the photos that are not done, in one stage.

The job lists the output and its manifest, joins them with the photos by name, makes what is missing, and yields one
record per photo. Only names, sizes and records cross a shuffle; pixels never do.

RunInference is not used. It needs the model's inputs as a separate PCollection, so the photo must either travel with
them or be read and decoded twice. One bad element fails its batch. Its batches depend on timing, and chroma predicted
in a batch differs in the last bits (up to 1e-4 Lab units) from that of single photos.
Measured on 104 archive photos in one process on two cores: 3.9 photos a second in the fused stage, and 3.6 with
RunInference in batches up to 8. Every fused run gave the same bytes; of the files from RunInference, 10 to 21 were
equal to them, depending on the run. ``tests/bench/inference_bench.py`` repeats the measurement.
"""

import heapq
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from functools import partial

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from model import saved_model
from pipelines.archive import mtimes, partitions, provenance, runs, upkeep
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Engine, Save
from pipelines.archive.holder import Holder
from pipelines.archive.journal import Journal
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.results import Result
from pipelines.archive.resume import Policy, Task
from pipelines.archive.runs import Run
from pipelines.archive.selection import ALL, Selection
from pipelines.archive.signing import Signing
from pipelines.archive.tasks import FindTasks
from pipelines.files.keep_apart import KeepApart
from pipelines.files.sources import Source
from pipelines.guidance.plan import NONE, Plan
from pipelines.runtime import local_threads, runners
from pipelines.runtime.outcomes import RETRIED, count
from pipelines.runtime.partition import WHOLE, Partition
from pipelines.runtime.progress import SILENT, Ticker
from pipelines.runtime.worker_pool import Gate, WorkerPool

_WAITING_FOR_DEVICE, _WAITING_FOR_DISK = 2, 1  # photos that wait for an accelerator or a disk while cores have others
_SORTED = 10_000  # photos of a local run of which the largest is started first; a task takes 1 kB


@dataclass(eq=False)
class ColorizePhotos(beam.PTransform):
    """Colorize photos into a folder: PCollection of `Source` → PCollection of `Record`, one per photo.

    A photo is not made again if an earlier run made it from the same file, with the same model and settings. Every
    photo gets a unique name in the output. Only one run at a time writes into a folder. Photos may come from anywhere,
    such as `FindPhotos` with any transforms in between; a photo that occurs twice is made once. Pass all photos of a
    folder in each run: the manifest has only the records of the photos that were passed.

        >>> with beam.Pipeline(runner="FnApiRunner") as p:
        ...     photos = p | FindPhotos("scans") | beam.Filter(lambda photo: photo.name.startswith("box 1/"))
        ...     records = photos | ColorizePhotos("colour", settings=ColorizeSettings(format="jpeg"))
        ...     _ = records | WriteManifest("colour")

    Attributes:
        output: the folder of the colour photos, local or in a bucket.
        model: the SavedModel folder, ``released`` or ``released_1``.
        settings: format and quality of the files.
        plan: which photos are guided by hints (`pipelines.guidance.planning.planned`).
        signing: who signs the files (`pipelines.archive.signing.of`).
        keep_existing: whether files from another model or other settings stay.
        replace_changed: whether files that somebody changed are made again.
        retry: reasons of rejections after which a photo is made again.
        keep_mtime: whether files get the time of change of their source; on local disks only.
        state: a folder for the manifest, separate from the photos; '' puts it into the output.
        partition: the part of the photos that is colorized, with a manifest of its own.
        threads: photos that a worker processes at a time; 0 for one per core in a local run with one worker, else 2.
        selection: which of the photos; used by the command.
        ticker: receives one report for every photo; used by the command.
        hints: resources that the stage that colorizes requests; used by the command.
        lease: of the run, if the caller already holds it; used by the command.

    Raises:
        UserError: when it is applied: the output overlaps with the photos, or with that of another `ColorizePhotos`;
            the model is missing or not ours; a setting is unknown. When the job runs: another run writes into the
            folder, a photo is in the output, or the model has changed.
    """

    output: str
    model: str = saved_model.RELEASED
    _: KW_ONLY
    settings: Settings = field(default_factory=Settings)
    plan: Plan = NONE
    signing: Signing | None = None
    keep_existing: bool = False
    replace_changed: bool = False
    retry: tuple[str, ...] = RETRIED
    keep_mtime: bool = False
    state: str = ""
    partition: Partition = WHOLE
    threads: int = 0
    selection: Selection = ALL
    ticker: Ticker = SILENT
    hints: dict[str, str] = field(default_factory=dict)
    lease: Lease | None = None

    @property
    def folder(self) -> str:
        """The folder of the manifest."""
        return partitions.folder_of(self.state or self.output, self.partition)

    def policy(self) -> Policy:
        """Read the model and the runs in the folder, and return how photos are made.

        Raises:
            UserError: the model is missing or not ours; the list of runs is damaged; or records would be ignored.
        """
        partitions.check(self.state or self.output, self.partition)
        if self.state:
            provenance.check_state(self.output, self.state)
        recipe = Recipe.of(self.model, self.settings, plan=self.plan, signing=self.signing)
        return Policy(
            recipe=provenance.numbered(recipe, self.folder),
            keep_existing=self.keep_existing,
            replace_changed=self.replace_changed,
            retry=frozenset(self.retry),
            keep_mtime=self.keep_mtime,
        )

    def tasks(self, policy: Policy, begin: beam.DoFn | None = None, *, spread: bool = False) -> FindTasks:
        """Return the transform that finds what is to be done; ``spread`` is that of `FindTasks`."""
        return FindTasks(
            *(self.output, policy),
            selection=self.selection,
            ticker=self.ticker,
            state=self.state if self.partition == WHOLE else self.folder,
            partition=self.partition,
            begin=begin,
            spread=spread,
        )

    def expand(self, photos: beam.PCollection[Source]) -> beam.PCollection[Record]:
        """Build the graph."""
        runs.check_alone(photos.pipeline, self.folder)
        apart = photos | "Apart" >> KeepApart(self.output)
        if self.state:
            apart |= "Apart from state" >> KeepApart(self.state, "state")
        policy, local = self.policy(), runners.is_run_locally(photos.pipeline)
        lease = self.lease or Lease(folder=self.folder, holder=Holder.unwatched(local=local))
        threads = 0 if "accelerator" in self.hints else self.threads or runners.threads_of(photos.pipeline)
        found = apart | "Tasks" >> self.tasks(policy, _Begin(lease, policy.recipe), spread=not local)
        results = found.tasks | "Colorize" >> beam.ParDo(
            CarryOut(self.output, self.model, policy, threads, self.ticker, lease, _SORTED if local else 0)
        ).with_resource_hints(**self.hints)
        runs.register(
            photos.pipeline,
            Run(
                lease=lease,
                recipe=policy.recipe,
                results=results,
                records=found.records,
                damaged=found.damaged,
                unfinished=found.unfinished,
            ),
        )
        return results | "Records" >> beam.Map(lambda result: result.record)


class _Begin(beam.DoFn):
    """Takes the lease and records that the run begins, before the output is listed."""

    def __init__(self, lease: Lease, recipe: Recipe) -> None:
        self._lease = lease
        self._recipe = recipe

    def setup(self) -> None:
        self._lease.enter()

    def process(self, output: bytes) -> Iterator[bytes]:
        self._lease.take()
        provenance.begin(self._lease.folder, self._recipe)
        yield output

    def teardown(self) -> None:
        self._lease.leave()


class CarryOut(beam.DoFn):
    """Turn each Task into a Result, and write the photo and its record. Workers of one process share one model.

    Args:
        output: the folder.
        model: the SavedModel folder.
        policy: of the run.
        threads: photos that a worker processes at a time; 0 for two more than it has cores.
        ticker: receives one report for every photo.
        lease: of the run; journals are written into its folder.
        ahead: photos that wait for larger ones to be started first. It is 0 where a runner may give waiting photos to
            another worker.
    """

    def __init__(
        self, output: str, model: str, policy: Policy, threads: int, ticker: Ticker, lease: Lease, ahead: int = 0
    ) -> None:
        self._output, self._model = output, model
        self._policy = policy
        self._threads = threads
        self._ticker, self._lease = ticker, lease
        self._ahead = ahead
        self._shared = Shared()

    def setup(self) -> None:
        """Prepare the journal; the model is loaded when the first photo needs it."""
        self._threads = self._threads or local_threads.cores() + _WAITING_FOR_DEVICE
        self._lease.enter()
        self._journal = Journal(self._lease.folder, self._lease.run)
        self._pool: WorkerPool[Result] | None = None
        self._waiting: list[tuple[int, int, Task]] = []
        self._met = 0

    def _at_work(self) -> WorkerPool[Result]:
        if self._pool is None:
            opened = partial(_Workshop, self._model, self._policy.recipe, self._threads)
            # This object keeps a reference, because Shared itself only keeps what was requested last.
            self._workshop = self._shared.acquire(opened, tag=self._model)
            self._pool = WorkerPool(self._threads + _WAITING_FOR_DISK, self._workshop.gate)
        return self._pool

    def process(self, task: Task) -> Iterator[Result]:
        """Start a photo, this one or a larger one; yield the results that are ready."""
        self._lease.keep()
        if task.is_done and task.existing is not None:
            yield self._told(Result(self._timed(task.existing, task), now=False))
            return
        self._met += 1  # no two entries are equal, because tasks cannot be compared
        heapq.heappush(self._waiting, (-task.named.source.size, self._met, task))
        if len(self._waiting) > self._ahead:
            yield from self._start_largest()

    def _start_largest(self) -> Iterator[Result]:
        """Start the largest photo that waits: at the end, when cores run out of work, only small ones are left."""
        task = heapq.heappop(self._waiting)[-1]
        self._lease.keep()
        added = self._at_work().add(partial(self._make, task), partial(self._make, task, last=True))
        return map(self._kept, added)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yield the remaining results."""
        for made in self._remaining():
            yield WindowedValue(made, GlobalWindow().max_timestamp(), [GlobalWindow()])
        self._journal.flush()

    def _remaining(self) -> Iterator[Result]:
        while self._waiting:
            yield from self._start_largest()
        if self._pool is not None:
            yield from map(self._kept, self._pool.rest())

    def teardown(self) -> None:
        """End the threads and the idle child processes."""
        self._lease.leave()
        if self._pool is not None:
            self._pool.close()
            self._workshop.engine.close()
        self._journal.close()

    def _make(self, task: Task, *, last: bool = False) -> Result:
        def make(save: Save) -> Record:
            return attempt(task.named, self._workshop.engine.context(save), last=last)

        made = upkeep.carry_out(task, self._policy, self._output, make, self._announce, self._lease.keep)
        return made._replace(record=self._timed(made.record, task))

    def _timed(self, record: Record, task: Task) -> Record:
        return mtimes.kept(record, task.named.source, self._output) if self._policy.keep_mtime else record

    def _announce(self, record: Record) -> None:
        # A run that was taken over must not leave a journal behind.
        self._lease.keep()
        self._journal.announce(record)

    def _kept(self, made: Result) -> Result:
        self._journal.add(made.record)
        for stage, milliseconds in made.record.milliseconds.items():
            Metrics.distribution("autochrome", f"{stage}_microseconds").update(round(1000 * milliseconds))
        return self._told(made)

    def _told(self, made: Result) -> Result:
        count(made.record.outcome())
        self._ticker.done(made.record.status)
        return made


class _Workshop:
    """The model, child processes and memory gate that the workers of one process share."""

    def __init__(self, model: str, recipe: Recipe, threads: int) -> None:
        self.engine, self.gate = Engine(model, recipe, most=threads), Gate(threads + _WAITING_FOR_DISK)
