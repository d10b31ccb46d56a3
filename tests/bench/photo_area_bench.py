"""How often a grey photo beside a target, under a stamp or in a mount is taken for grey, and a colour photo for grey.

    python tests/bench/photo_area_bench.py FOLDER

The photos of the folder are read twice: as they are, and made grey, every third of them sepia, with something beside
them. Printed are the parts that `grayscale` and `photo_area` take for grey or toned.
"""

import argparse
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import grayscale, photo_area
from pipelines.images.decode import Photo, decode

PATCHES = ["0096c8", "005aaa", "008c46", "f0dc00", "d21e28", "c81e78", "ffffff", "6e3c28", "141414"]
MOUNTS = {"cream": (238, 226, 196), "red": (150, 40, 35), "blue": (40, 60, 120), "green": (60, 110, 70)}
SEPIA = np.array([1.0, 0.93, 0.78])


def strip(width: int, height: int) -> np.ndarray:
    colours = np.array([list(bytes.fromhex(patch)) for patch in PATCHES], np.uint8)
    return np.repeat(colours[np.arange(width) * len(colours) // width][None], height, axis=0)


def scans(pixels: np.ndarray, draw: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    height, width = pixels.shape[:2]
    yield "alone", pixels
    for part in (0.08, 0.15, 0.22):
        thick = max(4, int(part * height))
        yield f"target of {part:.0%} below", np.vstack([pixels, strip(width, thick)])
        gap = np.full((max(2, height // 30), width, 3), 235, np.uint8)
        yield f"target of {part:.0%} below a gap", np.vstack([pixels, gap, strip(width, thick)])
        side = strip(height, max(4, int(part * width))).transpose(1, 0, 2)
        yield f"target of {part:.0%} at the right", np.hstack([pixels, side])
    place = int(0.75 * width), int(0.7 * height)
    yield "stamp", cv2.circle(pixels.copy(), place, height // 12, (190, 30, 40), max(2, height // 48))
    for name, colour in MOUNTS.items():
        for part in (0.06, 0.15):
            margin = int(part * height)
            edges = [margin] * 4
            framed = cv2.copyMakeBorder(pixels, *edges, cv2.BORDER_CONSTANT, value=colour).astype(np.float64)
            framed += draw.normal(0, 1.5, framed.shape[:2])[..., None]
            framed = np.clip(framed, 0, 255).astype(np.uint8)
            framed[margin:-margin, margin:-margin] = pixels
            yield f"{name} mount of {part:.0%}", framed


def read(data: bytes) -> Photo | None:
    try:
        photo = decode(data)
    except Rejected:
        return None
    return photo if photo.pixels.ndim == 3 else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    draw = np.random.default_rng(0)
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(name: str, photo: Photo | None) -> None:
        if photo is not None:
            verdicts = [judge(photo.pixels, photo.chroma_step).reason for judge in (grayscale.judge, photo_area.judge)]
            counts[name] = [a + b for a, b in zip(counts[name], [1, *map(bool, verdicts)], strict=True)]

    for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        photo = read(path.read_bytes())
        if photo is None:
            continue
        add("as it is", photo)
        grey = np.dstack([cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)] * 3)
        for name, scan in scans((grey * SEPIA).astype(np.uint8) if number % 3 == 0 else grey, draw):
            buffer = io.BytesIO()
            Image.fromarray(scan).save(buffer, "JPEG", quality=90)
            add(name, read(buffer.getvalue()))
    for name, (total, before, after) in counts.items():
        print(f"{name:28} {total:6,} photos, grey by the frame {before / total:6.1%}, by the area {after / total:6.1%}")


if __name__ == "__main__":
    main()
