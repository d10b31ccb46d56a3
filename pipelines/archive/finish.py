"""The account of a run: its records sorted into the manifest's shards, the report, and the traces of work removed."""

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from pipelines.archive import manifest, record_files
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import REPORT_FILE, STAGES, Record
from pipelines.archive.provenance import Recipe
from pipelines.archive.record_files import Entry
from pipelines.files import local_files, storage
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.runtime.outcomes import REJECTED_FILE, Outcome, to_jsonl

LAST_RUN_FILE = f"{manifest.FOLDER}/last_run.json"


class Result(NamedTuple):
    """A record, and what this run did for it.

    Attributes:
        record: of the photo.
        now: whether this run made it, or an earlier one.
        replaced: files that had another version before.
        removed: files of earlier runs that are gone.
    """

    record: Record
    now: bool
    replaced: int = 0
    removed: int = 0


@dataclass(frozen=True)
class Effort:
    """What a run did; differs from run to run.

    Attributes:
        made: photos that this run made, or tried to; with ``found`` they add up to the inputs.
        left_out: those of ``made`` that got no file: rejected, or skipped as they are in colour.
        found: photos that were done before, those kept included.
        kept: photos whose files this run left although it would have made others, see `pipelines.archive.manifest`.
        replaced: files that had another version before.
        removed: files of earlier runs that this run removed.
        pixels: of the files made.
        milliseconds: of all of them together, by stage.
    """

    made: int = 0
    left_out: int = 0
    found: int = 0
    kept: int = 0
    replaced: int = 0
    removed: int = 0
    pixels: int = 0
    milliseconds: tuple[float, ...] = (0.0,) * len(STAGES)

    @classmethod
    def of(cls, made: Result) -> "Effort":
        """That of one photo."""
        kept = made.record.status == "kept"
        if kept or not made.now:
            return cls(found=1, kept=int(kept), removed=made.removed)
        pixels = sum(output.width * output.height for output in made.record.outputs)
        milliseconds = tuple(made.record.milliseconds.get(stage, 0.0) for stage in STAGES)
        return cls(
            made=1,
            left_out=int(not made.record.outputs),
            replaced=made.replaced,
            removed=made.removed,
            pixels=pixels,
            milliseconds=milliseconds,
        )

    def __add__(self, other: "Effort") -> "Effort":
        return Effort(
            self.made + other.made,
            self.left_out + other.left_out,
            self.found + other.found,
            self.kept + other.kept,
            self.replaced + other.replaced,
            self.removed + other.removed,
            self.pixels + other.pixels,
            tuple(a + b for a, b in zip(self.milliseconds, other.milliseconds, strict=True)),
        )

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
    """PCollection of Result → manifest, ``report.json`` and ``rejected.jsonl``, all in the folder of the lease.

    Attributes:
        lease: of the run, which ends with it.
        recipe: of the run.
        records: PCollection of Source: shards and journals that the run read when it started.
        damaged: PCollection of str: what was damaged in them, a line each.
        unfinished: PCollection of Source: files that killed writers left.
    """

    lease: Lease
    recipe: Recipe
    records: beam.PCollection[Source]
    damaged: beam.PCollection[str]
    unfinished: beam.PCollection[Source]

    def expand(self, made: beam.PCollection[Result]) -> beam.PCollection[None]:
        """Builds the graph."""
        records = made | "Records" >> beam.Map(lambda made: made.record)
        shards = records | "Count" >> beam.combiners.Count.Globally() | "Shards" >> beam.Map(manifest.shard_count)
        written = (
            records
            # As text, which takes less memory than objects where a local run holds them all.
            | "Lines" >> beam.Map(_line)
            | "Shard" >> beam.Map(_placed, AsSingleton(shards))
            | "Group" >> beam.GroupByKey()
            | "Write shards" >> beam.Map(_write_shard, self.lease, AsSingleton(shards))
        )
        rejected = (
            records
            | "Rejected" >> beam.Filter(lambda record: record.status == "rejected")
            | "Outcomes" >> beam.Map(Record.outcome)
        )
        counts = records | "Keys" >> beam.Map(lambda record: record.key) | beam.combiners.Count.PerElement()
        warnings = (
            records | "Warnings" >> beam.FlatMap(manifest.warning_codes) | "Codes" >> beam.combiners.Count.PerElement()
        )
        effort = made | "Efforts" >> beam.Map(Effort.of) | "Effort" >> beam.CombineGlobally(_sum)
        return (
            made.pipeline
            | "End" >> beam.Create([self.lease])
            | "Finish"
            >> beam.Map(
                _finish,
                self.recipe,
                AsList(written),
                AsList(counts),
                AsList(warnings),
                AsList(rejected),
                AsSingleton(effort),
                AsList(self.records | "Names" >> beam.Map(lambda file: file.name)),
                AsList(self.damaged),
                AsList(self.unfinished),
            )
            # A worker that has to repeat the last step needs the lease; it goes when that step is done for good.
            | "Finished" >> beam.Reshuffle()
            | "Release" >> beam.Map(Lease.release)
        )


def _line(record: Record) -> tuple[bytes, bytes]:
    # The name as bytes: Beam's coder of strings refuses what is not UTF-8.
    return os.fsencode(record.name), manifest.to_lines([record.to_json(timed=True)])


def _placed(line: tuple[bytes, bytes], shards: int) -> tuple[int, bytes]:
    name, data = line
    return manifest.shard_of(os.fsdecode(name), shards), data


def _write_shard(placed: tuple[int, Iterable[bytes]], lease: Lease, shards: int) -> tuple[str, Entry]:
    lease.check()
    record_files.drop_index(lease.folder)
    index, lines = placed
    records = [Record.from_json(line.decode()) for line in lines]
    name, data = manifest.write_shard(lease.folder, index, shards, records)
    return record_files.entry(name, len(records), data)


def _finish(
    lease: Lease,
    recipe: Recipe,
    written: list[tuple[str, Entry]],
    counts: list[tuple[str, int]],
    warnings: list[tuple[str, int]],
    rejected: list[Outcome],
    effort: Effort,
    records: list[str],
    damaged: list[str],
    unfinished: list[Source],
) -> Lease:
    lease.check()
    folder, place = lease.folder, partial(storage.join, lease.folder)
    storage.write_in(folder, REJECTED_FILE, to_jsonl(rejected))
    storage.write_in(folder, REPORT_FILE, manifest.summary(counts, recipe.made_with(), warnings))
    last = {**effort.to_dict(), "damaged": sorted(damaged)}
    storage.write_in(folder, LAST_RUN_FILE, (json.dumps(last, indent=2) + "\n").encode())
    record_files.write_index(folder, written)
    names = {file.name: file.uri for file in files(Branch(place(manifest.FOLDER)), folder.rstrip("/"))}
    lease.check()
    # Journals go last: as long as they exist, they are believed before any shard. Those of other runs that came
    # meanwhile have records that this run does not know.
    old = [uri for name, uri in names.items() if manifest.is_old_shard(name, dict(written))]
    journals = [name for name in names if manifest.is_journal(name)]
    merged = {*records, *(name for name in journals if manifest.is_journal_of(name, lease.run))}
    storage.remove(old)
    storage.remove([names[name] for name in journals if name in merged])
    if not storage.is_remote(folder):
        local_files.sweep_files(file.uri for file in unfinished)
        with contextlib.suppress(OSError):
            Path(place(manifest.JOURNAL)).rmdir()
    return lease
