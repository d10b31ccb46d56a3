"""The job of `autochrome verify --report`: one JSON line for each file of a colorized folder."""

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

import apache_beam as beam
from apache_beam.pvalue import AsSingleton

from pipelines.archive import output_files
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Record
from pipelines.audit import checks, summaries, unrecorded
from pipelines.audit.checks import Check
from pipelines.audit.write_lines import Line, WriteLines
from pipelines.files import storage, writable
from pipelines.files.sources import Source
from pipelines.runtime import runners

KIND = "checks"


@dataclass(eq=False)
class Verify(beam.PTransform):
    """Run the whole job: root → the number of checks by kind and verdict.

    Records are read in one place and spread; each worker hashes the files of its records.

    Attributes:
        ledger: of the folder.
        report: folder for the lines.
        sources: whether sources are hashed as well.
        model: SavedModel folder that should have made the photos; ''  if it is not checked.
    """

    ledger: Ledger
    report: str
    _: KW_ONLY
    sources: bool = False
    model: str = ""

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[dict[str, int]]:
        """Apply the steps."""
        ledger = root | "Folder" >> beam.Create([self.ledger])
        of_runs = ledger | "Runs" >> beam.FlatMap(checks.of_runs, self.model)
        read = ledger | "Records" >> beam.FlatMap(summaries.read)
        known = read | "Known" >> beam.FlatMap(_known) | beam.Reshuffle()
        of_records = known | "Check" >> beam.FlatMap(checks.of_record, self.ledger.folder, sources=self.sources)
        of_summaries = read | "Summaries" >> beam.FlatMap(_checked)
        found = (of_runs, of_records, of_summaries, *self._of_pictures(ledger, known, of_summaries)) | beam.Flatten()
        return found | "Lines" >> beam.Map(_line) | WriteLines(self.report, KIND)

    def _of_pictures(
        self, ledger: beam.PCollection[Ledger], known: beam.PCollection[Record], damage: beam.PCollection[Check]
    ) -> Iterator[beam.PCollection[Check]]:
        """Yield the checks of pictures that no record names."""
        if not unrecorded.is_looked_for(self.ledger):
            return
        pictures = (
            ledger
            | "Branches" >> beam.FlatMap(lambda one: output_files.branches(one.folder))
            | "Spread branches" >> beam.Reshuffle()
            | "Pictures" >> beam.FlatMap(unrecorded.pictures, self.ledger)
            | "Key pictures" >> beam.Map(lambda picture: (os.fsencode(picture.name), picture))
        )
        joined = (
            known | "Names" >> beam.FlatMap(lambda record: [(os.fsencode(one.name), None) for one in record.outputs]),
            pictures,
        ) | "Join" >> beam.CoGroupByKey()
        number = AsSingleton(damage | "Damage" >> beam.combiners.Count.Globally())
        yield joined | "Unrecorded" >> beam.FlatMap(_unrecorded, number)


def _unrecorded(joined: tuple[bytes, tuple[Iterable[None], Iterable[Source]]], damage: int) -> Iterator[Check]:
    _, (recorded, pictures) = joined
    if not damage and not list(recorded):
        yield from map(unrecorded.check, pictures)


def _known(read: Record | Check) -> Iterator[Record]:
    if isinstance(read, Record):
        yield read


def _checked(read: Record | Check) -> Iterator[Check]:
    if isinstance(read, Check):
        yield read


def _line(check: Check) -> Line:
    return Line(name=check.name, key=check.key, json=check.to_json())


def run(ledger: Ledger, args: argparse.Namespace, beam_flags: Sequence[str]) -> dict[str, int] | None:
    """Run the job.

    Args:
        ledger: of the folder.
        args: the flags of the command (`pipelines.audit_flags.verify`).
        beam_flags: Beam's flags.

    Returns:
        the number of checks by kind and verdict; None if the job runs elsewhere.

    Raises:
        UserError: a flag is wrong, or a worker found an error that the user can correct.
        JobFailedError: the job failed.
    """
    options = runners.beam_options(beam_flags)
    writable.check(args.report, "--report")
    runners.run(Verify(ledger, args.report, sources=args.sources, model=args.model), options)
    if not runners.is_local(options):
        return None
    return dict(json.loads(storage.read(storage.join(args.report, f"{KIND}.json")))["counts"])
