"""`DetectMarks`: find out what each picture of an input says about its making."""

from dataclasses import dataclass

import apache_beam as beam

from pipelines.audit.detection import Detection, detect
from pipelines.audit.examine import examine
from pipelines.audit.in_threads import InThreads
from pipelines.audit.write_lines import Line
from pipelines.files.sources import Source
from pipelines.runtime import runners
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import SILENT, Ticker

KIND = "detections"


@dataclass(eq=False)
class DetectMarks(beam.PTransform):
    """Detect marks: PCollection of `Source` → PCollection of `Detection`, one per file.

        >>> with beam.Pipeline(runner="FnApiRunner") as p:
        ...     found = p | FindPhotos("colour") | DetectMarks()
        ...     _ = found | beam.Filter(lambda file: file.status == "unmarked") | beam.Map(print)

    Attributes:
        threads: files that a worker examines at a time; 0 for one per core in a local run with one worker, else 2.
        ticker: receives one report for every file; used by the command.
    """

    threads: int = 0
    ticker: Ticker = SILENT

    def expand(self, files: beam.PCollection[Source]) -> beam.PCollection[Detection]:
        """Build the graph."""
        threads = self.threads or runners.threads_of(files.pipeline)
        spread = files | "Spread" >> beam.Reshuffle()
        return spread | "Detect" >> beam.ParDo(InThreads(_detect, examine, threads, self.ticker))


def _detect(source: Source, processes: PhotoProcesses, last: bool) -> Detection:
    return detect(source, processes, cropped=True, last=last)


def line(detection: Detection) -> Line:
    """Return the line of a file for `pipelines.audit.write_lines`."""
    return Line(name=detection.name, key=detection.reason or detection.status, json=detection.to_json())
