"""How well small chroma comes back to full resolution: along the edges of the luminance, and bilinearly.

    python tests/bench/upsampling_bench.py --photos=PHOTOS [--half=report] [--model=SAVED_MODEL] [--grain=5]

PHOTOS holds colour photos in any subfolders; those of fewer than --pixels on the longer side, grey ones and files that
are not photos are left out. a and b of each are averaged down to 256 x 256, the most that a model gives, and on to
64 x 64 and 32 x 32 (then bilinearly back to 256 x 256), which is as sharp as networks paint; with --model, they are
its prediction as well. Brought up and joined with the photo's luminance (--grain adds noise to it, its standard
deviation in L*), they are compared with the photo: CIEDE2000 with equal L*, mean of 20,000 pixels drawn from the tenth
of the photo with the steepest L* and of 20,000 drawn from all of it. Printed are means over the photos, the share of
the photos on which ours is the worse, and milliseconds a megapixel of one core, of the whole way from grey bytes to
colour bytes.

Constants of `model.upsampling` were chosen on the half of the photos whose name's SHA-256 is even (--half=tune);
--half=report is the other.
"""

import argparse
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage.color

from model.upsampling import STRIP_PIXELS, model_luminance, recolor
from tfrecords.color import lab_to_srgb, luminance, srgb_to_lab

Array = np.ndarray
SIZE = 256
DETAILS = (256, 64, 32)
DRAWN = 20_000
# Below this mean of |a| + |b| a photo has no colour to bring back.
_GREY = 5.0


def bilinear(pixels: Array, chroma: Array) -> Array:
    """Grey bytes and small chroma to colour bytes, chroma brought up bilinearly; in strips, as `recolor` does it."""
    height, width = pixels.shape
    full = cv2.resize(chroma, (width, height), interpolation=cv2.INTER_LINEAR)
    result = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        result[strip] = lab_to_srgb(cv2.merge([luminance(pixels[strip]), full[strip]]))
    return result


METHODS: dict[str, Callable[[Array, Array], Array]] = {"bilinear": bilinear, "edges": recolor}


def files(folder: Path, half: str) -> list[Path]:
    """The files of one half or of both."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    wanted = {"tune": (0,), "report": (1,), "both": (0, 1)}[half]
    return [path for path in found if hashlib.sha256(path.name.encode()).digest()[-1] % 2 in wanted]


def photos(folder: Path, half: str, pixels: int) -> Iterator[Array]:
    """Large colour photos as Lab, float32 [H, W, 3]."""
    for path in files(folder, half):
        rgb = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if rgb is not None and max(rgb.shape) >= pixels:
            lab = srgb_to_lab(rgb)
            if np.abs(lab[::16, ::16, 1:]).sum(axis=-1).mean() >= _GREY:
                yield lab


def shrunk(chroma: Array, detail: int) -> Array:
    """Chroma as a network gives it: SIZE pixels square, as sharp as a picture of `detail` pixels square."""
    for side in (SIZE, detail):
        chroma = cv2.resize(chroma, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(chroma, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)


def drawn(lightness: Array) -> tuple[Array, Array]:
    """Flat indices of pixels at the edges, and of any pixels."""
    steep = cv2.magnitude(cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1)).ravel()
    edges = np.flatnonzero(steep > np.quantile(steep[::7], 0.9))
    draw = np.random.default_rng(0)
    return draw.choice(edges, DRAWN), draw.integers(0, steep.size, DRAWN)


def difference(found: Array, lab: Array) -> float:
    """Mean CIEDE2000 of colours uint8 [N, 3] and Lab [N, 3], their luminance taken as equal."""
    other = srgb_to_lab(found[None])[0]
    return float(skimage.color.deltaE_ciede2000(lab, np.column_stack([lab[:, 0], other[:, 1:]])).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of colour photos")
    parser.add_argument("--pixels", type=int, default=2000, help="least longer side of a photo (2000)")
    parser.add_argument("--half", choices=["tune", "report", "both"], default="report")
    parser.add_argument("--grain", type=float, default=0.0, help="noise added to L* (0)")
    parser.add_argument("--model", help="SavedModel whose prediction is brought up as well")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    predict = None
    if args.model:
        from model.colorizer import Colorizer

        predict = Colorizer.load(args.model).predict
    rows: dict[tuple[str, str], list[tuple[float, float]]] = {}
    seconds, megapixels = dict.fromkeys(METHODS, 0.0), 0.0
    for number, lab in enumerate(photos(args.photos, args.half, args.pixels)):
        noise = args.grain * np.random.default_rng(number).standard_normal(lab.shape[:2], np.float32)
        lightness = np.clip(lab[..., 0] + noise, 0, 100)
        grey = np.ascontiguousarray(lab_to_srgb(cv2.merge([lightness, 0 * noise, 0 * noise]))[..., 0])
        small = {f"{detail} px": shrunk(lab[..., 1:], detail) for detail in DETAILS}
        if predict:
            small["model"] = predict(model_luminance(grey, SIZE)[None])[0]
        megapixels += len(small) * grey.size / 1e6
        places = drawn(np.ascontiguousarray(lab[..., 0]))
        for what, chroma in small.items():
            for method, bring_up in METHODS.items():
                started = time.process_time()
                found = bring_up(grey, chroma).reshape(-1, 3)
                seconds[method] += time.process_time() - started
                errors = tuple(difference(found[at], lab.reshape(-1, 3)[at]) for at in places)
                rows.setdefault((what, method), []).append(errors)
    if not rows:
        parser.error(f"{args.photos} has no colour photos of {args.pixels} pixels and more")
    count = len(next(iter(rows.values())))
    print(f"{count} photos, {megapixels / len({what for what, _ in rows}) / count:.1f} megapixels in the mean")
    print(f"{'detail':8}{'':12}{'bilinear':>9}{'edges':>8}{'better by':>11}{'worse on':>10}")
    for what in dict.fromkeys(what for what, _ in rows):
        theirs, ours = (np.array(rows[what, method]) for method in METHODS)
        for column, where in enumerate(("at edges", "everywhere")):
            means = theirs[:, column].mean(), ours[:, column].mean()
            worse = (ours[:, column] > theirs[:, column]).mean()
            print(f"{what:8}{where:12}{means[0]:9.3f}{means[1]:8.3f}{1 - means[1] / means[0]:11.1%}{worse:10.0%}")
    print(", ".join(f"{name} {1e3 * spent / megapixels:.1f} ms a megapixel" for name, spent in seconds.items()))


if __name__ == "__main__":
    main()
