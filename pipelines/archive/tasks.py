"""Find what is to be done: sources, records and files of the output, each listed once, joined in Beam."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton, TaggedOutput

from pipelines import notices
from pipelines.archive import manifest, output_files, record_files, resume
from pipelines.archive.manifest import Record
from pipelines.archive.naming import folders
from pipelines.archive.record_files import Damage, Index
from pipelines.archive.resume import Listed, Policy, Task, tasks
from pipelines.archive.selection import ALL, Selection
from pipelines.archive.written_names import Rules
from pipelines.files import storage
from pipelines.files.listings import Branch
from pipelines.files.sources import Source
from pipelines.runtime.partition import WHOLE, Partition
from pipelines.runtime.progress import SILENT, Ticker
from tfrecords.words import counted, first

_TASKS, _GONE = "tasks", "gone"
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Found:
    """The results of `FindTasks`.

    Attributes:
        tasks: PCollection of Task, one per input.
        records: PCollection of Source: shards and journals that were read.
        damaged: PCollection of str: the damage in them, one line each.
        unfinished: PCollection of Source: files that killed writers left in the output.
    """

    tasks: beam.PCollection[Task]
    records: beam.PCollection[Source]
    damaged: beam.PCollection[str]
    unfinished: beam.PCollection[Source]


@dataclass(eq=False)
class FindTasks(beam.PTransform):
    """Find what is to be done: PCollection of Source → Found.

    Attributes:
        output: the folder of the colour photos.
        policy: of the run.
        selection: which of the photos.
        ticker: receives one report for every photo.
        state: the folder of the manifest; '' if it is the output.
        partition: the part of the photos that is looked at; the names of all photos count.
        begin: passes the output on before it is listed; called again if a worker repeats its work.
        spread: whether tasks go to workers one by one, and not by family: a book of 10,000 pages is one family.
    """

    output: str
    policy: Policy
    _: KW_ONLY
    selection: Selection = ALL
    ticker: Ticker = SILENT
    state: str = ""
    partition: Partition = WHOLE
    begin: beam.DoFn | None = None
    spread: bool = False

    def default_type_hints(self) -> None:
        """Give none: Beam would read them from `expand`, and warn that a Found is not a PCollection."""

    def expand(self, sources: beam.PCollection[Source]) -> Found:
        """Build the graph."""
        rules, root = Rules.of(self.output), sources.pipeline
        # Decisions wait until the output is listed, so that no work starts before.
        # Folders are bytes here, because Beam's coder for strings rejects names that are not UTF-8.
        begun = root | "Output" >> beam.Create([os.fsencode(self.output)])
        if self.begin is not None:
            begun |= "Begin" >> beam.ParDo(self.begin)
        records, existing, unfinished = self._listed(begun)
        index = begun | "Index" >> beam.Map(lambda _: record_files.read_index(self._state))
        read = records | "Spread journals" >> beam.Reshuffle() | "Read" >> beam.FlatMap(_read, AsSingleton(index))
        missing = index | "Missing" >> beam.FlatMap(_missing, AsList(records | "Names" >> beam.Map(_name)))
        recorded = read | "Records" >> beam.FlatMap(_records)
        keyed_folders = (
            sources
            | "Folders" >> beam.FlatMap(lambda source: map(os.fsencode, folders(source.name, rules)))
            | "Each folder" >> beam.Distinct()
            | "Key folders" >> beam.Map(lambda folder: (rules.key(os.fsdecode(folder)), folder))
        )
        if self.partition != WHOLE:
            sources |= "Partition" >> beam.Filter(self._told_if_mine, rules)
            existing |= "Files of partition" >> beam.Filter(lambda file: self.partition.has(rules.key(file.name)))
        joined = (
            sources | "Key sources" >> beam.Map(lambda source: (rules.key(source.name), source)),
            keyed_folders,
            recorded | "Key records" >> beam.Map(lambda record: (rules.key(record.name), record)),
            existing | "Key files" >> beam.Map(lambda file: (rules.key(file.name), file)),
        ) | "Join" >> beam.CoGroupByKey()
        # The join waits for all sources anyway. Their number is a side input, so the ticker is told before work starts.
        number = [] if self.selection.size else [AsSingleton(self._told_when_listed(sources))]
        decide = beam.FlatMap(_decided, self.policy, rules, *number).with_outputs(_GONE, main=_TASKS)
        decided, gone = joined | "Decide" >> decide
        self._tell_gone(gone)
        if self.spread:
            decided |= "Spread families" >> beam.Reshuffle()
        if self.selection.size:
            last = (
                sources
                | "Rank" >> beam.Map(lambda source: self.selection.rank(source.name))
                | "Lowest" >> beam.combiners.Top.Smallest(self.selection.size)
            )
            selected = decided | "Select" >> beam.FlatMap(self._selected, AsSingleton(last))
            number = [AsSingleton(self._told_when_listed(selected))]
            decided = selected | "When all are" >> beam.Map(lambda task, _: task, *number)
        damaged = read | "Damaged" >> beam.FlatMap(_damaged)
        told = (damaged, missing) | "Damage" >> beam.Flatten() | "Tell" >> beam.Map(self._told)
        return Found(tasks=decided, records=records, damaged=told, unfinished=unfinished)

    def _listed(self, begun: beam.PCollection[bytes]) -> tuple[beam.PCollection[Source], ...]:
        """List files of records, files that may be photos, and files that killed writers left."""
        kinds = (
            begun
            | "Output branches" >> beam.FlatMap(lambda output: output_files.branches(os.fsdecode(output)))
            | "Spread output branches" >> beam.Reshuffle()
            | "Output files" >> beam.FlatMap(output_files.listed, self.output)
            | "Kinds" >> beam.Partition(output_files.kind, 3)
        )
        if not self.state:
            return tuple(kinds)
        # Records in the output are those of other runs, which did not keep theirs in the state folder.
        _, existing, unfinished = kinds
        records, _, more = (
            begun
            | "State" >> beam.Map(lambda _: Branch(path=storage.join(self.state, manifest.FOLDER)))
            | "State files" >> beam.FlatMap(output_files.listed, self.state)
            | "State kinds" >> beam.Partition(output_files.kind, 3)
        )
        return records, existing, (unfinished, more) | "Unfinished" >> beam.Flatten()

    def _told(self, damage: Damage) -> str:
        uri = storage.join(self._state, damage.name)
        notices.tell(
            uri, f"{uri} {damage.what}; photos without a record are made again, and files that are right already stay"
        )
        return str(damage)

    def _tell_gone(self, names: beam.PCollection[bytes]) -> None:
        number = AsSingleton(names | "Number of gone" >> beam.combiners.Count.Globally())
        _ = names | "First gone" >> beam.combiners.Top.Smallest(_NAMED) | "Tell gone" >> beam.Map(self._gone, number)

    def _gone(self, names: list[bytes], number: int) -> None:
        if number:
            photos, are = counted(number, "photo"), "is" if number == 1 else "are"
            which = first([os.fsdecode(name) for name in names], _NAMED, number)
            what = f"{photos} of earlier runs {are} not in the input any more: {which}"
            notices.tell("photos that are gone", f"{what}; the colour files stay in {self.output} without a record")

    def _told_if_mine(self, source: Source, rules: Rules) -> bool:
        is_mine = self.partition.has(rules.key(source.name))
        if is_mine and not self.selection.size:
            self.ticker.listed()
        return is_mine

    def _told_when_listed(self, photos: beam.PCollection[Source] | beam.PCollection[Task]) -> beam.PCollection[int]:
        return photos | "Number" >> beam.combiners.Count.Globally() | "All listed" >> beam.Map(self._all_listed)

    def _all_listed(self, number: int) -> int:
        self.ticker.all_listed()
        return number

    @property
    def _state(self) -> str:
        return self.state or self.output

    def _selected(self, task: Task, lowest: list[bytes]) -> Iterator[Task]:
        if (task.existing is None or task.needs_source) and self.selection.rank(task.named.source.name) > max(lowest):
            # Results of earlier runs stay in the manifest, whatever this trial selects.
            task = resume.left_alone(task)
        if task.existing is not None or self.selection.rank(task.named.source.name) <= max(lowest):
            self.ticker.listed()
            yield task


def _name(file: Source) -> str:
    return file.name


def _read(file: Source, index: Index) -> Iterator[Record | Damage]:
    if manifest.is_journal(file.name):
        read = list(record_files.journal(file.name, storage.read(file.uri)))
    else:
        read = list(record_files.shard(file.uri, file.name, index))
    is_whole = all(isinstance(one, Record) for one in read)
    for one in read:
        # Records from a damaged file are trusted only if the digests of the photos confirm them.
        yield one if is_whole or isinstance(one, Damage) else replace(one, pending=True)


def _records(read: Record | Damage) -> Iterator[Record]:
    if isinstance(read, Record):
        yield read


def _damaged(read: Record | Damage) -> Iterator[Damage]:
    if isinstance(read, Damage):
        yield read


def _missing(index: Index, names: list[str]) -> Iterator[Damage]:
    return record_files.missing(index, names)


def _decided(
    family: tuple[bytes, tuple[Iterable[Source], Iterable[bytes], Iterable[Record], Iterable[Source]]],
    policy: Policy,
    rules: Rules,
    number: int = 0,
) -> Iterator[Any]:  # Beam warns of a bare TaggedOutput
    """Yield the tasks of a family, and the names of photos that are gone and whose colour files are still there."""
    _, (sources, closed, records, existing) = family
    sources, records = list(sources), list(records)
    listed = [Listed(name=file.name, bytes=file.size, fingerprint=file.fingerprint) for file in existing]
    left = {file.name for file in listed}
    for task in tasks(sources, records, listed, policy, rules, folders=map(os.fsdecode, closed)):
        left -= {file.name for file in task.files}
        left -= {output.name for output in (task.existing.outputs if task.existing else ())}
        yield task
    present = {(source.name, source.offset) for source in sources}
    made = {record.name: record.made_digests for record in records if (record.name, record.offset) not in present}
    yield from (TaggedOutput(_GONE, os.fsencode(name)) for name, files in made.items() if not left.isdisjoint(files))
