"""`WriteManifest`: write the records of a run into the manifest's shards, write the report, and clean up."""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from hashlib import blake2b
from pathlib import Path

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from pipelines.archive import layout as layouts
from pipelines.archive import manifest, partitions, record_files, report_file, runs
from pipelines.archive.layout import Layout
from pipelines.archive.lease import Lease
from pipelines.archive.manifest import JSON_LINES, LAST_RUN_FILE, REPORT_FILE, Record
from pipelines.archive.provenance import Recipe
from pipelines.archive.record_files import Entry
from pipelines.archive.results import Effort, Result
from pipelines.archive.shards import ManifestWriter
from pipelines.files import listings, local_files, storage
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.runtime.outcomes import REJECTED_FILE, Outcome, to_jsonl
from tfrecords.errors import UserError
from tfrecords.words import counted

_MODULUS = 1 << 62
_REMOVED_AT_ONCE = 100
_SUBFOLDERS = tuple(path.rpartition("/")[2] for path in (manifest.JOURNAL, partitions.PARTITIONS))


@dataclass(eq=False)
class WriteManifest(beam.PTransform):
    """Write the records of `ColorizePhotos` as manifest, ``report.json`` and ``rejected.jsonl``, and end the run.

    Pass all records that `ColorizePhotos` yields in the same pipeline, each once and unchanged. If some are missing,
    the job stops before anything is written. Without this transform the photos are still written. Their records then
    stay in the journal, where the next run finds them.

        >>> with beam.Pipeline(runner="FnApiRunner") as p:
        ...     _ = p | FindPhotos("scans") | ColorizePhotos("colour") | WriteManifest("colour")

    The result is a single None, after the manifest is written.

    Attributes:
        folder: the folder of the manifest: the output of `ColorizePhotos`, or its ``state`` if that is set.
        ignored: files of the input that are not photos (`FindPhotos.ignored`), which the report counts.
        format: of the records, ``jsonl`` or ``parquet``. Records of earlier runs in the other one are read, and go.

    Raises:
        UserError: when it is applied: no `ColorizePhotos` of this pipeline keeps its records in the folder.
    """

    folder: str
    ignored: beam.PCollection[Source] | None = None
    _: KW_ONLY
    format: str = JSON_LINES

    def expand(self, records: beam.PCollection[Record]) -> beam.PCollection[None]:
        """Build the graph."""
        run = runs.of(records.pipeline, self.folder)
        made = run.results | "Made" >> beam.Map(_made) | "Sum of made" >> beam.CombineGlobally(_checksum)
        given = records | "Given" >> beam.Map(_one) | "Sum of given" >> beam.CombineGlobally(_checksum)
        outcomes = (
            records
            | "Rejected" >> beam.Filter(lambda record: record.status == "rejected")
            | "Outcomes" >> beam.Map(Record.outcome)
        )
        rejected = outcomes | "Number of rejected" >> beam.combiners.Count.Globally()
        sample = records | "Sample" >> beam.FlatMap(_sampled) | "Sampled" >> beam.combiners.ToList()
        layout = given | "Layout" >> beam.Map(_layout, AsSingleton(made), AsSingleton(sample), AsSingleton(rejected))
        written = (
            records
            | "Shard" >> beam.Map(_placed, AsSingleton(layout))
            | "Group" >> beam.GroupByKey()
            | "Write shards" >> beam.Map(_write_shard, run.lease, self.format, AsSingleton(layout))
        )
        listed = outcomes | "Listed" >> beam.FlatMap(_listed, AsSingleton(layout))
        counts = records | "Keys" >> beam.Map(lambda record: record.key) | beam.combiners.Count.PerElement()
        if self.ignored is not None:
            ignored = (
                self.ignored
                | "Ignored" >> beam.Map(lambda _: "ignored")
                | "Number" >> beam.combiners.Count.PerElement()
            )
            counts = (counts, ignored) | "Outcomes with ignored" >> beam.Flatten()
        warnings = (
            records
            | "Warnings" >> beam.FlatMap(report_file.warning_codes)
            | "Codes" >> beam.combiners.Count.PerElement()
        )
        effort = run.results | "Efforts" >> beam.Map(Effort.of) | "Effort" >> beam.CombineGlobally(_sum)
        finished = (
            records.pipeline
            | "End" >> beam.Create([run.lease])
            | "Finish"
            >> beam.Map(
                _finish,
                run.recipe,
                # Nothing is written or removed before the records are known to be complete.
                AsSingleton(layout),
                AsList(written),
                AsList(counts),
                AsList(warnings),
                AsList(listed),
                AsSingleton(effort),
                AsList(run.damaged),
                AsList(run.unfinished),
            )
            | "Finished" >> beam.Reshuffle()
        )
        # Journals are removed last, because existing journals take precedence over shards. Journals of other runs,
        # which may have appeared meanwhile, have records that this run does not know; they stay.
        own = finished | "Own journals" >> beam.FlatMap(_journals_of_run)
        merged = run.records | "Merged journals" >> beam.FlatMap(_journal, AsSingleton(finished))
        removed = (
            (own, merged)
            | "Journals" >> beam.Flatten()
            | "Spread journals" >> beam.Reshuffle()
            | "Batches" >> beam.BatchElements(min_batch_size=_REMOVED_AT_ONCE, max_batch_size=_REMOVED_AT_ONCE)
            | "Remove" >> beam.Map(_removed, AsSingleton(finished))
            | "Removed" >> beam.CombineGlobally(sum)
        )
        # A worker that repeats an earlier step needs the lease.
        return finished | "Release" >> beam.Map(_release, AsSingleton(removed))


_Checksum = tuple[int, int]
"""The number of records, and the sum of their digests modulo 2**62, in any order. Beam's integers have 64 bits."""


def _made(result: Result) -> _Checksum:
    return _one(result.record)


def _one(record: Record) -> _Checksum:
    told = (record.name, record.uri, record.offset, record.status, record.reason, record.sha256)
    digest = blake2b("\0".join(map(str, told)).encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return 1, int.from_bytes(digest) % _MODULUS


def _checksum(parts: Iterable[_Checksum]) -> _Checksum:
    count = total = 0
    for more, digest in parts:
        count, total = count + more, (total + digest) % _MODULUS
    return count, total


def _sampled(record: Record) -> Iterator[bytes]:
    if layouts.is_sampled(record.name):
        yield os.fsencode(record.name)


def _layout(given: _Checksum, made: _Checksum, sample: list[bytes], rejected: int) -> Layout:
    if given != made:
        raise UserError(
            f"WriteManifest got {counted(given[0], 'record')}, but ColorizePhotos made {made[0]:,}; "
            "pass all of them on, each once and unchanged"
        )
    return Layout.of(given[0], map(os.fsdecode, sample), rejected)


def _listed(outcome: Outcome, layout: Layout) -> Iterator[Outcome]:
    if not layout.splits_rejected:
        yield outcome


def _sum(efforts: Iterable[Effort]) -> Effort:
    return sum(efforts, Effort())


def _placed(record: Record, layout: Layout) -> tuple[int, Record]:
    return layout.shard_of(record.name), record


def _write_shard(
    placed: tuple[int, Iterable[Record]], lease: Lease, file_format: str, layout: Layout
) -> tuple[str, Entry]:
    lease.check()
    record_files.drop_index(lease.folder)
    index, records = placed[0], list(placed[1])
    rejected = layout.splits_rejected
    name, data = ManifestWriter(output=lease.folder, shards=layout.shards, format=file_format, rejected=rejected).write(
        index, records
    )
    return record_files.entry(name, len(records), data, min(record.name for record in records))


def _finish(
    lease: Lease,
    recipe: Recipe,
    layout: Layout,
    written: list[tuple[str, Entry]],
    counts: list[tuple[str, int]],
    warnings: list[tuple[str, int]],
    rejected: list[Outcome],
    effort: Effort,
    damaged: list[str],
    unfinished: list[Source],
) -> Lease:
    lease.check()
    folder = lease.folder
    if layout.splits_rejected:
        storage.remove([storage.join(folder, REJECTED_FILE)])
    else:
        storage.write_in(folder, REJECTED_FILE, to_jsonl(rejected))
    storage.write_in(folder, REPORT_FILE, report_file.summary(counts, recipe.made_with(), warnings))
    last = {**effort.to_dict(), "damaged": sorted(damaged)}
    storage.write_in(folder, LAST_RUN_FILE, (json.dumps(last, indent=2) + "\n").encode())
    record_files.write_index(folder, written)
    shards = dict(written)
    lease.check()
    storage.remove(
        [
            file.uri
            for branch in listings.of_folder(storage.join(folder, manifest.FOLDER))
            if branch.page or branch.path.rstrip("/").rpartition("/")[2] not in _SUBFOLDERS
            for file in files(branch, folder.rstrip("/"))
            if manifest.is_old_shard(file.name, shards, rejected=layout.splits_rejected)
        ]
    )
    if not storage.is_remote(folder):
        local_files.sweep_files(file.uri for file in unfinished)
    return lease


def _journals_of_run(lease: Lease) -> Iterator[str]:
    """Yield the URIs of the journals of a run."""
    for file in files(Branch(path=storage.join(lease.folder, manifest.JOURNAL)), lease.folder.rstrip("/")):
        if manifest.is_journal_of(file.name, lease.run):
            yield file.uri


def _journal(read: Source, _: Lease) -> Iterator[str]:
    """Yield the URI of a journal that the run read, after the manifest is written."""
    if manifest.is_journal(read.name):
        yield read.uri


def _removed(uris: list[str], lease: Lease) -> int:
    lease.check()
    storage.remove(uris)
    return len(uris)


def _release(lease: Lease, _: int) -> None:
    if not storage.is_remote(lease.folder):
        with contextlib.suppress(OSError):
            (Path(lease.folder) / manifest.JOURNAL).rmdir()
    lease.release()
