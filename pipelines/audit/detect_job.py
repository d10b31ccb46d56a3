"""The job of `autochrome detect --output`: one JSON line for each file of an input."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import apache_beam as beam

from pipelines.audit import detect_marks
from pipelines.audit.detect_marks import DetectMarks
from pipelines.audit.write_lines import WriteLines
from pipelines.files import storage, writable
from pipelines.files.find_photos import FindPhotos
from pipelines.runtime import runners
from pipelines.runtime.progress import watched


@dataclass(eq=False)
class Detect(beam.PTransform):
    """Run the whole job: root → the number of files by what was found.

    Attributes:
        input: folders, files or globs, checked.
        output: folder for the lines.
        marks: detects them.
    """

    input: Sequence[str]
    output: str
    _: KW_ONLY
    marks: DetectMarks

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[dict[str, int]]:
        """Apply the steps."""
        found = root | FindPhotos(self.input, on_found=self.marks.ticker.listed, is_checked=True) | self.marks
        return found | "Lines" >> beam.Map(detect_marks.line) | WriteLines(self.output, detect_marks.KIND)


def run(args: argparse.Namespace, beam_flags: Sequence[str]) -> dict[str, int] | None:
    """Run the job, whose input and output have been checked.

    Args:
        args: the flags of the command (`pipelines.audit_flags.detect`).
        beam_flags: Beam's flags.

    Returns:
        the number of files by what was found; None if the job runs elsewhere.

    Raises:
        UserError: a flag is wrong, or a worker found an error that the user can correct.
        JobFailedError: the job failed.
    """
    options = runners.beam_options(beam_flags)
    writable.check(args.output)
    local = runners.is_local(options)
    with watched("detecting", enabled=local) as ticker:
        marks = DetectMarks(runners.threads(beam_flags, options), ticker)
        runners.run(Detect(args.input, args.output, marks=marks), options)
    if not local:
        return None
    summary = json.loads(storage.read(storage.join(args.output, f"{detect_marks.KIND}.json")))
    return dict(summary["counts"])
