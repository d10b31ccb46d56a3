"""Work on the items of a PCollection in several threads, with child processes for those who parse untrusted bytes."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.photo_server import Handler
from pipelines.runtime.progress import SILENT, Ticker
from pipelines.runtime.worker_pool import Gate, WorkerPool

Work = Callable[[Any, PhotoProcesses, bool], Any]
"""Takes an item, child processes, and whether this is its last attempt; may raise Undecided unless it is."""


class InThreads(beam.DoFn):
    """Turn each item into one result, in any order.

    Args:
        work: on one item, picklable.
        handler: of the child processes.
        threads: items that a worker works on at a time.
        ticker: receives one report for every item.
    """

    def __init__(self, work: Work, handler: Handler, threads: int, ticker: Ticker = SILENT) -> None:
        self._work = work
        self._handler = handler
        self._threads = threads
        self._ticker = ticker

    def setup(self) -> None:
        """Prepare the threads; processes start when the first item needs one."""
        self._processes = PhotoProcesses(self._handler)
        self._pool: WorkerPool[Any] = WorkerPool(self._threads, Gate(self._threads))

    def process(self, item: Any) -> Iterator[Any]:
        """Start an item; yield the results that are ready."""
        first, last = (partial(self._work, item, self._processes, final) for final in (False, True))
        yield from map(self._told, self._pool.add(first, last))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yield the remaining results."""
        window = GlobalWindow()
        for made in self._pool.rest():
            yield WindowedValue(self._told(made), window.max_timestamp(), [window])

    def teardown(self) -> None:
        """End the threads and the child processes."""
        self._pool.close()
        self._processes.close()

    def _told(self, made: Any) -> Any:
        self._ticker.done("written")
        return made
