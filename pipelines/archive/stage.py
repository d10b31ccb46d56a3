"""`CarryOut`: read, decode, predict, merge, encode and write photos as their tasks say, and keep a journal of them."""

import heapq
from collections.abc import Iterator
from functools import partial

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.archive import mtimes, upkeep
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Engine, Save
from pipelines.archive.journal import Journal
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import Record
from pipelines.archive.provenance import Recipe
from pipelines.archive.results import Result
from pipelines.archive.resume import Policy, Task
from pipelines.runtime import local_threads
from pipelines.runtime.outcomes import count
from pipelines.runtime.progress import Ticker
from pipelines.runtime.worker_pool import Gate, WorkerPool

_WAITING_FOR_DEVICE, _WAITING_FOR_DISK = 2, 1  # photos that wait for an accelerator or a disk while cores have others


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
