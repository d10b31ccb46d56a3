"""Seconds by stage and peak memory of one large photo through the functions that `colorize` uses.

    python tests/bench/large_photo_bench.py [--model=SAVED_MODEL] [--photo=PHOTO] [--megapixels 12 100] [--rgb]

Of PHOTO (by default a photo of scikit-image) JPEGs of --megapixels are made, grey or, with --rgb, of three
channels. Each goes through decode, judgement of its tone, luminance for the model, model, recolor and encode in a
process of its own, twice: what is printed are the seconds of each stage of the faster one, wall time and in brackets
time of the processor, and the resident memory at its largest; in a second line what of it the interpreter with its
libraries and the model held before; in a third, by stage, how many bytes a pixel were resident at most, beyond that,
with the pictures that the stage is given. Without --model, no TensorFlow is loaded, and chroma is smooth and
random, of ±20.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from PIL import Image

from model.upsampling import model_luminance, recolor
from pipelines.archive.tone import tone_of
from pipelines.images import decode, pages
from pipelines.images.encode import encode
from pipelines.images.metadata import Metadata

SIZE = 256
Stage = tuple[str, float, float]


def generate(source: Path | None, megapixels: float, rgb: bool, target: Path) -> None:
    """Writes a JPEG of `megapixels` megapixels, 4 x 3, with grain as film has it."""
    pixels = decode.decode(source.read_bytes()).pixels if source else skimage.data.coffee()
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    large = cv2.resize(pixels, (round(height * 4 / 3), height), interpolation=cv2.INTER_CUBIC)
    if not rgb and large.ndim == 3:
        large = cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)
    draw = np.random.default_rng(0)
    for top in range(0, height, 512):
        strip = large[top : top + 512]
        grain = draw.normal(0, 4, strip.shape[:2]).astype(np.float32)
        strip[:] = np.clip(strip + (grain[..., None] if strip.ndim == 3 else grain), 0, 255)
    Image.fromarray(large).save(target, quality=92)


def predictor(model: str | None) -> tuple[int, Callable[[np.ndarray], np.ndarray]]:
    """Side of the model's input, and what predicts; of no model, a smooth picture."""
    if model:
        from model.colorizer import Colorizer

        colorizer = Colorizer.load(model)
        colorizer.predict(np.zeros((1, colorizer.size, colorizer.size, 1), np.float32))
        return colorizer.size, colorizer.predict
    coarse = np.random.default_rng(0).uniform(-20, 20, (16, 16, 2)).astype(np.float32)
    return SIZE, lambda _: cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)[None]


def peak_memory() -> int:
    """Resident bytes of this process at their most; what getrusage says begins with the launching process's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def forget_peak_memory() -> None:
    """Begin the peak again with what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def run(path: Path, model: str | None) -> dict[str, Any]:
    """One photo, stage by stage, in this process."""
    cv2.setNumThreads(1)
    size, predict = predictor(model)
    # Libraries that the first photo loads are no memory of the photo.
    small = np.zeros((64, 64, 3), np.uint8)
    encode([(recolor(small, np.zeros((8, 8, 2), np.float32)), Metadata())], "JPEG")
    forget_peak_memory()
    before = peak_memory()
    data = path.read_bytes()
    best: list[Stage] = []
    peaks: dict[str, int] = {}
    for _ in range(2):
        stages: list[Stage] = []

        def timed(name: str, work: Callable[[], Any], stages: list[Stage] = stages) -> Any:
            forget_peak_memory()
            wall, processor = time.perf_counter(), time.process_time()
            result = work()
            stages.append((name, time.perf_counter() - wall, time.process_time() - processor))
            peaks[name] = max(peaks.get(name, 0), peak_memory())
            return result

        page = timed("decode", lambda: next(pages.read(data)))
        timed("tone", lambda page=page: tone_of(page.pixels, page.chroma_step))
        seen = timed("luminance", lambda page=page: model_luminance(page.pixels, size))
        chroma = timed("model", lambda seen=seen: predict(seen[None])[0])
        result = timed("recolor", lambda page=page, chroma=chroma, seen=seen: recolor(page.pixels, chroma, 8, seen))
        timed("encode", lambda page=page, result=result: encode([(result, page.metadata)], "JPEG"))
        del page, result
        best = min(best or stages, stages, key=lambda some: sum(wall for _, wall, _ in some))
    return {"stages": best, "before": before, "peak": max(peaks.values()), "peaks": peaks, "file": len(data)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="SavedModel")
    parser.add_argument("--photo", type=Path, help="enlarged to the sizes asked for")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12.0, 100.0])
    parser.add_argument("--rgb", action="store_true", help="three channels")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        print(json.dumps(run(args.run, args.model)))
        return
    with tempfile.TemporaryDirectory(prefix="large-photo-") as folder:
        for megapixels in args.megapixels:
            path = Path(folder) / "large.jpg"
            generate(args.photo, megapixels, args.rgb, path)
            command = [sys.executable, __file__, f"--run={path}", *([f"--model={args.model}"] if args.model else [])]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            stages: list[Stage] = found["stages"]
            stages.append(("in all", sum(wall for _, wall, _ in stages), sum(processor for _, _, processor in stages)))
            print(
                f"{megapixels:g} megapixels: "
                + ", ".join(f"{name} {wall:.2f} s ({processor:.2f})" for name, wall, processor in stages)
            )
            peak, before = found["peak"] / 1e9, found["before"] / 1e9
            print(f"  at most {peak:.2f} GB resident, {before:.2f} GB of it before the photo", flush=True)
            beyond = {name: (most - found["before"]) / (1e6 * megapixels) for name, most in found["peaks"].items()}
            print("  bytes a pixel: " + ", ".join(f"{name} {most:.1f}" for name, most in beyond.items()), flush=True)


if __name__ == "__main__":
    main()
