"""The account of a run: its records sorted into the manifest's shards, the report, and the traces of work removed."""

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from pipelines import local_files, manifest, storage
from pipelines.manifest import STAGES, Record
from pipelines.outcomes import REJECTED_FILE, Outcome, to_jsonl
from pipelines.runs import Maker
from pipelines.sources import Branch, Source, files

REPORT_FILE = "report.json"
LAST_RUN_FILE = f"{manifest.FOLDER}/last_run.json"


class Made(NamedTuple):
    """A record, and whether this run made it or an earlier one."""

    record: Record
    now: bool


@dataclass(frozen=True)
class Effort:
    """What a run did; differs from run to run.

    Attributes:
        made: photos that this run took in hand.
        found: photos that were done before.
        pixels: of the files made.
        milliseconds: of all of them together, by stage.
    """

    made: int = 0
    found: int = 0
    pixels: int = 0
    milliseconds: tuple[float, ...] = (0.0,) * len(STAGES)

    @classmethod
    def of(cls, made: Made) -> "Effort":
        """That of one photo."""
        if not made.now:
            return cls(found=1)
        pixels = sum(output.width * output.height for output in made.record.outputs)
        return cls(1, 0, pixels, tuple(made.record.milliseconds.get(stage, 0.0) for stage in STAGES))

    def __add__(self, other: "Effort") -> "Effort":
        times = tuple(a + b for a, b in zip(self.milliseconds, other.milliseconds, strict=True))
        return Effort(self.made + other.made, self.found + other.found, self.pixels + other.pixels, times)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "milliseconds": {s: round(ms, 1) for s, ms in zip(STAGES, self.milliseconds, strict=True)},
        }


def _sum(efforts: Iterable[Effort]) -> Effort:
    return sum(efforts, Effort())


@dataclass(eq=False)
class Account(beam.PTransform):
    """PCollection of Made → manifest, ``report.json`` and ``rejected.jsonl`` in the output folder.

    Attributes:
        output: the folder.
        maker: of the run.
        unfinished: PCollection of Source: files that killed writers left.
    """

    output: str
    maker: Maker
    unfinished: beam.PCollection[Source]

    def expand(self, made: beam.PCollection[Made]) -> beam.PCollection[None]:
        """Builds the graph."""
        records = made | "Records" >> beam.Map(lambda made: made.record)
        shards = records | "Count" >> beam.combiners.Count.Globally() | "Shards" >> beam.Map(manifest.shard_count)
        written = (
            records
            # As text, which takes less memory than objects where a local run holds them all.
            | "Lines" >> beam.Map(lambda record: (record.name, manifest.to_lines([record.to_json(timed=True)])))
            | "Shard" >> beam.Map(_placed, AsSingleton(shards))
            | "Group" >> beam.GroupByKey()
            | "Write shards" >> beam.Map(_write_shard, self.output, AsSingleton(shards))
        )
        rejected = (
            records
            | "Rejected" >> beam.Filter(lambda record: record.status == "rejected")
            | "Outcomes" >> beam.Map(Record.outcome)
        )
        counts = records | "Keys" >> beam.Map(lambda record: record.key) | beam.combiners.Count.PerElement()
        effort = made | "Efforts" >> beam.Map(Effort.of) | "Effort" >> beam.CombineGlobally(_sum)
        return (
            made.pipeline
            | "End" >> beam.Create([self.output])
            | "Finish"
            >> beam.Map(
                _finish,
                self.maker,
                AsList(written),
                AsList(counts),
                AsList(rejected),
                AsSingleton(effort),
                AsList(self.unfinished),
            )
        )


def _placed(line: tuple[str, bytes], shards: int) -> tuple[int, bytes]:
    name, data = line
    return manifest.shard_of(name, shards), data


def _write_shard(placed: tuple[int, Iterable[bytes]], output: str, shards: int) -> int:
    index, lines = placed
    manifest.write_shard(output, index, shards, manifest.records(b"".join(lines)))
    return shards


def _finish(
    output: str,
    maker: Maker,
    written: list[int],
    counts: list[tuple[str, int]],
    rejected: list[Outcome],
    effort: Effort,
    unfinished: list[Source],
) -> None:
    place = partial(storage.join, output)
    storage.write(place(REJECTED_FILE), to_jsonl(rejected))
    storage.write(place(REPORT_FILE), manifest.summary(counts, maker.made_with()))
    storage.write(place(LAST_RUN_FILE), (json.dumps(effort.to_dict(), indent=2) + "\n").encode())
    names = {file.name: file.uri for file in files(Branch(place(manifest.FOLDER)), output.rstrip("/"))}
    # Journals go last: as long as they are there, they are believed before any shard.
    for is_over in (partial(manifest.is_old_shard, shards=max(written, default=1)), manifest.is_journal):
        storage.remove([uri for name, uri in names.items() if is_over(name)])
    if not storage.is_remote(output):
        local_files.sweep_files(file.uri for file in unfinished)
        with contextlib.suppress(OSError):
            Path(place(manifest.JOURNAL)).rmdir()
