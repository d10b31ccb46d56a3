"""Memory and time of `prepare` as its input grows.

    python tests/bench/prepare_memory_bench.py --input=PHOTOS [--photos 1500 15000]
    python tests/bench/prepare_memory_bench.py --tiny 25000 50000 100000 200000

The first copies the photos as often as it takes, each copy with bytes of its own, and prints the resident memory of the
largest process at its largest. The second makes pictures of 40 x 40 pixels, no two alike, stores them at 32 x 32, and
prints how time grows with their number where almost none of it goes into pictures. Two workers.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
from prepare_job import Pace, copies, pace

_FILES_PER_FOLDER = 1000
_SIDE = 40


def tiny(first: int, last: int, folder: Path) -> None:
    """Makes pictures ``first`` to ``last``: colour noise, half of them JPEG and half PNG."""
    for index in range(first, last):
        path = folder / f"{index // _FILES_PER_FOLDER:05d}" / f"{index:07d}.{'png' if index % 2 else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(index).integers(0, 256, (5, 5, 3), np.uint8)
        cv2.imwrite(str(path), cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC))


def _say(run: Pace) -> None:
    print(
        f"{run.photos:7d} photos: {run.seconds:7.1f} s, {1e3 * run.seconds / run.photos:6.2f} s a thousand; "
        f"{run.before:6.1f} s before the first photo, then {run.rate:6.1f}/s; "
        f"launcher {run.launcher / 1e6:6.1f} MB, largest worker {run.worker / 1e6:6.1f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, metavar="DIR", help="photos, with all subfolders")
    parser.add_argument("--photos", type=int, nargs="+", default=[1500, 15000], metavar="N")
    parser.add_argument("--tiny", type=int, nargs="+", default=[], metavar="N", help="numbers of pictures, rising")
    args = parser.parse_args()
    if bool(args.input) == bool(args.tiny):
        parser.error("give either --input or --tiny")
    with tempfile.TemporaryDirectory(prefix="prepare-memory-") as name:
        photos, output = Path(name) / "photos", Path(name) / "records"
        runs: list[Pace] = []
        for number, before in zip(args.tiny, [0, *args.tiny], strict=False):
            tiny(before, number, photos)
            runs.append(pace(photos, output, "--size=32"))
            _say(runs[-1])
            shutil.rmtree(output)
        for number in args.photos if args.input else []:
            copies(args.input, number, photos)
            runs.append(pace(photos, output))
            _say(runs[-1])
            shutil.rmtree(photos)
            shutil.rmtree(output)
        first, last = runs[0], runs[-1]
        print(
            f"{last.photos / first.photos:.1f} times the photos: {last.seconds / first.seconds:.2f} times the time, "
            f"largest process {last.peak / first.peak - 1:+.1%}, launcher {last.launcher / first.launcher - 1:+.1%}, "
            f"largest worker {last.worker / first.worker - 1:+.1%}"
        )


if __name__ == "__main__":
    main()
