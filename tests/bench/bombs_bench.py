"""Processor seconds and memory of small files that are costly to read, each in a process of its own.

    python tests/bench/bombs_bench.py [--megapixels=20] [--bytes=1000000] [--format=keep] [--bit_depth=8] [NAME …]

The files of `bombs` are rendered as `colorize` does, without a model: chroma is a smooth random one, of ±60, as most of
which is beyond sRGB it costs the most. Pictures are made as large as `sizes.MAX_PIXELS` and --bytes allow, or of
--megapixels. Printed are what came out, the processor time, and how much more memory was resident at most, and
reserved at most (what `pipelines.images.limits` counts), than before the photo. The exit code is 1 if a file took more
than 2.5 GB or 30 seconds.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bombs
import cv2
import numpy as np
from PIL import Image

from pipelines.archive.render import RenderOptions, render
from pipelines.images.memory import out_of_memory
from pipelines.images.sizes import MAX_PIXELS
from pipelines.images.xmp import Mark
from pipelines.runtime.photo_server import _load_codecs

MOST_BYTES, MOST_SECONDS = 2.5e9, 30
_SAMPLE = 1024
_CEILING = 12_000_000_000


class Parent:
    """Predicts smooth chroma, most of it beyond sRGB, and forgets files but for their size."""

    def __init__(self) -> None:
        self.bytes = 0

    def ask(self, question: Any) -> np.ndarray:
        coarse = np.random.default_rng(0).uniform(-60, 60, (16, 16, 2)).astype(np.float32)
        return cv2.resize(coarse, question.shape[1::-1], interpolation=cv2.INTER_CUBIC)

    def give(self, data: bytes) -> None:
        self.bytes += len(data)


def largest(make: bombs.Picture, most_bytes: int, most_pixels: int) -> bytes:
    """A picture as large as bytes and pixels allow."""
    pixels = min(most_pixels, most_bytes * _SAMPLE**2 // len(make(_SAMPLE, _SAMPLE)))
    while True:
        side = math.isqrt(pixels)
        data = make(side, side)
        if len(data) <= most_bytes:
            return data
        pixels = pixels * 9 // 10


def files(most_bytes: int, most_pixels: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Names of the files, and what makes each."""
    for name, make in bombs.PICTURES.items():
        yield name, lambda make=make: largest(make, most_bytes, most_pixels)
    yield from bombs.OTHERS.items()


def status(key: str) -> int:
    """Bytes of memory by /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def measured(data: bytes, options: RenderOptions) -> dict[str, Any]:
    """What came of a file in this process, and what it cost."""
    Path("/proc/self/clear_refs").write_text("5")  # what is resident at most, from here on
    resident, reserved = status("VmRSS"), status("VmSize")
    started = time.process_time()
    parent = Parent()
    try:
        result = render(parent, data, options)
        outcome = f"{result.reason}: {result.detail}" if result.reason else f"{len(result.pages)} pages"
        outcome += "".join(f" {warning}" for warning in result.warnings)
    except Exception as error:
        outcome = "out of memory" if out_of_memory(error) else f"raised {type(error).__name__}: {error}"
    spent = time.process_time() - started
    peak = {"resident": status("VmHWM") - resident, "reserved": status("VmPeak") - reserved}
    return {"outcome": outcome[:110], "seconds": spent, "output": parent.bytes, **peak}


def serve(paths: list[Path], options: RenderOptions) -> None:
    """Measures files in this process and prints a line of JSON for each."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (_CEILING, _CEILING))
    cv2.setNumThreads(1)
    _load_codecs()
    render(Parent(), bombs.png(64, 64, kind=bombs.RGB), options)  # makes the tables of colours
    for path in paths:
        print(json.dumps(measured(path.read_bytes(), options)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of files; all, if none is named")
    parser.add_argument("--megapixels", type=float, default=MAX_PIXELS / 1e6, help="of the pictures at most")
    parser.add_argument("--bytes", type=int, default=1_000_000, help="of each file at most")
    parser.add_argument("--format", default="keep")
    parser.add_argument("--bit_depth", default="8", choices=("8", "keep"))
    parser.add_argument("--list", action="store_true", help="the names")
    parser.add_argument("--serve", type=Path, nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(
            args.serve,
            RenderOptions(
                size=256,
                mark=Mark(software="autochrome", model_name="bench", model_digest="0", source_name="photo"),
                format=args.format,
                bit_depth=args.bit_depth,
            ),
        )
        return
    Image.MAX_IMAGE_PIXELS = None
    is_over = False
    for name, make in files(args.bytes, int(args.megapixels * 1e6)):
        if args.list:
            print(name)
        elif name in (args.names or (name,)):
            data = make()
            with tempfile.NamedTemporaryFile(prefix="bomb-") as file:
                Path(file.name).write_bytes(data)
                command = [sys.executable, __file__, f"--format={args.format}", f"--bit_depth={args.bit_depth}"]
                done = subprocess.run([*command, "--serve", file.name], stdout=subprocess.PIPE, check=False)
            found = json.loads(done.stdout) if done.returncode == 0 else {"outcome": f"ended with {done.returncode}"}
            over = found.get("resident", math.inf) > MOST_BYTES or found.get("seconds", math.inf) > MOST_SECONDS
            is_over |= over
            figures = [found.get(key, math.nan) for key in ("seconds", "resident", "reserved", "output")]
            print(
                f"{name:28} {len(data) / 1e3:8.1f} kB {figures[0]:6.1f} s {figures[1] / 1e9:6.2f} GB resident"
                f" {figures[2] / 1e9:6.2f} GB reserved {figures[3] / 1e6:7.1f} MB out  {found['outcome']}"
                f"{'  OVER' if over else ''}",
                flush=True,
            )
    sys.exit(is_over)


if __name__ == "__main__":
    main()
