"""How long the command line takes to start: processor time, peak memory and slow imports of short commands.

    python tests/bench/start_bench.py [--runs 5]

Each command runs in a process of its own, in a folder with one small photo; the figures are medians. Imports are
those of packages that take more than 30 ms, by ``-X importtime``, and include what they import.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

COMMANDS = [
    ["--help"],
    ["--version"],
    ["colrize"],
    ["colorize", "--help"],
    ["colorize", "--inptu=in", "--output=out"],
    ["colorize", "--input=nowhere", "--output=out"],
    ["plan", "--input=nowhere"],
    ["prepare", "--input=nowhere", "--output=out"],
    ["report", "nowhere"],
    ["train", "--data=nowhere", "--output=run"],
    ["colorize", "--input=in/photo.jpg", "--output=new.jpg", "--dry_run"],
    ["colorize", "--input=in/photo.jpg", "--output=new.jpg"],
]
PHOTO = "import cv2; from skimage import data; cv2.imwrite('in/photo.jpg', data.coins())"
SLOW_MICROSECONDS = 30_000
SHOWN = ("apache_beam", "cv2", "google.cloud.storage", "keras", "numpy", "PIL.Image", "rich", "scipy", "tensorflow")
SHOWN += ("ai_edge_litert", "numba", "tensorflow_io")


def run(arguments: list[str], folder: Path, *options: str) -> tuple[float, float, str]:
    """Run a command once; return seconds of processor time, peak memory in MB, and standard error."""
    (folder / "new.jpg").unlink(missing_ok=True)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, *options, "-m", "pipelines.cli", *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        said.seek(0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, said.read().decode()


def imports(told: str) -> str:
    """Return the slow packages that were imported, with their milliseconds."""
    found = {name: int(us) for us, name in re.findall(r"\|\s*(\d+) \|\s*([\w.]+)$", told, re.MULTILINE)}
    slow = {name: us for name, us in found.items() if name in SHOWN and us > SLOW_MICROSECONDS}
    return ", ".join(f"{name} {us / 1000:.0f}" for name, us in sorted(slow.items(), key=lambda one: -one[1]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in").mkdir()
        # In a process of its own: a child's peak memory starts with that of the process that it is made from.
        subprocess.run([sys.executable, "-c", PHOTO], cwd=folder, check=True)
        print(f"{'command':<60}{'CPU s':>7}{'MB':>6}  slow imports, ms")
        for arguments in COMMANDS:
            taken = [run(arguments, folder) for _ in range(runs)]
            seconds, memory = (median(column) for column in list(zip(*taken, strict=True))[:2])
            told = run(arguments, folder, "-X", "importtime")[2]
            print(f"{' '.join(arguments):<60}{seconds:>7.2f}{memory:>6.0f}  {imports(told)}", flush=True)


if __name__ == "__main__":
    main()
