"""Predicting inside the fused stage of `pipelines.colorize` beside Beam's RunInference, on the same photos.

    python tests/bench/inference_bench.py --input=PHOTOS --model=SAVED_MODEL [--rounds=3]

Both jobs read, decode, predict, join and encode every photo in one process of FnApiRunner and write the files.

* fused: one stage, photos one by one, as `colorize` does it.
* RunInference: a ModelHandler over `Colorizer` with batches of up to 8. The model's inputs are a PCollection of their
  own, so that the photo travels beside its luminance as the file's bytes and is decoded again for the join.

They take turns; medians and their ratio are printed, then how many files of the two are the same bytes, whether a batch
of 8 gives the bits of single predictions, and the time of a prediction in batches of 1 and of 8.
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import cv2
import numpy as np
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, PredictionResult, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from model.colorizer import Colorizer
from model.upsampling import model_luminance, recolor
from pipelines.archive.lease import Lease
from pipelines.archive.naming import NamedSource
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.resume import Policy, Task
from pipelines.archive.stage import CarryOut
from pipelines.errors import Rejected
from pipelines.files import storage
from pipelines.files.find_photos import FindPhotos
from pipelines.files.sources import Source, find
from pipelines.images import decode, encode, formats, pages, samples
from pipelines.runtime.progress import SILENT

BATCH = 8


class Handler(ModelHandler[np.ndarray, PredictionResult, Colorizer]):
    """Luminance float32 [S, S, 1] → chroma float32 [S, S, 2], in batches."""

    def __init__(self, model: str) -> None:
        self._model = model

    def load_model(self) -> Colorizer:
        return Colorizer.load(self._model)

    def run_inference(
        self, batch: Sequence[np.ndarray], model: Colorizer, inference_args: dict[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        chroma = model.predict(np.stack(batch))
        return (PredictionResult(example, one) for example, one in zip(batch, chroma, strict=True))

    def batch_elements_kwargs(self) -> dict[str, int]:
        return {"min_batch_size": 1, "max_batch_size": BATCH}


class Decode(beam.DoFn):
    """Source → ((name, file), luminance)."""

    def __init__(self, size: int) -> None:
        self._size = size

    def process(self, source: Source) -> Iterator[tuple[tuple[str, bytes], np.ndarray]]:
        data = source.read()
        try:
            pixels = samples.to_bytes(next(pages.read(data)).pixels)
        except Rejected:
            return
        yield (source.name, data), model_luminance(pixels, self._size)


class Join(beam.DoFn):
    """((name, file), prediction) → the colour photo, written."""

    def __init__(self, output: str) -> None:
        self._output = output

    def process(self, keyed: tuple[tuple[str, bytes], PredictionResult]) -> None:
        (name, data), prediction = keyed
        page = next(pages.read(data))
        file_format = formats.output_format("keep", page.format)
        pixels = recolor(samples.to_bytes(page.pixels), prediction.inference)
        file = encode.encode([(pixels, page.metadata)], file_format)
        storage.write(storage.join(self._output, formats.output_name(name, file_format)), file)


def fused(pattern: str, model: str, size: int, output: str) -> beam.PTransform:
    policy = Policy(recipe=Recipe.of(model, Settings()))
    tasks = FindPhotos(pattern) | beam.Map(
        lambda source: Task(named=NamedSource(source=source, own=source.name, stem=source.name))
    )
    lease = Lease(folder=output)
    lease.take()
    return tasks | beam.ParDo(CarryOut(output, model, policy, 1, SILENT, lease))


def run_inference(pattern: str, model: str, size: int, output: str) -> beam.PTransform:
    return (
        FindPhotos(pattern)
        | beam.ParDo(Decode(size))
        | RunInference(KeyedModelHandler(Handler(model)))
        | beam.ParDo(Join(output))
    )


def seconds(job: beam.PTransform) -> float:
    started = time.perf_counter()
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(["--direct_num_workers=1"])) as pipeline:
        _ = pipeline | job
    return time.perf_counter() - started


def compare_jobs(pattern: str, model: str, rounds: int) -> None:
    size = Colorizer.load(model).size
    jobs = {"fused": fused, "RunInference": run_inference}
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for name, job in jobs.items():
                output = Path(folder) / f"{name} {number}"
                taken = seconds(job(pattern, model, size, str(output)))
                files = [path for path in output.rglob("*") if path.is_file() and "journal" not in path.parts]
                rates[name].append(len(files) / taken)
                print(f"{name:13} {len(files)} photos in {taken:.1f} s, {rates[name][-1]:.2f}/s", flush=True)
        medians = {name: statistics.median(found) for name, found in rates.items()}
        ratio = medians["fused"] / medians["RunInference"]
        print("median: " + ", ".join(f"{name} {rate:.2f}/s" for name, rate in medians.items()) + f", ratio {ratio:.2f}")
        first = Path(folder) / "fused 0"
        for other in [f"{name} {number}" for name in jobs for number in range(rounds)][1:]:
            same = [
                path.read_bytes() == (Path(folder) / other / path.relative_to(first)).read_bytes()
                for path in first.rglob("*")
                if path.is_file() and "journal" not in path.parts
            ]
            print(f"fused 0 and {other}: {sum(same)} of {len(same)} files are the same bytes")


def compare_batches(pattern: str, model: str, rounds: int) -> None:
    colorizer = Colorizer.load(model)
    inputs = []
    for source in find(pattern):
        try:
            inputs.append(model_luminance(decode.decode(source.read()).pixels, colorizer.size))
        except Rejected:
            continue
        if len(inputs) == 4 * BATCH:
            break
    stacked = np.stack(inputs)
    single = np.concatenate([colorizer.predict(one[None]) for one in inputs])
    batched = np.concatenate([colorizer.predict(stacked[at : at + BATCH]) for at in range(0, len(stacked), BATCH)])
    difference = np.abs(single - batched)
    print(
        f"a batch of {BATCH} gives other bits than single photos in {np.mean(difference > 0):.1%} of the values of "
        f"{np.mean(difference.max(axis=(1, 2, 3)) > 0):.0%} of the photos, by {difference.max():.1e} Lab units at most"
    )
    times: dict[int, list[float]] = {1: [], BATCH: []}
    for _ in range(max(3, rounds)):
        for batch, found in times.items():
            started = time.perf_counter()
            for at in range(0, len(stacked), batch):
                colorizer.predict(stacked[at : at + batch])
            found.append(1e3 * (time.perf_counter() - started) / len(stacked))
    for batch, found in times.items():
        print(f"prediction in batches of {batch}: {statistics.median(found):.1f} ms a photo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", required=True, metavar="DIR_OR_GLOB", help="photos")
    parser.add_argument("--model", required=True, metavar="DIR", help="saved_model folder")
    parser.add_argument("--rounds", type=int, default=3, help="how often each job runs (3)")
    args = parser.parse_args()
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    cv2.setNumThreads(1)
    compare_batches(args.input, args.model, args.rounds)
    compare_jobs(args.input, args.model, args.rounds)


if __name__ == "__main__":
    main()
