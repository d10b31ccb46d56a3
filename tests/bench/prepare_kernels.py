"""What each kernel of `prepare` costs on one core, and what decoding at a smaller scale does, for `prepare_bench`."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from pipelines.dataset.examples import convert, to_example
from pipelines.errors import Rejected
from pipelines.images.decode import Photo, decode
from pipelines.images.photo_area import judge
from pipelines.runtime.photo_process import PhotoProcesses
from pipelines.runtime.progress import Ticker
from tfrecords.color import srgb_to_codes, srgb_to_lab
from tfrecords.example import LabExample
from tfrecords.shards import ShardWriter
from tfrecords.squeezing import squeezed
from tfrecords.statistics import Statistics

T = TypeVar("T")
SIZE = 256
TOGETHER = 8  # as pipelines.dataset.conversion hands them over
SHRINK_TO = 2 * SIZE  # as pipelines.dataset.shard_writer decodes


def record(path: str) -> bytes | None:
    """Makes the record of a photo; None if it is rejected."""
    try:
        return to_example(decode(Path(path).read_bytes(), SHRINK_TO), path, SIZE).to_bytes()
    except Rejected:
        return None


class _Clock:
    """Sums the time of pieces of work by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = work()
        self.seconds[name] += time.perf_counter() - started
        return result


def cost(paths: list[str], folder: Path, rounds: int) -> None:
    """The table of kernels, milliseconds a photo on one core."""
    cv2.setNumThreads(1)
    tables: list[dict[str, float]] = []
    processes = PhotoProcesses(convert)
    for _ in range(rounds):
        clock, photos = _Clock(), 0
        batch: list[tuple[bytes, tuple[Any, ...]]] = []
        with (folder / "records").open("wb") as file:
            writer, statistics_ = ShardWriter(file), Statistics()
            (folder / "ticks").touch()
            ticker = Ticker(str(folder / "ticks"))
            for path in paths:
                if record(path):
                    photos += 1
                    _time_kernels(path, clock, writer, statistics_, ticker, processes, batch)
        tables.append({name: 1e3 * seconds / photos for name, seconds in clock.seconds.items()})
    print(f"\n{photos} photos that are kept, milliseconds each")
    for name in tables[0]:
        print(f"{name:38} {statistics.median(table[name] for table in tables):6.2f}")


def _time_kernels(
    path: str,
    clock: _Clock,
    writer: ShardWriter,
    statistics_: Statistics,
    ticker: Ticker,
    processes: PhotoProcesses,
    batch: list[tuple[bytes, tuple[Any, ...]]],
) -> None:
    data = clock("read", lambda: Path(path).read_bytes())
    photo = clock("decode", lambda: decode(data, SHRINK_TO))
    clock("judge", lambda: judge(photo.pixels, photo.chroma_step))
    rgb = clock("resize", lambda: _squeezed(photo))
    luminance, chroma = clock("Lab, quantised", lambda: srgb_to_codes(rgb))
    example = LabExample(luminance=luminance, chroma=chroma, height=photo.height, width=photo.width, name=path)
    made = clock("encode (chroma, Example)", example.to_bytes)
    clock("write", lambda: writer.write(made))
    clock("beside the kernels: statistics", lambda: statistics_.add(example, len(made)))
    clock("beside: decode … Lab in a child process", lambda: processes.call(data, path, SIZE))
    batch.append((data, (path, SIZE)))
    if len(batch) == TOGETHER:
        clock("beside: the same, eight together", lambda: processes.call_together(batch))
        batch.clear()
    clock("beside the kernels: progress", lambda: ticker.done("written"))


def _squeezed(photo: Photo) -> np.ndarray:
    return squeezed(photo.pixels, SIZE, SIZE)


def draft(paths: list[str], rounds: int, least: int) -> None:
    """What decoding at 1/2, 1/4 or 1/8, no side below ``least``, gains and loses where a photo is large enough."""
    whole_s, draft_s = _Clock(), _Clock()
    errors: list[tuple[float, float, float, float]] = []
    for path in paths:
        try:
            data = Path(path).read_bytes()
            small = decode(data, least)
        except Rejected:
            continue
        if small.pixels.ndim < 3 or small.pixels.shape[0] == small.height:
            continue
        whole = decode(data)
        for _ in range(rounds):
            whole_s("decode", partial(decode, data))
            draft_s("decode", partial(decode, data, least))
            for photo, clock in ((whole, whole_s), (small, draft_s)):
                clock("resize", partial(_squeezed, photo))
        error = np.abs(srgb_to_lab(_squeezed(whole)) - srgb_to_lab(_squeezed(small)))
        luminance, chroma = error[..., 0], error[..., 1:]
        errors.append((luminance.mean(), np.percentile(luminance, 99), chroma.mean(), np.percentile(chroma, 99)))
    print(f"\ndecoding no smaller than {least} pixels applies to {len(errors)} of {len(paths)} photos")
    if not errors:
        return
    for name in ("decode", "resize"):
        times = [1e3 * clock.seconds[name] / rounds / len(errors) for clock in (whole_s, draft_s)]
        print(f"{name}: whole {times[0]:.2f} ms, draft {times[1]:.2f} ms")
    L, L99, ab, ab99 = np.mean(errors, axis=0)  # noqa: N806 (its name)
    print(f"error at {SIZE} x {SIZE}: L mean {L:.2f}, p99 {L99:.2f}; ab mean {ab:.2f}, p99 {ab99:.2f}")
