"""Run `--dry_run`: show what a run would do, photo by photo, with the same transform that a run starts with."""

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

import apache_beam as beam

from model.terminal import say
from pipelines import shared_file
from pipelines.archive import forecast, partitions
from pipelines.archive.forecast import Forecast
from pipelines.archive.resume import Policy, Task
from pipelines.archive.tasks import FindTasks
from pipelines.files.find_photos import FindPhotos
from pipelines.notices import Mailbox
from pipelines.runtime import runners
from tfrecords.words import counted

_IGNORED_LINE = "ignored\n"


def lines(name: str, found: Forecast) -> list[tuple[str, str]]:
    """Return the lines about one photo: its action and its name, then each file that would be removed."""
    replaces = f", replaces {', '.join(found.replaces)}" if found.replaces else ""
    rule = f", rule {found.rule}" if found.rule else ""
    model = f", model {found.model}" if found.model else ""
    return [
        (f"{found.action}{replaces}{rule}{model}", name),
        *((f"remove {removed}", name) for removed in found.removes),
    ]


def sums(found: Iterable[Forecast], ignored: int = 0) -> str:
    """Return the number of inputs by action or `ignored`, which add up, and the number of files that would change."""
    forecasts = list(found)
    counts = [*sorted(Counter(one.action for one in forecasts).items()), ("ignored", ignored)]
    counts += [
        ("files to replace", sum(len(one.replaces) for one in forecasts)),
        ("files to remove", sum(len(one.removes) for one in forecasts)),
    ]
    said = ", ".join(f"{what}: {number:,}" for what, number in counts if number)
    return counted(len(forecasts) + ignored, "input") + (f"; {said}" if said else "")


def show(photos: FindPhotos, found: FindTasks, title: str) -> None:
    """Print the lines about each input, sorted by name, and their totals; write nothing to the output.

    Args:
        photos: lists the input.
        found: finds what is to be done.
        title: of the totals.
    """
    descriptor, path = tempfile.mkstemp(prefix="autochrome-dry-run-")
    os.close(descriptor)
    try:
        with Mailbox() as mailbox:
            runners.run(_Listing(photos, found, path), runners.beam_options(["--direct_num_workers=1"]))
            for line in mailbox.news():
                say(f"autochrome: {line}", file=sys.stderr)
        with open(path, encoding="ascii") as file:  # noqa: PTH123 (as below)
            told = list(file)
        ignored = told.count(_IGNORED_LINE)
        forecasts = sorted((_read(line) for line in told if line != _IGNORED_LINE), key=lambda pair: pair[0])
    finally:
        os.unlink(path)  # noqa: PTH108 (as below)
    for name, one in forecasts:
        for columns in lines(name, one):
            say(*columns, sep="\t")
    say(f"{title}: {sums((one for _, one in forecasts), ignored)}")


def _read(line: str) -> tuple[str, Forecast]:
    name, fields = json.loads(line)
    return name, Forecast(**{**fields, "replaces": tuple(fields["replaces"]), "removes": tuple(fields["removes"])})


class _Listing(beam.PTransform):
    """Write a forecast for each input to a local file: root → PCollection of None."""

    def __init__(self, photos: FindPhotos, found: FindTasks, path: str) -> None:
        super().__init__()
        self._photos = photos
        self._found = found
        self._path = path

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        found = root | self._photos | self._found
        _ = (
            self._photos.ignored
            | "Ignored in partition" >> beam.Filter(partitions.has_ignored, self._found.partition)
            | "Write ignored" >> beam.Map(lambda _, path: shared_file.append(path, _IGNORED_LINE.encode()), self._path)
        )
        return found.tasks | beam.Map(self._write, self._found.policy, self._found.output)

    def _write(self, task: Task, policy: Policy, output: str) -> None:
        line = json.dumps([task.named.source.name, asdict(forecast.of(task, policy, output))])
        shared_file.append(self._path, line.encode("ascii") + b"\n")
