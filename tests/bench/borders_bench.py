"""Hit and false rates of the search for borders: on photos in generated mounts, and on photos as they are.

    python tests/bench/borders_bench.py --input=DATA [--mounts=40] [--every=1] [--sheet=FOLDER]

Mounts of ten tones, with margins of 1.5 to 20 % and tilts up to 1.8 degrees, a third of them with a caption, are laid
around scikit-image's photos. A hit is exact if found and true picture share 97 % of their pixels.

DATA holds ``photos/*.tar``, ``photos/people/*.tar`` and ``imagenet/train/*/*``: colour photos, some with real borders.
Margins of a real border have next to no chroma; so a find whose margins have more than 6 on average is counted as
harmful, although coloured frames are among them. ``--sheet`` writes contact sheets of all finds, the most colourful
first, for the eye.
"""

import argparse
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from model.borders import Picture, find
from tfrecords.color import Bytes, srgb_to_lab

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from mounted import Mount, grey, mounted

NAMES = ("astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "moon", "grass", "brick", "gravel", "retina")
TONES = (6, 18, 40, 90, 128, 170, 205, 225, 240, 250)
COLOURED = 6.0
TILE, COLUMNS, ROWS = 200, 8, 6


def covered(picture: Picture, height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels are within the edges, bool [height, width]."""
    y, x = (np.arange(height)[:, None] + 0.5) / height, (np.arange(width)[None] + 0.5) / width
    across = (x >= picture.left.start + picture.left.slope * y) & (x < picture.right.start + picture.right.slope * y)
    down = (y >= picture.top.start + picture.top.slope * x) & (y < picture.bottom.start + picture.bottom.slope * x)
    return across & down


def in_mounts(number: int) -> None:
    """Print how many generated mounts are found."""
    generator = np.random.default_rng(0)
    print(f"{'photo':<12}{'mounts':>8}{'found':>8}{'exact':>8}")
    sums = np.zeros(3, int)
    for name in NAMES:
        picture = grey(getattr(skimage.data, name)())
        found = exact = 0
        for turn in range(number):
            tilt = float(generator.uniform(-1.8, 1.8)) if turn % 4 > 1 else 0.0
            margins = generator.uniform(0.03 if tilt else 0.015, 0.2, 4)
            mount = Mount(
                tone=int(generator.choice(TONES)), margins=tuple(margins), tilt=tilt, caption=turn % 3 == 0, seed=turn
            )
            photo, truth = mounted(picture, mount)
            if (seen := find(photo)) is not None:
                inside = covered(seen, *truth.shape)
                found += 1
                exact += np.count_nonzero(inside & truth) >= 0.97 * np.count_nonzero(inside | truth)
        print(f"{name:<12}{number:>8}{found / number:>8.1%}{exact / number:>8.1%}")
        sums += number, found, exact
    print(f"{'all':<12}{sums[0]:>8}{sums[1] / sums[0]:>8.1%}{sums[2] / sums[0]:>8.1%}")


def photos(folder: Path, every: int) -> Iterator[tuple[str, str, Bytes]]:
    """Set, name and pixels of the colour photos in a folder."""
    for path in sorted([*folder.glob("photos/*.tar"), *folder.glob("photos/people/*.tar")]):
        with tarfile.open(path) as tar:
            for member in [member for member in tar.getmembers() if member.isfile()][::every]:
                pixels = cv2.imdecode(np.frombuffer(tar.extractfile(member).read(), np.uint8), cv2.IMREAD_COLOR)
                if pixels is not None and min(pixels.shape[:2]) > 64:
                    yield path.stem, member.name, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    for path in sorted(folder.glob("imagenet/train/*/*"))[::every]:
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if pixels is not None:
            yield "imagenet", path.name, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def margin_chroma(photo: Bytes, picture: Picture) -> float:
    """Mean chroma outside the picture, without the pixels along its edge."""
    outside = cv2.erode((~covered(picture, *photo.shape[:2])).astype(np.uint8), np.ones((3, 3)), borderValue=1)
    chroma = np.hypot(*np.moveaxis(srgb_to_lab(photo)[..., 1:], -1, 0))[outside > 0]
    return float(chroma.mean()) if chroma.size else 0.0


def as_they_are(folder: Path, every: int, sheet: Path | None) -> None:
    """Print how many photos of each set seem to have a border."""
    counts: dict[str, list[int]] = {}
    tiles: list[tuple[float, Bytes]] = []
    spent = 0.0
    for source, name, photo in photos(folder, every):
        began = time.process_time()
        picture = find(photo)
        spent += time.process_time() - began
        of = counts.setdefault(source, [0, 0, 0])
        of[0] += 1
        if picture is not None:
            chroma = margin_chroma(photo, picture)
            of[1] += 1
            of[2] += chroma > COLOURED
            if sheet:
                tiles.append((chroma, tile(photo, picture, f"{chroma:.0f} {name[-24:]}")))
    print(f"\n{'set':<16}{'photos':>8}{'found':>8}{'coloured margins':>18}")
    for source, (number, found, coloured) in counts.items():
        print(f"{source:<16}{number:>8}{found:>8}{coloured:>18}")
    number, found, coloured = np.sum(list(counts.values()), axis=0)
    print(f"{'all':<16}{number:>8}{found:>8}{coloured:>18}\n{1000 * spent / number:.1f} ms a photo")
    if sheet:
        write_sheets([pixels for _, pixels in sorted(tiles, key=lambda one: -one[0])], sheet)


def tile(photo: Bytes, picture: Picture, text: str) -> Bytes:
    """A photo with the edges that were found, for a contact sheet."""
    scale = TILE / max(photo.shape[:2])
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:TILE, :TILE].copy()
    height, width = small.shape[:2]
    for line in (picture.left, picture.right):
        cv2.line(small, (round(line.at(0) * width), 0), (round(line.at(1) * width), height), (255, 0, 0))
    for line in (picture.top, picture.bottom):
        cv2.line(small, (0, round(line.at(0) * height)), (width, round(line.at(1) * height)), (255, 0, 0))
    framed = np.full((TILE + 20, TILE + 4, 3), 120, np.uint8)
    framed[:height, :width] = small
    return cv2.putText(framed, text, (2, TILE + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255))


def write_sheets(tiles: list[Bytes], folder: Path) -> None:
    """Write contact sheets, the first tile first."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(tiles), COLUMNS * ROWS):
        some = tiles[start : start + COLUMNS * ROWS]
        some += [np.zeros_like(some[0])] * (-len(some) % COLUMNS)
        rows = [np.hstack(some[at : at + COLUMNS]) for at in range(0, len(some), COLUMNS)]
        cv2.imwrite(str(folder / f"borders-{start // (COLUMNS * ROWS):02d}.png"), np.vstack(rows)[..., ::-1])


def main() -> None:
    """Print both tables."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--input", type=Path, help="folder of photos; without it, only generated mounts")
    flags.add_argument("--mounts", type=int, default=40, help="for each photo")
    flags.add_argument("--every", type=int, default=1, help="take every nth photo")
    flags.add_argument("--sheet", type=Path, help="folder for contact sheets")
    args = flags.parse_args()
    cv2.setNumThreads(1)
    in_mounts(args.mounts)
    if args.input:
        as_they_are(args.input, args.every, args.sheet)


if __name__ == "__main__":
    main()
