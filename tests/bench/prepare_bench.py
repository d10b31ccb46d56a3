"""Speed of `prepare` beside that of its kernels alone and of img2dataset, on the same photos, two processes each.

    python tests/bench/prepare_bench.py --input=PHOTOS [--photos=6000] [--rounds=3] [--img2dataset=PYTHON]

The photos are copied, as often as it takes, into a temporary folder, each copy with bytes of its own. They take turns:

* job: `python -m pipelines.prepare` with two workers. Photos a second from start to end less the time that the same
  command takes with ten photos; the whole time, and that before the first photo's outcome, are printed beside it.
* kernels: two plain processes without Beam, each with half the photos, that read, decode, resize, judge, convert,
  serialise and write them; from when both are warm to when both are done.
* img2dataset (`--img2dataset` names an interpreter that has it): two processes, resize to 256, JPEG 95 into tars;
  file:// addresses; from start to end less the time that the same command takes with ten photos. As it comes (the
  longer side becomes 256, the rest is border); bare, without EXIF and hashes; and whole, where the photo fills the
  256 x 256 pixels as it does in our records (``center_crop``).

Behind each rate is the processor time of a photo: of all processes, less what the same command takes for ten photos
(job, img2dataset), or once the processes are warm (kernels). It is comparable on a busy machine, too.

`others` is how many cores somebody else kept busy meanwhile; the rates are worth nothing where it is not close to 0.
Then what each kernel costs, and what decoding at a smaller DCT scale gains and loses (`prepare_kernels`).
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TypeVar

import cv2
from prepare_job import WORKERS, copies, pace
from prepare_kernels import SIZE, cost, draft, record

from tfrecords.shards import ShardWriter

T = TypeVar("T")
PHOTOS_PER_SHARD = 1024
# Reads addresses from a file; 16 threads a process are plenty where nothing is downloaded.
IMG2DATASET = """
import sys
from img2dataset import download
if __name__ == "__main__":
    download(sys.argv[1], output_folder=sys.argv[2], image_size=256, processes_count=2, thread_count=16,
             number_sample_per_shard=1000, output_format="webdataset", **eval(sys.argv[3]))
"""
VARIANTS = {
    "img2dataset": "{}",
    "img2dataset bare": "{'extract_exif': False, 'compute_hash': None}",
    "img2dataset whole": "{'resize_mode': 'center_crop'}",
}


@contextmanager
def others() -> Iterator[Callable[[], float]]:
    """Gives the function that says, after the block, how many cores were busy with something else during it."""

    def own() -> float:
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    def busy() -> float:
        times = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return (sum(times) - times[3] - times[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and waiting

    started, before = time.monotonic(), busy() - own()
    result = [0.0]
    yield lambda: result[0]
    result[0] = max(0.0, busy() - own() - before) / (time.monotonic() - started)


def _work(paths: list[str], output: str, ready: Barrier) -> None:
    cv2.setNumThreads(1)
    for path in paths[:8]:
        record(path)
    ready.wait()
    started = time.process_time()
    for number in range(0, len(paths), PHOTOS_PER_SHARD):
        with Path(f"{output}-{number}").open("wb") as file:
            writer = ShardWriter(file)
            for path in paths[number : number + PHOTOS_PER_SHARD]:
                if made := record(path):
                    writer.write(made)
    Path(f"{output}.seconds").write_text(str(time.process_time() - started))
    ready.wait()


def kernels_rate(paths: list[str], output: Path) -> float:
    """Returns photos a second."""
    return kernels(paths, output)[0]


def kernels(paths: list[str], output: Path) -> tuple[float, float]:
    """Returns photos a second, and processor seconds in all."""
    output.mkdir()
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(WORKERS + 1)
    processes = [
        context.Process(target=_work, args=(paths[index::WORKERS], str(output / str(index)), ready))
        for index in range(WORKERS)
    ]
    for process in processes:
        process.start()
    ready.wait()
    started = time.monotonic()
    ready.wait()
    seconds = time.monotonic() - started
    for process in processes:
        process.join()
    return len(paths) / seconds, sum(float(path.read_text()) for path in output.glob("*.seconds"))


def children_seconds() -> float:
    """Returns the processor seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def used(work: Callable[[], T]) -> tuple[T, float]:
    """Returns what work returns, and the processor seconds of its processes."""
    before = children_seconds()
    return work(), children_seconds() - before


def img2dataset_seconds(python: str, flags: str, paths: list[str], output: Path) -> float:
    output.mkdir()
    addresses = output / "addresses.txt"
    addresses.write_text("".join(f"{Path(path).as_uri()}\n" for path in paths))
    program = output / "program.py"
    program.write_text(IMG2DATASET)
    started = time.monotonic()
    subprocess.run(
        [python, str(program), str(addresses), str(output / "images"), flags],
        check=True,
        capture_output=True,
        env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"},
    )
    return time.monotonic() - started


def compare(photos: Path, folder: Path, rounds: int, img2dataset: str) -> None:
    """All in turn."""
    paths = sorted(str(path) for path in photos.rglob("*") if path.is_file())
    few = folder / "few"
    copies(photos, 10, few)
    rates: dict[str, list[float]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)

    def say(name: str, rate: float, processor: float, other: float, remark: str = "") -> None:
        rates[name].append(rate)
        costs[name].append(1e3 * processor / len(paths))
        cost = f"{costs[name][-1]:5.2f} ms of processor"
        print(f"{name:17} {rate:7.1f}/s  {cost}  others {other:.2f} cores {remark}", flush=True)

    for number in range(rounds):
        output = folder / f"records {number}"
        short, start = used(lambda output=output: pace(few, output))
        shutil.rmtree(output)
        with others() as other:
            run, processor = used(lambda output=output: pace(photos, output))
        remark = f" {run.seconds:.1f} s in all, {run.before:.1f} s before the first photo"
        say("job", len(paths) / (run.seconds - short.seconds), processor - start, other(), remark)
        shutil.rmtree(output)
        with others() as other:
            rate, processor = kernels(paths, output)
        say("kernels", rate, processor, other())
        shutil.rmtree(output)
        for name, flags in VARIANTS.items() if img2dataset else ():
            small = partial(img2dataset_seconds, img2dataset, flags, paths[:10], output)
            whole = partial(img2dataset_seconds, img2dataset, flags, paths, output)
            start_up, start = used(small)
            shutil.rmtree(output)
            with others() as other:
                seconds, processor = used(whole)
            say(name, len(paths) / (seconds - start_up), processor - start, other(), f" {seconds:.1f} s in all")
            shutil.rmtree(output)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print("median: " + ", ".join(f"{name} {rate:.1f}/s" for name, rate in medians.items()))
    for name in medians:
        if name != "job":
            ratios = [job / rate for job, rate in zip(rates["job"], rates[name], strict=True)]
            said = ", ".join(f"{ratio:.2f}" for ratio in ratios)
            cost = statistics.median(costs[name]) / statistics.median(costs["job"])
            print(f"job / {name}: {medians['job'] / medians[name]:.2f} (by round {said}); by processor time {cost:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos, with all subfolders")
    parser.add_argument("--photos", type=int, default=6000, help="copies to make of them (6000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--img2dataset", default="", metavar="PYTHON", help="interpreter that has img2dataset")
    args = parser.parse_args()
    originals = sorted(str(path) for path in args.input.rglob("*") if path.is_file())
    if not originals:
        parser.error(f"{args.input} has no photos")
    with tempfile.TemporaryDirectory(prefix="prepare-bench-") as name:
        folder = Path(name)
        copies(args.input, args.photos, folder / "photos")
        print(f"{args.photos} photos", flush=True)
        compare(folder / "photos", folder, args.rounds, args.img2dataset)
        cost(originals, folder, args.rounds)
        for least in (SIZE, 2 * SIZE):
            draft(originals, args.rounds, least)


if __name__ == "__main__":
    main()
