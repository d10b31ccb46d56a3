"""Finding what there is to do: sources, records and files of the output, each listed once, joined in Beam."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

import apache_beam as beam
from apache_beam.pvalue import AsSingleton

from pipelines import contents, done, ledger, local_files, manifest, storage
from pipelines.done import Listed, Policy, Task, tasks
from pipelines.manifest import Record
from pipelines.naming import family
from pipelines.progress import SILENT, Ticker
from pipelines.sources import Branch, FindSources, Source, branches, files


@dataclass(frozen=True)
class Selection:
    """A part of the photos, for a trial.

    Attributes:
        limit: the first so many by name; 0 for all.
        sample: so many anywhere among them, by a hash of the name, so that a larger sample holds a smaller one; 0 for
            all. One of the two at most.
    """

    limit: int = 0
    sample: int = 0

    @property
    def size(self) -> int:
        """How many photos; 0 for all."""
        return self.limit or self.sample

    def rank(self, name: str) -> bytes:
        """The photos of the lowest ranks are taken."""
        told = name.encode("utf-8", "surrogateescape")
        return told if self.limit else blake2b(told, digest_size=16, person=b"sample").digest()


ALL = Selection()


@dataclass(frozen=True)
class Found:
    """What `FindTasks` gives.

    Attributes:
        tasks: PCollection of Task, one an input.
        records: PCollection of Source: shards and journals that were read.
        unfinished: PCollection of Source: files that killed writers left in the output.
    """

    tasks: beam.PCollection[Task]
    records: beam.PCollection[Source]
    unfinished: beam.PCollection[Source]


@dataclass(eq=False)
class FindTasks(beam.PTransform):
    """root → Found.

    Attributes:
        input: folder, file or glob.
        output: the folder of the photos in colour.
        policy: of the run.
        selection: which of the photos.
        ticker: to be told of every photo.
        begin: is called before the output is listed, by a worker, and again when that worker has to repeat its work.
    """

    input: str
    output: str
    policy: Policy
    selection: Selection = ALL
    ticker: Ticker = SILENT
    begin: Callable[[], None] | None = None

    def expand(self, root: beam.pvalue.PBegin) -> Found:
        """Builds the graph."""
        ticker = SILENT if self.selection.size else self.ticker
        sources = root | "Sources" >> FindSources(self.input, ticker)
        records, existing, unfinished = (
            root
            | "Output" >> beam.Create([self.output])
            # Nothing is decided before the output has been listed, so that no work starts before this.
            | "Begin" >> beam.Map(self._begun)
            | "Output branches" >> beam.FlatMap(branches)
            | "Spread output branches" >> beam.Reshuffle()
            | "Output files" >> beam.FlatMap(_listed, self.output)
            | "Kinds" >> beam.Partition(_kind, 3)
        )
        joined = (
            sources | "Key sources" >> beam.Map(lambda source: (family(source.name), source)),
            records
            | "Spread journals" >> beam.Reshuffle()
            | "Records" >> beam.FlatMap(_records)
            | "Key records" >> beam.Map(lambda record: (family(record.name), record)),
            existing | "Key files" >> beam.Map(lambda file: (family(file.name), file)),
        ) | "Join" >> beam.CoGroupByKey()
        decided = joined | "Decide" >> beam.FlatMap(_decided, self.policy)
        if self.selection.size:
            last = (
                sources
                | "Rank" >> beam.Map(lambda source: self.selection.rank(source.name))
                | "Lowest" >> beam.combiners.Top.Smallest(self.selection.size)
            )
            decided |= "Select" >> beam.FlatMap(self._selected, AsSingleton(last))
        return Found(decided, records, unfinished)

    def _begun(self, output: str) -> str:
        if self.begin is not None:
            self.begin()
        return output

    def _selected(self, task: Task, lowest: list[bytes]) -> Iterator[Task]:
        if task.standing is None and self.selection.rank(task.named.source.name) > max(lowest):
            # What earlier runs made stays in the manifest, whatever this trial is about.
            task = done.left_alone(task)
        if task.standing is not None or self.selection.rank(task.named.source.name) <= max(lowest):
            self.ticker.listed()
            yield task


def _listed(branch: Branch, output: str) -> Iterator[Source]:
    for file in files(branch, output.rstrip("/") or "/"):
        if not file.fault:
            yield replace(file, fingerprint=contents.listed(file))


def _kind(file: Source, _: int) -> int:
    """0 for records, 1 for what may be a photo, 2 for what a killed writer left."""
    if local_files.is_unfinished(file.name):
        return 2
    return 0 if manifest.has_records(file.name) else 1


def _records(file: Source) -> Iterator[Record]:
    return manifest.records(storage.read(file.uri)) if manifest.is_journal(file.name) else ledger.shard(file.uri)


def _decided(
    family_: tuple[bytes, tuple[Iterable[Source], Iterable[Record], Iterable[Source]]], policy: Policy
) -> Iterator[Task]:
    _, (sources, records, existing) = family_
    return tasks(sources, records, (Listed(file.name, file.size, file.fingerprint) for file in existing), policy)
