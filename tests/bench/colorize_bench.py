"""The colorize job beside its bare kernels, on photos of archive-like sizes; and one photo by itself, cold.

    python tests/bench/colorize_bench.py --input=PHOTOS --model=SAVED_MODEL [--count=1000] [--rounds=3] [--work=DIR]

Makes ``count`` photos of 0.3 to 12 megapixels (log-uniform) of those in ``input``: crops, brought to size, with grain
as film and scanners leave it; of ten, eight are JPEG, one PNG and one TIFF. Then, by turns:

* kernels: the function that makes a photo in the job (`pipelines.archive.render.render`: decode, judge, find the
  border, predict, merge with the watermark, encode) and a plain write, in a loop in a process a core, with no Beam, no
  limits and no records
* each local mode of the job (``--modes``): threads (the default), processes, one

Rates are from the end of the listing to the last photo's outcome, without what starting takes; medians are printed, and
the ratio of each mode to the kernels. Processor seconds a photo are told as well, as they depend less on what else the
machine does. At last the time and memory of `--input one.jpg --output out.jpg` in a process of its own, for a small
photo and for one of 12 megapixels.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from colorize_job import Job
from PIL import Image
from prepare_job import pace

LEAST, MOST = 0.3e6, 12e6
FORMATS = ["jpg"] * 8 + ["png", "tif"]
GRAIN = 3.0  # standard deviation, of 255
MODES = {
    "threads": (),
    "processes": ("--direct_num_workers=0", "--direct_running_mode=multi_processing"),
    "one": ("--direct_num_workers=1",),
}


@dataclass(frozen=True)
class Rate:
    """Photos a second, megapixels a second, and processor seconds a photo with those of the start."""

    photos: float
    megapixels: float
    processor: float


def make(folder: Path, count: int, target: Path) -> float:
    """Fills ``target`` with photos; returns their megapixels."""
    draw = np.random.default_rng(0)
    originals = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is not None and picture.dtype == np.uint8 and min(picture.shape[:2]) > 200:
            originals.append(picture[..., :3] if picture.ndim == 3 else picture)
    target.mkdir(parents=True, exist_ok=True)
    total = 0
    for index in range(count):
        path = target / f"{index:05d}.{FORMATS[index % len(FORMATS)]}"
        picture = made(originals[index % len(originals)], draw)
        total += picture.shape[0] * picture.shape[1]
        if path.exists():
            continue
        options = {"jpg": {"quality": 90}, "png": {"compress_level": 6}, "tif": {"compression": "tiff_lzw"}}
        Image.fromarray(picture if picture.ndim == 2 else picture[..., ::-1]).save(path, **options[path.suffix[1:]])
    return total / 1e6


def made(original: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    height, width = original.shape[:2]
    share = draw.uniform(0.7, 1, 2)
    rows, columns = (share * (height, width)).astype(int)
    top, left = draw.integers(0, height - rows + 1), draw.integers(0, width - columns + 1)
    pixels = np.exp(draw.uniform(np.log(LEAST), np.log(MOST)))
    scale = np.sqrt(pixels / (rows * columns))
    crop = np.ascontiguousarray(original[top : top + rows, left : left + columns])
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    grown = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    grain = np.empty(grown.shape[:2], np.int16)
    cv2.setRNGSeed(int(draw.integers(1 << 30)))
    cv2.randn(grain, 0, GRAIN)
    grain = grain if grown.ndim == 2 else grain[..., None]
    return np.clip(grown + grain, 0, 255).astype(np.uint8)


_kernel = None


class _Alone:
    """Stands for the parent of a child process: predicts, and takes the files."""

    def __init__(self, colorizer: Any, output: str) -> None:
        self._colorizer, self._output = colorizer, Path(output)
        self.path = Path()

    def ask(self, question: Any) -> np.ndarray:
        from model.guidance import guided

        predict = self._colorizer.predict
        return guided.answer(question, guided.Choices(), lambda light, given: predict(light))

    def give(self, file: bytes) -> None:
        (self._output / self.path.name).write_bytes(file)


def start(model: str, output: str) -> None:
    """Readies a process for ``one``."""
    global _kernel
    from model.colorizer import Colorizer
    from model.watermark_code import Payload
    from pipelines.archive.provenance import Recipe, Settings
    from pipelines.archive.render import render, warm_up
    from pipelines.archive.render_options import SOFTWARE, RenderOptions
    from pipelines.images.xmp import Mark

    cv2.setNumThreads(1)
    warm_up()
    colorizer = Colorizer.load(model, one_thread=True)
    colorizer.predict(np.zeros((1, colorizer.size, colorizer.size, 1), np.float32))
    recipe = Recipe.of(model, Settings())
    digest = recipe.model_digest
    alone, watermark = _Alone(colorizer, output), Payload.of(digest, recipe.settings_digest)

    def kernel(path: str) -> None:
        alone.path = Path(path)
        mark = Mark(software=SOFTWARE, model_name=recipe.model, model_digest=digest, source_name=alone.path.name)
        options = RenderOptions(size=colorizer.size, mark=mark, watermark=watermark)
        rendered = render(alone, alone.path.read_bytes(), options)
        assert rendered.status == "written", rendered

    _kernel = kernel


def one(path: str) -> float:
    """Makes a photo; returns the processor seconds of the process so far."""
    assert _kernel is not None
    _kernel(path)
    return time.process_time()


def kernels(photos: Path, model: str, output: Path, megapixels: float) -> Rate:
    output.mkdir(parents=True)
    paths = sorted(map(str, photos.iterdir()))
    used = _children()
    pool = multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0)), start, (model, str(output)))
    with pool:
        results = pool.imap_unordered(one, paths)
        next(results)
        started = time.perf_counter()
        count = sum(1 for _ in results)
        rate = count / (time.perf_counter() - started)
        pool.close()
        pool.join()
    return Rate(rate, rate * megapixels / len(paths), (_children() - used) / len(paths))


def job(photos: Path, model: str, output: Path, megapixels: float, flags: tuple[str, ...]) -> Rate:
    used = _children()
    found = pace(photos, output, f"--model={model}", *flags, kind=Job)
    return Rate(found.rate, found.rate * megapixels / found.photos, (_children() - used) / found.photos)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def alone(path: Path, model: str, folder: Path) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak megabytes of one photo in a process of its own."""
    target = folder / f"alone-{path.stem}.jpg"
    target.unlink(missing_ok=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", "pipelines.cli", "colorize", f"--input={path}", f"--output={target}"]
    process = subprocess.Popen([*command, f"--model={model}"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{path}: ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos to make others of")
    parser.add_argument("--model", required=True, metavar="DIR", help="saved_model folder")
    parser.add_argument("--count", type=int, default=1000, help="photos (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each one runs (3)")
    parser.add_argument("--modes", nargs="*", choices=MODES, default=["threads", "processes"])
    parser.add_argument("--work", type=Path, metavar="DIR", help="where the photos made stay for the next time")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="colorize-bench-") as scratch:
        folder = (args.work or Path(scratch)) / f"photos-{args.count}"
        megapixels = make(args.input, args.count, folder)
        print(f"{args.count} photos, {megapixels:.0f} megapixels, {len(os.sched_getaffinity(0))} cores", flush=True)
        rates: dict[str, list[Rate]] = {name: [] for name in ("kernels", *args.modes)}
        for number in range(args.rounds):
            for name, found in rates.items():
                output = Path(scratch) / f"{name}-{number}"
                if name == "kernels":
                    found.append(kernels(folder, args.model, output, megapixels))
                else:
                    found.append(job(folder, args.model, output, megapixels, MODES[name]))
                rate = found[-1]
                print(
                    f"{name:10} {rate.photos:6.2f} photos/s {rate.megapixels:6.2f} megapixels/s "
                    f"{rate.processor:6.2f} processor s a photo",
                    flush=True,
                )
                subprocess.run(["rm", "-r", str(output)], check=True)
        medians = {name: statistics.median(rate.photos for rate in found) for name, found in rates.items()}
        for name in args.modes:
            print(f"{name} / kernels: {medians[name] / medians['kernels']:.2f}")
        small, large = Path(scratch) / "small.jpg", Path(scratch) / "large.jpg"
        picture = Image.open(min(folder.glob("*.jpg"))).convert("RGB")
        picture.resize((640, 480)).save(small, quality=90)
        picture.resize((4000, 3000)).save(large, quality=90)
        for name, path in (("640 x 480", small), ("12 megapixels", large)):
            found = [alone(path, args.model, Path(scratch)) for _ in range(args.rounds)]
            wall, processor, peak = (statistics.median(values) for values in zip(*found, strict=True))
            print(f"alone, {name}: {wall:.2f} s, {processor:.2f} processor s, {peak:.0f} MB")


if __name__ == "__main__":
    main()
