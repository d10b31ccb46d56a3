"""A sheet of photos before and after, to be looked at: some of a folder, colorized with a model.

python tests/bench/archive_sheet.py --input=SCANS --output=sheet.jpg --photos=40
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model import saved_model

HEIGHT, WIDTH = 220, 300
COLUMNS = 4


def tile(path: Path) -> NDArray[np.uint8]:
    """A photo fitted into a tile."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    scale = min(HEIGHT / picture.shape[0], WIDTH / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:HEIGHT, :WIDTH]
    framed = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    framed[: small.shape[0], : small.shape[1]] = small
    return framed


def main() -> None:
    """Colorize the photos and write the sheet."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--input", type=Path, required=True)
    flags.add_argument("--output", type=Path, required=True)
    flags.add_argument("--model", default=saved_model.RELEASED)
    flags.add_argument("--photos", type=int, default=40)
    args = flags.parse_args()
    with tempfile.TemporaryDirectory() as colour:
        command = [sys.executable, "-m", "pipelines.cli", "colorize", f"--input={args.input}", f"--output={colour}"]
        subprocess.run([*command, f"--model={args.model}", f"--sample={args.photos}"], check=True)
        lines = [line for path in Path(colour, "manifest").glob("photos-*") for line in path.open()]
        records = sorted((json.loads(line) for line in lines), key=lambda record: record["name"])
        pairs = [
            np.hstack([tile(args.input / record["name"]), tile(Path(colour, record["outputs"][0]["name"]))])
            for record in records
            if record["outputs"]
        ]
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % COLUMNS)
    rows = [np.hstack(pairs[start : start + COLUMNS]) for start in range(0, len(pairs), COLUMNS)]
    cv2.imwrite(str(args.output), np.vstack(rows))


if __name__ == "__main__":
    main()
