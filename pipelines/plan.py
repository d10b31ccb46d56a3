"""`autochrome plan`: what colorizing a collection will take, measured on a sample of it before anyone pays.

The collection is listed, not read. A sample by a hash of the names goes through every stage but writing, on all cores,
and what it took is scaled to the whole; the ranges are those of 95 % confidence for a sample of that size. Where the
disk or the line is slow, time on this machine is too short by what writing takes. A worker of Dataflow waits for its
bucket with one thread while another one works, so its time is that of the processor.
"""

import heapq
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, stdev

import numpy as np

from model import quiet
from model.terminal import say
from pipelines import flags
from pipelines.archive.attempt import Context, attempt
from pipelines.archive.manifest import Record
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, settings_of
from pipelines.archive.render import render
from pipelines.archive.tasks import Selection
from pipelines.files import input_checks, sources
from pipelines.files.sources import Source
from pipelines.runtime import commands, runners
from pipelines.runtime.commands import in_bytes
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.worker_pool import Gate, WorkerPool
from pipelines.viewer.summary import was_in_colour
from tfrecords.errors import UserError

_Z = 1.96  # 95 %


@dataclass(frozen=True)
class Collection:
    """What a listing tells: how many photos, their bytes, and a sample of them."""

    photos: int
    bytes: int
    sample: list[Source]


@dataclass(frozen=True)
class Trial:
    """What the sample took: its records, and seconds of wall and of processor time for all of them."""

    records: list[Record]
    wall: float
    processor: float


@dataclass(frozen=True)
class Figure:
    """An estimate and the range it lies in."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Figure":
        """All three multiplied."""
        return Figure(self.value * factor, self.low * factor, self.high * factor)


def survey(patterns: str | Sequence[str], size: int) -> Collection:
    """Lists an input; memory holds the sample alone.

    Args:
        patterns: folder, file or glob; or several.
        size: of the sample.
    """
    selection = Selection(sample=size)
    photos = total = 0
    lowest: list[tuple[int, int, Source]] = []
    for source in sources.everything(patterns):
        photos += 1
        total += source.size
        # The largest rank stands first in the heap, to be dropped.
        entry = (-int.from_bytes(selection.rank(source.name)), photos, source)
        (heapq.heappush if len(lowest) < size else heapq.heappushpop)(lowest, entry)
    return Collection(photos, total, [source for _, _, source in sorted(lowest, reverse=True)])


def mean(values: list[float]) -> Figure:
    """The mean of a sample, with the range of its standard error; nothing is below 0."""
    value = fmean(values)
    error = _Z * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else value
    return Figure(value, max(0.0, value - error), value + error)


def share(hits: int, of: int) -> Figure:
    """Estimate a share in [0, 1]. Wilson's interval holds for none and for all as well."""
    from scipy.stats import binomtest  # takes half a second to import

    interval = binomtest(hits, of).proportion_ci(0.95, "wilson")
    return Figure(hits / of, float(interval.low), float(interval.high))


def measure(sample: list[Source], model: str, recipe: Recipe, threads: int) -> Trial:
    """Takes the sample through all stages on this number of threads; writes nothing."""
    processes = PhotoProcesses(render, started=threads)  # they start while TensorFlow does
    with quiet.startup():
        from model.colorizer import Colorizer, one_thread_a_prediction

    one_thread_a_prediction()
    colorizer = Colorizer.load(model, recipe.model_digest)
    context = Context(recipe, colorizer.size, colorizer.predict, lambda record, files: record, processes)
    # The first prediction builds what later ones find.
    context.predict(np.zeros((1, context.size, context.size, 1), np.float32))
    pool: WorkerPool[Record] = WorkerPool(threads, Gate(threads))
    records: list[Record] = []
    started, processor = time.perf_counter(), time.process_time()
    for source in sample:
        named = NamedSource(source, source.name, source.name)
        records += pool.add(partial(attempt, named, context), partial(attempt, named, context, last=True))
    records += pool.rest()
    wall = time.perf_counter() - started
    used = time.process_time() - processor + processes.processor_seconds
    pool.close()
    processes.close()
    return Trial(records, wall, used)


def rows(collection: Collection, trial: Trial, threads: int, price: float) -> list[tuple[str, str]]:
    """What there is to say, as pairs of a name and a figure in words.

    Args:
        collection: the whole.
        trial: of its sample; at least one record.
        threads: that the trial ran on.
        price: of a vCPU-hour; 0 when it is not known.
    """
    photos, records = collection.photos, trial.records
    taken = [sum(record.milliseconds.values()) for record in records]
    hours = mean(taken).times(photos / max(sum(taken), 1e-9) / 3600 * len(records))
    here, worker = (hours.times(seconds / len(records)) for seconds in (trial.wall, trial.processor))
    pixels = mean([float(sum(one.width * one.height for one in record.outputs)) for record in records])
    written = mean([float(record.bytes_out) for record in records])
    said = [
        ("photos", f"{photos:,}, {in_bytes(collection.bytes)}"),
        ("measured on", f"{len(records):,} of them, by a hash of the name"),
        ("megapixels", _range(pixels.times(photos / 1e6))),
        ("time on this machine", f"{_time(here)}, {threads} threads, {len(records) / trial.wall:.2f} photos/s"),
        ("vCPU time on Dataflow", f"{_time(worker)}, of a vCPU like these"),
    ]
    if price:
        said.append((f"at {price:g} a vCPU-hour", _range(worker.times(price), "{:,.2f}".format)))
    said.append(("output", " ".join((in_bytes(written.value * photos), _between(written.times(photos), in_bytes)))))
    reasons = Counter(record.reason for record in records if record.status == "rejected")
    expected = [("rejects to expect", reasons.total())]
    expected += [(f"  {reason}", number) for reason, number in reasons.most_common()]
    expected.append(("in colour already", sum(map(was_in_colour, records))))
    # A sample of all photos leaves nothing to estimate.
    estimated = photos > len(records)
    for what, hits in expected:
        likely = share(hits, len(records)).times(photos)
        said.append((what, _range(likely, "{:,.0f}".format) if estimated else f"{hits:,}"))
    return said


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _between(figure: Figure, shown: Callable[[float], str]) -> str:
    return f"({shown(figure.low)} to {shown(figure.high)})"


def _range(figure: Figure, shown: Callable[[float], str] = _number) -> str:
    return f"{shown(figure.value)} {_between(figure, shown)}"


def _time(hours: Figure) -> str:
    """Hours in the largest unit of which there is at least one, for people."""
    units = [("h", 1), ("min", 60), ("s", 3600)]
    unit, factor = next((one for one in units if hours.value * one[1] >= 1), units[-1])
    figure = hours.times(factor)
    return f"{_number(figure.value)} {unit} {_between(figure, _number)}"


def main(argv: list[str] | None = None) -> int:
    """Runs ``autochrome plan``."""
    args, beam_flags = flags.plan().parse_known_args(argv)
    runners.beam_options(beam_flags)
    input_checks.check_any(args.input)
    recipe = Recipe.of(args.model, settings_of(args))
    said = ", ".join(args.input)
    collection = survey(args.input, args.sample)
    if not collection.photos:
        raise UserError(f"--input {said} holds only files that are not photos, or an empty tar; name photos")
    threads = len(os.sched_getaffinity(0))
    trial = measure(collection.sample, args.model, recipe, threads)
    say(f"To colorize {said}:")
    for name, figure in rows(collection, trial, threads, args.price_per_vcpu_hour):
        say(f"{name:<26}{figure}")
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.plan")
