"""Averaging areas of photos: the compiled loop of `tfrecords.area_kernels` beside OpenCV.

    python tests/bench/squeezing_bench.py [--megapixels 0.3 3 12 100] [--runs=9]

A photo of each size, grey and in colour, is squeezed to what the model sees (256 x 256), and every nth pixel of it to
what is searched for a border. Both ways alternate in one process on one thread. Printed are medians of processor time
in milliseconds, and how many bytes differ.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
from skimage import data

from model import borders
from tfrecords.squeezing import averaged

SIDE = 256
IN_COLOUR_UP_TO = 20


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    started = time.thread_time()
    result = work()
    return 1e3 * (time.thread_time() - started), result


def row(name: str, pixels: np.ndarray, size: tuple[int, int], step: int, runs: int) -> None:
    """Print one comparison."""

    def by_opencv() -> np.ndarray:
        taken = pixels if step == 1 else np.ascontiguousarray(pixels[::step, ::step])
        return cv2.resize(taken, size, interpolation=cv2.INTER_AREA)

    averaged(pixels, *size, step)  # compiles
    times: tuple[list[float], list[float]] = [], []
    for _ in range(runs):
        found = [timed(work) for work in (by_opencv, lambda: averaged(pixels, *size, step))]
        for taken, (milliseconds, _) in zip(times, found, strict=True):
            taken.append(milliseconds)
    differ = int((found[0][1] != found[1][1]).sum())
    opencv, compiled = map(median, times)
    print(f"{name:<34}{opencv:>9.2f}{compiled:>10.2f}{opencv / compiled:>7.1f}{differ:>8}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.3, 3, 12, 100])
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{'':<34}{'OpenCV':>9}{'compiled':>10}{'ratio':>7}{'differ':>8}")
    for megapixels in args.megapixels:
        colour = data.coffee()
        scale = (megapixels * 1e6 / (colour.shape[0] * colour.shape[1])) ** 0.5
        size = round(colour.shape[1] * scale), round(colour.shape[0] * scale)
        grey = cv2.resize(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_CUBIC)
        kinds = {"grey": grey}
        if megapixels <= IN_COLOUR_UP_TO:
            kinds["colour"] = cv2.resize(colour, size, interpolation=cv2.INTER_CUBIC)
        for kind, pixels in kinds.items():
            name = f"{megapixels:g} megapixels, {kind}"
            row(f"{name}, model", pixels, (SIDE, SIDE), 1, args.runs)
            step, shrink = max(1, size[0] // (4 * borders.SIDE)), borders.SIDE / size[0]
            row(f"{name}, border", pixels, (borders.SIDE, round(size[1] * shrink)), step, args.runs)


if __name__ == "__main__":
    main()
