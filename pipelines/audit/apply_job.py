"""The job of `autochrome apply --report`: colour photos from scans and sidecars, and one JSON line for each sidecar."""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from functools import partial

import apache_beam as beam

from pipelines.archive import applying
from pipelines.archive.applying import Applied
from pipelines.archive.chroma_file import ENDING
from pipelines.archive.render import render
from pipelines.audit.in_threads import InThreads
from pipelines.audit.write_lines import Line, WriteLines
from pipelines.files import listings, storage, writable
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.runtime import runners
from pipelines.runtime.photo_process import PhotoProcesses

KIND = "applied"


@dataclass(eq=False)
class Apply(beam.PTransform):
    """Run the whole job: root → the number of sidecars by outcome.

    Attributes:
        scans: folder of the scans.
        sidecars: folder of the sidecars.
        output: folder for the colour photos.
        report: folder for the lines.
        threads: sidecars that a worker works on at a time.
    """

    _: KW_ONLY
    scans: str
    sidecars: str
    output: str
    report: str
    threads: int = 0

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[dict[str, int]]:
        """Apply the steps."""
        threads = self.threads or runners.threads_of(root.pipeline)
        work = partial(_apply, scans=self.scans, output=self.output)
        found = (
            root
            | "Folder" >> beam.Create([os.fsencode(self.sidecars)])
            | "Branches" >> beam.FlatMap(lambda folder: listings.of_folder(os.fsdecode(folder), divide=True))
            | "Spread branches" >> beam.Reshuffle()
            | "Sidecars" >> beam.FlatMap(_sidecars, self.sidecars)
            | "Spread" >> beam.Reshuffle()
            | "Apply" >> beam.ParDo(InThreads(work, render, threads))
        )
        return found | "Lines" >> beam.Map(_line) | WriteLines(self.report, KIND)


def _sidecars(branch: Branch, folder: str) -> Iterator[Source]:
    for file in files(branch, folder.rstrip("/") or "/"):
        if file.name.endswith(ENDING):
            yield file


def _apply(
    sidecar: Source, processes: PhotoProcesses, last: bool, *, scans: str, output: str
) -> tuple[Source, Applied]:
    return sidecar, applying.apply(sidecar, scans, output, processes, last=last)


def _line(made: tuple[Source, Applied]) -> Line:
    sidecar, result = made
    return Line(name=sidecar.name, key=result.outcome, json=json.dumps({"name": sidecar.name, **asdict(result)}))


def run(args: argparse.Namespace, beam_flags: Sequence[str]) -> dict[str, int] | None:
    """Run the job, whose folders have been checked.

    Args:
        args: the flags of the command (`pipelines.audit_flags.apply`).
        beam_flags: Beam's flags.

    Returns:
        the number of sidecars by outcome; None if the job runs elsewhere.

    Raises:
        UserError: a flag is wrong, or a worker found an error that the user can correct.
        JobFailedError: the job failed.
    """
    options = runners.beam_options(beam_flags)
    writable.check(args.report, "--report")
    threads = runners.threads(beam_flags, options)
    folders = {"scans": args.input, "sidecars": args.sidecars, "output": args.output, "report": args.report}
    runners.run(Apply(**folders, threads=threads), options)
    if not runners.is_local(options):
        return None
    return dict(json.loads(storage.read(storage.join(args.report, f"{KIND}.json")))["counts"])
