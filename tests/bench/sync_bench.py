"""What it costs that files are on the disk before anything relies on them: `colorize` with and without fsync.

    python tests/bench/sync_bench.py --input=PHOTOS --model=SAVED_MODEL --scratch=DIR [--photos=200] [--runs=3]

First files alone are written whole into DIR, which says what the disk takes for one. Then whole runs by turns, with
fsync and with one that does nothing: photos a second from the end of the listing to the last photo. Medians, and ranges
in brackets.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from colorize_job import Job
from prepare_job import copies, pace

_UNSYNCED = "--unsynced"
_SIZES = (20_000, 200_000, 2_000_000)
_FILES = 100


class UnsyncedJob(Job):
    """A run whose fsync does nothing."""

    command = ("sync_bench", _UNSYNCED)


def _ignore(_: object) -> None:
    """Takes the place of os.fsync."""


def unsynced(argv: list[str]) -> int:
    """Runs `colorize` without fsync."""
    from pipelines import colorize

    os.fsync = _ignore
    return colorize.main(argv)


def alone(folder: Path, size: int) -> float:
    """Milliseconds for one whole file of that size."""
    from pipelines.files import local_files

    data = os.urandom(size)
    started = time.perf_counter()
    for index in range(_FILES):
        with local_files.whole_file(folder / f"{size}-{index}.bin") as file:
            file.write(data)
    return 1e3 * (time.perf_counter() - started) / _FILES


def told(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos, with all subfolders")
    parser.add_argument("--model", required=True, metavar="DIR", help="saved_model folder")
    parser.add_argument("--scratch", type=Path, required=True, metavar="DIR", help="on the disk to be measured")
    parser.add_argument("--photos", type=int, default=200, help="copies to make of them (200)")
    parser.add_argument("--runs", type=int, default=3, help="of each kind (3)")
    args = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory(prefix="sync-", dir=args.scratch) as folder:
        place, fsync = Path(folder), os.fsync
        for size in _SIZES:
            measured: dict[str, list[float]] = {"with": [], "without": []}
            for _ in range(args.runs):
                for how, values in measured.items():
                    os.fsync = fsync if how == "with" else _ignore
                    values.append(alone(place, size))
            os.fsync = fsync
            print(f"{size:>9,} bytes: " + ", ".join(f"{how} fsync {told(v)} ms" for how, v in measured.items()))
        copies(args.input, args.photos, place / "photos")
        rates: dict[str, list[float]] = {"with": [], "without": []}
        for number in range(args.runs):
            for how, kind in (("with", Job), ("without", UnsyncedJob)):
                output = place / f"{how}-{number}"
                rates[how].append(pace(place / "photos", output, f"--model={args.model}", kind=kind).rate)
        print(f"{args.photos} photos: " + ", ".join(f"{how} fsync {told(v)} photos/s" for how, v in rates.items()))
    return 0


if __name__ == "__main__":
    sys.exit(unsynced(sys.argv[2:]) if sys.argv[1:2] == [_UNSYNCED] else main())
