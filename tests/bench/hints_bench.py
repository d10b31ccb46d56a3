"""Measure what hints are worth: colours of the truth are given at random points, and the error of the result is taken.

    python tests/bench/hints_bench.py --photos=PHOTOS --limit=200

Protocol: each photo in PHOTOS is made grey and colorized at its own size. A hint is a disc with a radius of 1 % of the
longer side, at a place drawn uniformly, with the mean colour of the truth in it. The points of 5 are among those of 10,
and so on. PSNR is that of the error pooled over all pixels of all photos, in sRGB of 8 bits; CIEDE2000 is the mean over
pixels, then over photos. Photos that are grey or toned are left out.

`alone` is the network's answer with hints, and no blending after it.

``--patches`` follows R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors" (2017), as
``test_sweep.py`` of their repository richzhang/colorization-pytorch has it: photos squeezed to 256 x 256, and hints of
6 x 6 pixels with the mean a and b of the truth, whose places are drawn from a normal distribution about the centre.
`of each` is the mean of each photo's PSNR, which they give.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000

import autochrome
from model.guidance import guided, hints
from model.guidance.guided import Choices
from model.guidance.hints import Hints, Point
from model.guidance.ranges import METHODS
from model.upsampling import recolor
from pipelines.images import grayscale
from tfrecords.color import Floats, luminance, srgb_to_lab

COUNTS = (0, 1, 5, 10, 50, 100, 500)
RADIUS = 0.01
PATCH = 6
WAYS = {"alone": ("network", 0.0)} | {name: (name, reach) for name, reach in METHODS.items()}
"""Methods and reaches, by the name in the table."""


def photos(folder: Path, limit: int) -> Iterator[np.ndarray]:
    """Colour photos, uint8 [H, W, 3], in the order of their names."""
    found = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or found == limit:
            continue
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB"))
        if grayscale.judge(pixels, 0).reason is None:
            found += 1
            yield pixels


def truths(photo: np.ndarray, number: int, seed: int) -> list[Point]:
    """Points with the mean colours of a photo."""
    height, width = photo.shape[:2]
    rng = np.random.default_rng(seed)
    radius = RADIUS * max(height, width)
    y, x = np.mgrid[:height, :width] + 0.5
    points = []
    for across, down in rng.random((number, 2)):
        disc = (x - across * width) ** 2 + (y - down * height) ** 2 <= max(radius, 0.8) ** 2
        red, green, blue = np.rint(photo[disc].mean(axis=0)).astype(int)
        points.append(Point(x=across, y=down, radius=RADIUS, rgb=(int(red), int(green), int(blue))))
    return points


def patches(photo: np.ndarray, number: int, seed: int) -> Hints:
    """Hints of 6 x 6 pixels, as Zhang et al. place them."""
    lab = srgb_to_lab(photo)
    height, width = photo.shape[:2]
    rng = np.random.default_rng(seed)
    chroma, given = np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.bool_)
    for across, down in rng.standard_normal((number, 2)):
        top, left = (
            int(np.clip((side - PATCH + 1) * (0.5 + 0.25 * place), 0, side - PATCH))
            for side, place in ((height, down), (width, across))
        )
        at = slice(top, top + PATCH), slice(left, left + PATCH)
        chroma[at], given[at] = lab[at][..., 1:].mean(axis=(0, 1)), True
    return Hints(chroma=chroma, given=given)


def main() -> None:
    """Print PSNR and CIEDE2000 by method and number of points."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--model", default="released")
    parser.add_argument("--methods", default=",".join(WAYS))
    parser.add_argument("--counts", type=lambda text: tuple(map(int, text.split(","))), default=COUNTS)
    parser.add_argument("--patches", action="store_true")
    args = parser.parse_args()
    colorizer = autochrome.load_model(args.model)
    methods = args.methods.split(",")
    errors = {(method, number): np.zeros(3) for method in methods for number in args.counts}
    ratios: dict[tuple[str, int], list[float]] = {key: [] for key in errors}
    for index, photo in enumerate(photos(args.photos, args.limit)):
        if args.patches:
            photo = cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA)
        grey = grey_of(photo)
        lab = srgb_to_lab(photo)
        points = truths(photo, max(args.counts), index)
        plain = colorizer.predict(guided.question(grey, None, colorizer.size).seen[None])

        def predict(seen: Floats, hints: Floats | None, plain: Floats = plain) -> Floats:
            return plain if hints is None else colorizer.predict(seen, hints)

        for method, number in errors:
            how, reach = WAYS[method]
            choices = Choices(hint_method=how, hint_reach=reach)
            if args.patches and number:
                given = patches(photo, number, index)
            else:
                given = hints.of_points(points[:number], *grey.shape) if number else None
            asked = guided.question(grey, None, colorizer.size, given)
            chroma = guided.answer(asked, choices, predict)
            colour = recolor(grey, chroma, seen=asked.seen)
            if given is not None:
                hints.paint(colour, grey, given)
            squares = (colour.astype(np.float64) - photo) ** 2
            difference = deltaE_ciede2000(lab, srgb_to_lab(colour)).mean()
            ratios[method, number].append(float(10 * np.log10(255**2 / squares.mean())))
            errors[method, number] += squares.sum(), squares.size, difference
    print(f"{index + 1} photos")
    for method in methods:
        rows = [errors[method, number] for number in args.counts]
        psnr = [10 * np.log10(255**2 * size / squares) for squares, size, _ in rows]
        print(f"{method:10} points  ", *(f"{number:6}" for number in args.counts))
        print(f"{'':10} PSNR    ", *(f"{value:6.2f}" for value in psnr))
        print(f"{'':10} of each ", *(f"{np.mean(ratios[method, number]):6.2f}" for number in args.counts))
        print(f"{'':10} dE2000  ", *(f"{difference / (index + 1):6.2f}" for *_, difference in rows))


def grey_of(photo: np.ndarray) -> np.ndarray:
    """The photo without colours, uint8 [H, W]."""
    return np.rint(255 * _encoded(luminance(photo))).astype(np.uint8)


def _encoded(light: np.ndarray) -> np.ndarray:
    """The sRGB code in [0, 1] of greys of an L*."""
    f = (light.astype(np.float64) + 16) / 116
    y = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return np.where(y <= 0.0031308, 12.92 * y, 1.055 * np.maximum(y, 0) ** (1 / 2.4) - 0.055)


if __name__ == "__main__":
    main()
