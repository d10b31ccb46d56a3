"""The whole journey on photos that ship inside scikit-image.

Five photos without their colours are an archive, which the released model colorizes; a picture shows it beside the
truth. Then crops of five colour photos teach a model of one's own: prepare, train, evaluate beside the released one.
So little teaching gives no more than a tint: it shows that everything works together.
"""

import argparse
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from model import interrupt

TEACHERS = ("astronaut", "coffee", "chelsea", "rocket", "stereo_motorcycle")
GREY = ("camera", "coins")
ARCHIVE = ("astronaut", "chelsea", "coffee", "rocket", "camera")
CROPS = 24
TRAINING_MINUTES = "1"


def load(name: str) -> np.ndarray:
    """A photo of scikit-image: uint8 ``[H, W, 3]`` or ``[H, W]``."""
    picture = getattr(data, name)()
    return picture[0] if isinstance(picture, tuple) else picture


def write_archive(folder: Path) -> Path:
    """Writes grey photos to colorize."""
    archive = folder / "archive"
    archive.mkdir(parents=True, exist_ok=True)
    for name in ARCHIVE:
        Image.fromarray(load(name)).convert("L").save(archive / f"{name}.png")
    return archive


def write_photos(folder: Path) -> Path:
    """Writes crops of the teachers, and some grey ones among them for the filter to find."""
    photos = folder / "photos"
    random = np.random.default_rng(0)
    for name in (*TEACHERS, *GREY):
        picture = load(name)
        height, width = picture.shape[:2]
        (photos / name).mkdir(parents=True, exist_ok=True)
        for number in range(CROPS if picture.ndim == 3 else 2):
            side = int(random.uniform(0.5, 1.0) * min(height, width))
            top, left = random.integers(0, height - side + 1), random.integers(0, width - side + 1)
            crop = Image.fromarray(picture[top : top + side, left : left + side])
            crop.save(photos / name / f"{number:02d}.jpg", quality=95)
    return photos


def write_before_after(before: Path, after: Path, picture: Path, height: int = 200) -> None:
    """Writes one picture of the archive above, its colours below, and at the bottom the true ones where known."""
    rows = []
    for source in (before, after, None):
        images = [
            Image.open(source / f"{name}.png").convert("RGB") if source else Image.fromarray(load(name)).convert("RGB")
            for name in ARCHIVE
        ]
        resized = [image.resize((round(image.width * height / image.height), height)) for image in images]
        rows.append(np.concatenate([np.asarray(image) for image in resized], axis=1))
    Image.fromarray(np.concatenate(rows)).save(picture)


def step(number: int, what: str, *arguments: str) -> None:
    """Runs a command of the program as a user would, and ends the demo where it fails."""
    command = ["autochrome", *arguments]
    print(f"\n[{number}/4] {what}\n$ {shlex.join(command)}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen([str(Path(sys.executable).with_name("autochrome")), *arguments])
    # A terminal sends Ctrl-C to the command as well, which says so and ends in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if code := process.wait():
        sys.exit(code)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    """Runs the demo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder to work in; emptied first")
    folder: Path = parser.parse_args().output
    for name in ("photos", "archive", "records", "run", "colour"):
        shutil.rmtree(folder / name, ignore_errors=True)
    archive, colour = write_archive(folder), folder / "colour"
    step(1, "grey photos → colour", "colorize", f"--input={archive}", f"--output={colour}")
    picture = folder / "before_after.png"
    write_before_after(archive, colour, picture)
    photos, records, run = write_photos(folder), folder / "records", folder / "run"
    step(2, "photos → Lab TFRecords", "prepare", f"--input={photos}", f"--output={records}", "--validation_percent=10")
    train = ("train", f"--data={records}", f"--output={run}", f"--max_minutes={TRAINING_MINUTES}")
    step(3, "Lab TFRecords → SavedModel", *train)
    models = ("--model=released", f"--model={run / 'saved_model'}")
    step(4, "both models beside doing nothing", "evaluate", *models, f"--data={records}")
    print(f"\nGrey, in colour, the truth: {picture}\nThe photos in colour: {colour}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(interrupt.leave())
