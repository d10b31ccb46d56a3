"""The job of `autochrome verify --report`: one JSON line for each file of a colorized folder."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

import apache_beam as beam

from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Record
from pipelines.audit import checks, summaries
from pipelines.audit.checks import Check
from pipelines.audit.write_lines import Line, WriteLines
from pipelines.files import storage, writable
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
        found = (of_runs, of_records, of_summaries) | beam.Flatten()
        return found | "Lines" >> beam.Map(_line) | WriteLines(self.report, KIND)


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
