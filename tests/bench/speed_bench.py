"""Where the time goes: the table of docs/speed.md, of this checkout and by turns of an older one.

    python tests/bench/speed_bench.py --archive=DIR --imagenet=DIR [--old=CHECKOUT] [--rounds=2] [--only=ROW …]

`archive` has scans and old photos, `imagenet` photos for training. `old` is a checkout (``git worktree add``) that runs
with the same interpreter; the two take turns in every round, and medians are printed. Every figure comes from a process
of its own. `others` is how many cores somebody else kept busy meanwhile; figures are worth nothing where it is not
close to 0. The whole takes seven minutes on two cores (``--rounds=1``: four).

Rows: `stages` (processor milliseconds of one thread, by stage, for photos of 0.3, 3, 12 and 100 megapixels), `archive`
(all scans, two at a time, milliseconds each), `colorize` (240 photos: the whole command, its rate from the end of the
listing to the last photo, the kernels alone, and the time before the first photo is done), `single` (one photo, cold),
`start` (help, version, a typo), `prepare` (4,000 photos, likewise), `report` (the page of a report of 100,000 photos,
without a browser; ``report_bench.py`` measures it in one).
"""

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROWS = ("stages", "archive", "colorize", "single", "start", "prepare", "report")
MEGAPIXELS = {"0.3": 8, "3": 8, "12": 8, "100": 1}  # and how many photos of that size
STAGES = ("decode", "predict", "merge", "encode")
REPORTED = 100_000
Figures = dict[str, float]


class _Kernels:
    """Decoding, predicting, merging and encoding by the checkout that is imported."""

    def __init__(self) -> None:
        import cv2
        import numpy as np

        from model import saved_model, upsampling
        from model.colorizer import Colorizer
        from pipelines.images import encode, formats, pages, samples

        cv2.setNumThreads(1)
        options = {"one_thread": True} if "one_thread" in inspect.signature(Colorizer.load).parameters else {}
        self._colorizer = Colorizer.load(getattr(saved_model, "RELEASED", "released"), **options)
        self._upsampling, self._encode, self._formats = upsampling, encode, formats
        self._pages, self._samples = pages, samples
        self._takes_seen = "seen" in inspect.signature(upsampling.recolor).parameters
        size = self._colorizer.size
        self._colorizer.predict(np.zeros((1, size, size, 1), np.float32))
        for shape in ((16, 16), (16, 16, 3)):
            upsampling.recolor(np.zeros(shape, np.uint8), np.zeros((8, 8, 2), np.float32))

    def stages(self, data: bytes) -> Figures:
        """Processor milliseconds of this thread, by stage."""
        found: Figures = {}

        def timed(name: str, work: Callable[[], Any]) -> Any:
            started = time.thread_time()
            result = work()
            found[name] = 1e3 * (time.thread_time() - started)
            return result

        page = timed("decode", lambda: next(self._pages.read(data)))
        pixels = self._samples.to_bytes(page.pixels)
        size = self._colorizer.size

        def predict() -> Any:
            seen = self._upsampling.model_luminance(pixels, size)
            return seen, self._colorizer.predict(seen[None])[0]

        seen, chroma = timed("predict", predict)
        more = {"seen": seen} if self._takes_seen else {}
        colour = timed("merge", lambda: self._upsampling.recolor(pixels, chroma, **more))
        file_format = self._formats.output_format("keep", page.format)
        timed("encode", lambda: self._encode.encode([(colour, page.metadata)], file_format))
        return found


def stages(folder: Path) -> Figures:
    """Mean processor milliseconds by size and stage, one thread."""
    kernels, figures = _Kernels(), {}
    for megapixels in MEGAPIXELS:
        found = [kernels.stages(path.read_bytes()) for path in sorted(folder.glob(f"{megapixels}mp-*.jpg"))]
        for stage in STAGES:
            figures[f"{megapixels} megapixels, {stage}, ms"] = statistics.mean(one[stage] for one in found)
        figures[f"{megapixels} megapixels, all, ms"] = sum(statistics.mean(one[s] for one in found) for s in STAGES)
    return figures


def archive(folder: Path) -> Figures:
    """Mean milliseconds of a scan, two at a time."""
    kernels = _Kernels()
    files = [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]

    def one(data: bytes) -> Figures | None:
        try:
            return kernels.stages(data)
        except Exception:  # not a photo
            return None

    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        found = [figures for figures in pool.map(one, files) if figures]
    taken = 1e3 * (time.perf_counter() - started) / len(found)
    figures = {f"archive, {stage}, ms": statistics.mean(one[stage] for one in found) for stage in STAGES}
    return {**figures, "archive, all, ms": sum(figures.values()), "archive, wall ms a scan": taken}


def colorize(folder: Path) -> Figures:
    """The command, and its kernels in two processes."""
    import colorize_bench
    from colorize_job import Job
    from prepare_job import pace

    count = sum(1 for _ in folder.iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        run = pace(folder, Path(scratch) / "job", kind=Job)
        whole = time.perf_counter() - started
        rate = colorize_bench.kernels(folder, "released", Path(scratch) / "kernels", 1.0).photos
    return {
        "colorize, whole command, s": whole,
        "colorize, photos/s": run.rate,
        "colorize, kernels, photos/s": rate,
        "colorize, job / kernels": run.rate / rate,
        "colorize, whole command / kernels": count / whole / rate,
        "colorize, first photo, s": run.before,
    }


def prepare(folder: Path) -> Figures:
    """The command, and its kernels in two processes."""
    import prepare_bench
    from prepare_job import pace

    paths = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as scratch:
        run = pace(folder, Path(scratch) / "job")
        rate = prepare_bench.kernels_rate(paths, Path(scratch) / "kernels")
    return {
        "prepare, first photo, s": run.before,
        "prepare, whole command, s": run.seconds,
        "prepare, photos/s": run.rate,
        "prepare, kernels, photos/s": rate,
        "prepare, job / kernels": run.rate / rate,
    }


def _command(*arguments: str) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak megabytes of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def single(folder: Path) -> Figures:
    """One photo by itself."""
    with tempfile.TemporaryDirectory() as scratch:
        photo, output = folder / "0.3mp-0.jpg", Path(scratch) / "new.jpg"
        _command("colorize", f"--input={photo}", f"--output={Path(scratch) / 'compiles.jpg'}")
        wall, processor, peak = _command("colorize", f"--input={photo}", f"--output={output}")
    return {"single photo, s": wall, "single photo, processor s": processor, "single photo, MB": peak}


def start(folder: Path) -> Figures:
    """Commands that end at once."""
    arguments = {"--help": ["--help"], "--version": ["--version"], "a typo": ["colorize", "--inptu=in"]}
    return {f"{name}, s": statistics.median(_command(*a)[0] for _ in range(3)) for name, a in arguments.items()}


def report(folder: Path) -> Figures:
    """The files of a report's page, without a browser."""
    from report_bench import write_many

    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        write_many(Path(scratch), REPORTED)
        taken = time.perf_counter() - started
        size = sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())
    return {"report of 100,000, writing the page, s": taken, "report of 100,000, MB": size / 1e6}


def _photos(archive: Path, target: Path) -> None:
    """Make the photos of `stages`, in sizes of a scan."""
    import cv2

    target.mkdir()
    originals = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(archive.iterdir())]
    large = sorted((one for one in originals if one is not None), key=lambda one: -one.size)[: max(MEGAPIXELS.values())]
    assert large, f"{archive} has no photos"
    for megapixels, count in MEGAPIXELS.items():
        for index in range(count):
            photo = large[index % len(large)]
            scale = (float(megapixels) * 1e6 / photo.size) ** 0.5
            size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
            resized = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
            grey = [cv2.IMWRITE_JPEG_QUALITY, 90]
            cv2.imwrite(str(target / f"{megapixels}mp-{index}.jpg"), resized, grey)


def _measured(row: str, folder: Path, checkout: Path) -> tuple[Figures, float]:
    """The figures of a row, measured in a process with a checkout's modules; and how many cores others kept busy."""
    from prepare_bench import others

    # The kernels of an older checkout are measured by its own benches.
    paths = [str(checkout), str(checkout / "tests" / "bench"), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", __file__, f"--measure={row}", f"--folder={folder}"]
    with others() as other:
        done = subprocess.run(command, env=environment, cwd=checkout, stdout=subprocess.PIPE, check=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures, other()


def compare(rows: list[str], folders: dict[str, Path], checkouts: dict[str, Path], rounds: int) -> None:
    """Print the table."""
    print(f"{'':<45}" + "".join(f"{name:>10}" for name in checkouts) + f"{'ratio':>8}{'others':>8}", flush=True)
    for row in rows:
        found: dict[str, list[Figures]] = defaultdict(list)
        busy = 0.0
        for number in range(rounds):
            for name, checkout in list(checkouts.items())[:: -1 if number % 2 else 1]:
                figures, other = _measured(row, folders[row], checkout)
                found[name].append(figures)
                busy = max(busy, other)
        for figure in found["new"][0]:
            values = [statistics.median(one[figure] for one in found[name]) for name in checkouts]
            ratio = f"{values[0] / values[-1]:8.2f}" if len(values) > 1 else f"{'':8}"
            print(f"{figure:<45}" + "".join(f"{value:10.3g}" for value in values) + f"{ratio}{busy:8.2f}", flush=True)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, metavar="DIR", help="scans and old photos")
    parser.add_argument("--imagenet", type=Path, metavar="DIR", help="photos for training")
    parser.add_argument("--old", type=Path, metavar="CHECKOUT", help="an older checkout to compare with")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--photos", type=int, default=240, help="to colorize (240)")
    parser.add_argument("--examples", type=int, default=4000, help="to prepare (4000)")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="rows (all)")
    parser.add_argument("--measure", choices=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measures = {f.__name__: f for f in (stages, archive, colorize, single, start, prepare, report)}
        print(json.dumps(measures[args.measure](args.folder)))
        return
    if not args.archive or not args.imagenet:
        parser.error("--archive and --imagenet are needed")
    import colorize_bench
    import prepare_job

    with tempfile.TemporaryDirectory(prefix="speed-bench-") as place:
        photos, many, examples = (Path(place) / name for name in ("photos", "many", "examples"))
        _photos(args.archive, photos)
        if "colorize" in args.only:
            colorize_bench.make(args.archive, args.photos, many)
        if "prepare" in args.only:
            prepare_job.copies(args.imagenet, args.examples, examples)
        folders = dict.fromkeys(ROWS, photos) | {"archive": args.archive, "colorize": many, "prepare": examples}
        checkouts = {"old": args.old.resolve()} if args.old else {}
        compare(args.only, folders, {**checkouts, "new": Path(__file__).parents[2]}, args.rounds)


if __name__ == "__main__":
    main()
