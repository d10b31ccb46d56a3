"""Measure what references are worth: the error of photos that get the colours of another photo.

    python tests/bench/references_bench.py --pairs=PAIRS --part=0

PAIRS has photos in colour whose names, sorted, come in twos: a photo, and one of the same event, place or uniform. The
first is made grey and colorized at its own size with

    no reference
    the second of its pair
    itself, turned, enlarged and cut (and darker too)
    the second of another pair, which shows something else

by statistics alone, with places of the same scene (homography) as well, and with like things as well. CIEDE2000 is the
mean over pixels, then over photos. ``--part`` takes each second pair: 0 is what the numbers of
`model.guidance.correspondence` were found on, 1 is what is reported.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from hints_bench import grey_of
from PIL import Image
from skimage.color import deltaE_ciede2000

import autochrome
from model.guidance import correspondence, guided, reference
from model.guidance.reference import Reference
from model.upsampling import recolor
from tfrecords.color import srgb_to_lab

_TURN = np.array([[1.15, 0.05, -0.08], [-0.03, 1.12, -0.05]])


class Pair(NamedTuple):
    """Two photos, uint8 [H, W, 3]."""

    photo: np.ndarray
    like: np.ndarray


def pairs(folder: Path) -> list[Pair]:
    """All pairs of a folder."""
    found = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            found.append(np.array(image.convert("RGB")))
    return [Pair(*found[at : at + 2]) for at in range(0, len(found), 2)]


def turned(photo: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """The photo turned, enlarged, cut and darkened."""
    height, width = photo.shape[:2]
    turn = _TURN * [[1, 1, width], [1, 1, height]]
    other = cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.uint8(255 * (other / 255.0) ** gamma)


def main() -> None:
    """Print CIEDE2000 by kind of reference and method."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--part", type=int, default=1)
    parser.add_argument("--model", default="released")
    args = parser.parse_args()
    colorizer = autochrome.load_model(args.model)
    found = pairs(args.pairs)[args.part :: 2]
    errors: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    likeness: defaultdict[str, list[float]] = defaultdict(list)
    for index, pair in enumerate(found):
        grey, lab = grey_of(pair.photo), srgb_to_lab(pair.photo)
        seen = guided.question(grey, None, colorizer.size).seen
        light, plain = seen[..., 0] * np.float32(100), colorizer.predict(seen[None])[0]

        def error(chroma: np.ndarray, grey: np.ndarray = grey, lab: np.ndarray = lab, seen: np.ndarray = seen) -> float:
            return float(deltaE_ciede2000(lab, srgb_to_lab(recolor(grey, chroma, seen=seen))).mean())

        errors["no reference", ""].append(error(plain))
        other = found[(index + 7) % len(found)].like
        kinds = {"like": pair.like, "turned": turned(pair.photo), "dark": turned(pair.photo, 1.3), "other": other}
        for kind, picture in kinds.items():
            one: Reference = reference.of(np.ascontiguousarray(picture))
            alike = correspondence.correspond(
                light, colorizer.look(light), one.light, one.chroma, colorizer.look(one.light)
            )
            likeness[kind].append(alike.likeness)
            errors[kind, "statistics"].append(error(reference.transfer(light, plain, one.statistics)))
            errors[kind, "and the same scene"].append(error(reference.apply(light, plain, [one])))
            errors[kind, "and like things"].append(error(reference.apply(light, plain, [one], colorizer.look)))
    print(f"{len(found)} pairs")
    for (kind, method), values in errors.items():
        print(f"{kind:14}{method:22}{np.mean(values):6.2f}")
    for kind, values in likeness.items():
        shares = ", ".join(
            f"{level:.2f}: {np.mean(np.array(values) >= level):.0%}" for level in (0.2, 0.25, 0.28, 0.3, 0.35)
        )
        print(f"{kind:14}with a likeness of at least {shares}")


if __name__ == "__main__":
    main()
