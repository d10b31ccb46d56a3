"""The command `autochrome plan`: estimate what colorizing a collection takes by measuring a sample of it.

The collection is listed, not read. A sample, chosen by a hash of the names, goes through every stage except writing, on
all cores. Its cost is scaled to the whole; ranges have 95 % confidence for a sample of that size. If the disk or the
network is slow, writing adds to the time on this machine. On Dataflow one thread of a worker waits for the bucket while
another one computes, so the work there is the processor time.
"""

import heapq
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, stdev

import numpy as np

from model import interrupt
from model.terminal import say
from pipelines import flags
from pipelines.archive.attempt import attempt
from pipelines.archive.context import Engine
from pipelines.archive.manifest import Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, settings_of
from pipelines.archive.selection import Selection
from pipelines.files import input_checks, sources
from pipelines.files.distinct import Distinct
from pipelines.files.list_parts import PLAIN, ListOptions, lists_of
from pipelines.files.sources import Source
from pipelines.runtime import commands, words
from pipelines.runtime.commands import in_bytes
from pipelines.runtime.worker_pool import Gate, WorkerPool
from pipelines.viewer.summary import was_in_colour
from tfrecords.errors import UserError
from tfrecords.words import counted

_Z = 1.96  # 95 %


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The result of a listing: number of photos, their bytes, and a sample of them."""

    photos: int
    bytes: int
    sample: list[Source]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The result of measuring the sample: its records, and wall time and processor time for all of them in seconds."""

    records: list[Record]
    wall: float
    processor: float


@dataclass(frozen=True, kw_only=True)
class Figure:
    """An estimate and its range."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Figure":
        """Return all three values times a factor."""
        return Figure(value=self.value * factor, low=self.low * factor, high=self.high * factor)


def survey(
    patterns: str | Sequence[str], size: int, lists: ListOptions = PLAIN, exclude: Sequence[str] = ()
) -> Collection:
    """List an input; only the sample is kept in memory. A photo counts once, however often it is found.

    Args:
        patterns: folder, file or glob; or several.
        size: of the sample.
        lists: how lists are read.
        exclude: globs of names that are ignored.
    """
    selection = Selection(sample=size)
    lowest: list[tuple[int, int, Source]] = []
    chosen: set[tuple[bytes, int]] = set()
    with Distinct() as files:
        for number, source in enumerate(sources.with_repeats(patterns, lists, exclude)):
            key = sources.file_of(source)
            files.add(key, source.size)
            # The largest rank is first in the heap, and is dropped next.
            entry = (-int.from_bytes(selection.rank(source.name)), number, source)
            if key in chosen or (len(lowest) == size and entry < lowest[0]):
                continue
            chosen.add(key)
            if len(lowest) < size:
                heapq.heappush(lowest, entry)
            else:
                chosen.discard(sources.file_of(heapq.heappushpop(lowest, entry)[-1]))
        photos, total = files.totals()
    return Collection(photos=photos, bytes=total, sample=[source for _, _, source in sorted(lowest, reverse=True)])


def mean(values: list[float]) -> Figure:
    """Return the mean of a sample with its 95 % range; no value is below 0."""
    value = fmean(values)
    error = _Z * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else value
    return Figure(value=value, low=max(0.0, value - error), high=value + error)


def share(hits: int, of: int) -> Figure:
    """Estimate a share in [0, 1]. Wilson's interval holds for none and for all as well."""
    from scipy.stats import binomtest  # takes half a second to import

    interval = binomtest(hits, of).proportion_ci(0.95, "wilson")
    return Figure(value=hits / of, low=float(interval.low), high=float(interval.high))


def measure(sample: list[Source], model: str, recipe: Recipe, threads: int) -> Trial:
    """Process the sample through all stages on ``threads`` threads; write nothing."""
    with Engine(model, recipe, started=threads) as engine:
        context = engine.context(lambda record, files: record)
        # The first prediction traces the model, which must not count.
        context.predict(np.zeros((1, context.size, context.size, 1), np.float32), None)
        pool: WorkerPool[Record] = WorkerPool(threads, Gate(threads))
        records: list[Record] = []
        started, processor = time.perf_counter(), time.process_time()
        for source in sample:
            named = NamedSource(source=source, own=source.name, stem=source.name)
            records += pool.add(partial(attempt, named, context), partial(attempt, named, context, last=True))
        records += pool.rest()
        wall = time.perf_counter() - started
        used = time.process_time() - processor + engine.processes.processor_seconds
        pool.close()
    return Trial(records=records, wall=wall, processor=used)


def rows(collection: Collection, trial: Trial, threads: int, price: float) -> list[tuple[str, str]]:
    """Return the lines of the report, as pairs of a name and a readable figure.

    Args:
        collection: the whole.
        trial: of its sample; at least one record.
        threads: number of threads of the trial.
        price: of a vCPU-hour in dollars; 0 if unknown.
    """
    photos, records = collection.photos, trial.records
    taken = [sum(record.milliseconds.values()) for record in records]
    # The sample's seconds of work, scaled to the whole, with the range of the mean.
    scale = mean(taken).times(photos * len(records) / max(sum(taken), 1e-9))
    here, worker = (scale.times(seconds / len(records)) for seconds in (trial.wall, trial.processor))
    pixels = mean([float(sum(one.width * one.height for one in record.outputs)) for record in records])
    written = mean([float(record.bytes_out) for record in records])
    said = [
        ("photos", f"{photos:,}, {in_bytes(collection.bytes)}"),
        ("measured on", f"{_photos(len(records))}, chosen by a hash of the name"),
        ("megapixels", _range(pixels.times(photos / 1e6), _number)),
        (
            "time on this machine",
            f"{_range(here, words.duration)}, at {words.rate(len(records) / trial.wall)} on {threads} cores",
        ),
        ("work on Dataflow", f"{_range(worker, words.duration)} of one vCPU, shared among the workers"),
    ]
    if price:
        said.append(("cost of that work", f"{_range(worker.times(price / 3600), _money)}, at ${price:g} a vCPU-hour"))
    said.append(("space for the results", _range(written.times(photos), in_bytes)))
    reasons = Counter(record.reason for record in records if record.status == "rejected")
    said.append(("rejected", _share(reasons.total(), len(records), photos)))
    said += [(f"  {reason}", _share(number, len(records), photos)) for reason, number in reasons.most_common()]
    said.append(("in colour already", _share(sum(map(was_in_colour, records)), len(records), photos)))
    return said


def _share(hits: int, of: int, photos: int) -> str:
    """Return how many photos of the collection are like ``hits`` of the sample; exact if the sample is everything."""
    if of >= photos:
        return f"{hits:,}"
    return _range(share(hits, of).times(photos), lambda number: f"{number:,.0f}")


def _photos(number: int) -> str:
    return counted(number, "photo")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _money(dollars: float) -> str:
    if 0 < dollars < 0.005:
        return "under 1 cent"
    if dollars < 0.995:
        cents = round(100 * dollars)
        return f"{cents} {'cent' if cents == 1 else 'cents'}"
    return f"${dollars:,.2f}" if dollars < 100 else f"${dollars:,.0f}"


def _range(figure: Figure, shown: Callable[[float], str]) -> str:
    """Return an estimate and its range as text; one figure if they are equal."""
    value, low, high = map(shown, (figure.value, figure.low, figure.high))
    said = value if value.startswith("under ") else f"about {value}"
    return said if low == high == value else f"{said} ({low} to {high})"


def main(argv: list[str] | None = None) -> int:
    """Run ``autochrome plan``."""
    args, beam_flags = flags.plan().parse_known_args(argv)
    if beam_flags:
        with interrupt.at_once():
            from pipelines.runtime import runners  # Beam takes a second to import
        runners.beam_options(beam_flags)
    lists = lists_of(args)
    input_checks.check_any(args.input, lists)
    recipe = Recipe.of(args.model, settings_of(args))
    said = ", ".join(args.input)
    collection = survey(args.input, args.sample, lists, args.exclude)
    if not collection.photos:
        raise UserError(f"--input {said} holds only files that are not photos, or an empty tar; name photos")
    threads = len(os.sched_getaffinity(0))
    say(f"autochrome: measuring {len(collection.sample):,} of {counted(collection.photos, 'photo')}", file=sys.stderr)
    trial = measure(collection.sample, args.model, recipe, threads)
    say(f"To colorize {said}:")
    for name, figure in rows(collection, trial, threads, args.price_per_vcpu_hour):
        say(f"{name:<26}{figure}")
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.plan")
