"""The job that colorizes a folder of photos with a SavedModel, at full resolution, into a tree of the same shape.

list → spread over the workers → each photo is read, decoded, predicted, joined, encoded and written in one stage →
outcomes are counted. Only URIs and outcomes cross the shuffle; pixels never do.

Why not RunInference: it wants the model's inputs as a PCollection of their own, so that the photo must either travel
beside them or be read and decoded a second time; it lets one bad element fail its batch; and its batches depend on
timing, while chroma predicted in a batch differs in the last bits (up to 1e-4 Lab units) from that of single photos.
On 104 archive photos, 256 x 256 autoencoder, one process on two cores, both jobs five times by turns: 3.9 photos a
second in the fused stage (3.8 to 4.0) and 3.6 with RunInference in batches up to 8 (3.4 to 3.8), whose input files
were decoded twice. Every fused run gave the same bytes; of RunInference's files 10 to 21, depending on the run, were
equal to them. What batches save is little: a prediction takes 25 ms alone and 21 ms as one of 8, a whole photo 260.
``tests/bench/inference_bench.py`` measures it again.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import apache_beam as beam
import cv2
from apache_beam.utils.shared import Shared
from rich.console import Console

from model import quiet, saved_model
from model.commands import Parser
from pipelines import commands, hints, photo, runners, sources, storage
from pipelines.limits import timed
from pipelines.outcomes import REJECTED_FILE, Outcome, Rejected, count, print_table, to_jsonl
from pipelines.progress import SILENT, Ticker, watched
from pipelines.recolor import model_luminance, recolor
from pipelines.sources import FindSources, Source
from tfrecords.color import Floats

if TYPE_CHECKING:
    from model.colorizer import Colorizer

REPORT_FILE = "report.json"


def colorize_photo(
    data: bytes, name: str, size: int, predict: Callable[[Floats], Floats], format_: str
) -> tuple[str, bytes]:
    """Colorizes one photo.

    Args:
        data: the file.
        name: its path relative to the input.
        size: side S of the model's input.
        predict: luminance float32 ``[1, S, S, 1]`` in [0, 1] → a and b, float32 ``[1, S, S, 2]``.
        format_: ``keep``, ``jpeg``, ``png``, ``tiff`` or ``webp``.

    Returns:
        the path relative to the output, and the file: as many pixels as the source has upright, its luminance kept.

    Raises:
        Rejected: ``unreadable``, ``too_large`` or ``timed_out``.
    """
    source = timed(lambda: photo.decode(data))
    chroma = predict(model_luminance(source.pixels, size)[None])[0]
    file_format = photo.output_format(format_, source.format)
    return photo.output_name(name, file_format), photo.encode(
        recolor(source.pixels, chroma), file_format, source.metadata
    )


class ColorizePhotos(beam.DoFn):
    """Source → Outcome; writes the colour photo on the way. Workers of one process share one model."""

    def __init__(self, output: str, model: str, format_: str, ticker: Ticker) -> None:
        self._output = output
        self._model = model
        self._format = format_
        self._ticker = ticker
        self._shared = Shared()
        self._colorizer: Colorizer | None = None

    def setup(self) -> None:
        """Loads the model."""
        with quiet.startup():
            from model.colorizer import Colorizer

        cv2.setNumThreads(1)  # the runner has a worker a core
        self._colorizer = self._shared.acquire(lambda: Colorizer.load(self._model), tag=self._model)

    def process(self, source: Source) -> Iterator[Outcome]:
        """Colorizes one photo."""
        outcome = self._colorize(source)
        count(outcome)
        self._ticker.done(outcome.status)
        yield outcome

    def _colorize(self, source: Source) -> Outcome:
        assert self._colorizer is not None
        try:
            data = source.read()
            name, file = colorize_photo(data, source.name, self._colorizer.size, self._colorizer.predict, self._format)
        except Rejected as verdict:
            return Outcome(source.name, "rejected", verdict.reason, verdict.detail, source.uri)
        storage.write(storage.join(self._output, name), file)
        return Outcome(source.name, "written", uri=source.uri)


def _write_report(counts: list[tuple[str, int]], output: str, made_with: dict[str, str]) -> None:
    report = {**made_with, "outcomes": dict(sorted(counts))}
    storage.write(storage.join(output, REPORT_FILE), (json.dumps(report, indent=2) + "\n").encode())


def _write_rejected(rejected: list[Outcome], output: str) -> None:
    storage.write(storage.join(output, REJECTED_FILE), to_jsonl(rejected))


@dataclass(eq=False)
class Colorize(beam.PTransform):
    """The whole job: photos below ``input`` appear in colour in ``output``, with a report and the rejected ones."""

    input: str
    output: str
    model: str
    format: str = "keep"
    ticker: Ticker = SILENT
    hints: dict[str, str] = field(default_factory=dict)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection[None]:
        """Builds the graph."""
        outcomes = (
            root
            | "Find" >> FindSources(self.input, self.ticker)
            | "Spread" >> beam.Reshuffle()
            | "Colorize"
            >> beam.ParDo(ColorizePhotos(self.output, self.model, self.format, self.ticker)).with_resource_hints(
                **self.hints
            )
        )
        made_with = {"model": self.model, "model_digest": saved_model.digest(self.model), "format": self.format}
        rejected = (
            outcomes
            | "Rejected" >> beam.Filter(lambda outcome: outcome.status == "rejected")
            | "Gather rejected" >> beam.combiners.ToList()
            | "Write rejected" >> beam.Map(_write_rejected, self.output)
        )
        report = (
            outcomes
            | "Key" >> beam.Map(lambda outcome: outcome.key)
            | "Count" >> beam.combiners.Count.PerElement()
            | "Gather counts" >> beam.combiners.ToList()
            | "Write report" >> beam.Map(_write_report, self.output, made_with)
        )
        return (rejected, report) | "Written" >> beam.Flatten()


def _parser() -> Parser:
    parser = Parser(
        "colorize",
        "--input DIR_OR_GLOB --output DIR [flags] [Beam flags]",
        "Colorize photos of any size with a SavedModel; luminance stays as it is.",
        "autochrome colorize --input scans --output colour --model run/saved_model",
    )
    paths = parser.add_argument_group("paths (local or gs://)")
    paths.add_argument("--input", required=True, metavar="DIR_OR_GLOB", help="photos, with all subfolders")
    paths.add_argument("--output", required=True, metavar="DIR", help="where the same tree in colour goes")
    paths.add_argument("--model", required=True, metavar="DIR", help="saved_model folder that `autochrome train` wrote")
    photos = parser.add_argument_group("photos")
    photos.add_argument(
        "--format",
        choices=["keep", "jpeg", "png", "tiff", "webp"],
        default="keep",
        help="of the files written (keep; PNG where the source's is none of these)",
    )
    machines = parser.add_argument_group("machines")
    machines.add_argument("--accelerator", default="", metavar="GPU", help="of Dataflow's workers, in its words")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs ``autochrome colorize``."""
    args, beam_flags = _parser().parse_known_args(argv)
    options = runners.beam_options(beam_flags)
    sources.check_any(args.input)
    sources.check_apart(args.input, args.output)
    saved_model.check(args.model)
    storage.check_writable(args.output)
    with watched("colorizing", enabled=runners.is_local(options)) as ticker:
        asked = hints.of(options, args.accelerator)
        runners.run(Colorize(args.input, args.output, args.model, args.format, ticker, asked), options)
    if runners.is_local(options):
        report = json.loads(storage.read(storage.join(args.output, REPORT_FILE)))
        print_table(f"Colorized {args.input}", report["outcomes"], Console())
        print(f"{args.output}: the photos; {REPORT_FILE}, and the rejected ones and why in {REJECTED_FILE}")
    return 0


if __name__ == "__main__":
    commands.run_module("pipelines.colorize")
