"""Merging a photo with its chroma: the compiled loops of `model.kernels` beside OpenCV and NumPy in strips.

    python tests/bench/merge_bench.py [--photo=PHOTO] [--megapixels 0.3 12 100] [--runs=5]

The photo is resized to each size, and merged with soft random chroma of three strengths; the stronger, the more colours
are outside sRGB. Both ways alternate in one process on one thread. Printed are medians of processor time in
milliseconds, what the kernels take a pixel, and the share of the bytes that differ. For the limit of the machine, two
rows more: copying the pixels (7 bytes a pixel: 1 read and 6 written), and looking up three bytes a pixel in a table of
64 kB.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import cv2
import numpy as np
from skimage import data

from model.upsampling import MOST_DETAIL, Guided, guide, model_luminance, recolor
from tfrecords.color import bytes_of_light, lab_to_srgb, lab_to_srgb_words, luminance

Array = np.ndarray
STRIP_PIXELS = 1 << 18
STRENGTHS = (4, 12, 25)


def rows_of(guided: Guided, top: int, light: Array) -> tuple[Array, Array]:
    """a and b of the rows from `top`, by NumPy and OpenCV."""
    high = guided.planes.shape[1]
    at = np.clip((np.arange(top, top + len(light), dtype=np.float32) + 0.5) * high / guided.height - 0.5, 0, high - 1)
    above = at.astype(np.intp)
    weight = (at - above).astype(np.float32)[:, None]
    lines = guided.planes[:, above] * (1 - weight) + guided.planes[:, np.minimum(above + 1, high - 1)] * weight
    a, b, slope_a, slope_b, detail = (cv2.resize(plane, light.shape[::-1]) for plane in lines)
    detail = np.clip(light - detail, -MOST_DETAIL, MOST_DETAIL)
    return a + slope_a * detail, b + slope_b * detail


def in_strips(pixels: Array, chroma: Array, bits: int, seen: Array) -> Array:
    """What `recolor` did before its loops were compiled."""
    guided = guide(pixels, chroma, seen)
    convert = lab_to_srgb if bits == 8 else lab_to_srgb_words
    result = np.empty((*pixels.shape[:2], 3), np.uint8 if bits == 8 else np.uint16)
    rows = max(1, STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        light = luminance(pixels[top : top + rows])
        result[top : top + rows] = convert(cv2.merge([light, *rows_of(guided, top, light)]))
    return result


def timed(work: Callable[[], Array]) -> tuple[float, Array]:
    """Milliseconds of processor time, and the result."""
    started = time.process_time()
    result = work()
    return 1e3 * (time.process_time() - started), result


def alternated(runs: int, *works: Callable[[], Array]) -> tuple[list[float], list[Array]]:
    """Median milliseconds of each, and their results."""
    done = [[timed(work) for work in works] for _ in range(runs)]
    return [median(one[0] for one in column) for column in zip(*done, strict=True)], [one[1] for one in done[-1]]


def soft_chroma(strength: float) -> Array:
    """Chroma as soft as a network's, of a given standard deviation."""
    noise = np.random.default_rng(0).normal(0, 1, (256, 256, 2)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return soft * np.float32(strength / soft.std())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", help="a photo in colour (default: one of scikit-image)")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.3, 12, 100])
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    photo = cv2.imread(args.photo, cv2.IMREAD_COLOR_RGB) if args.photo else data.astronaut()
    heads = "".join(f"{name:>9}" for name in ("chroma", "strips", "kernels", "ratio", "ns/px", "differ", "most"))
    print(f"{'megapixels':>10}  {'photo':<16}{heads}")
    for megapixels in args.megapixels:
        width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
        large = cv2.resize(photo, (width, round(megapixels * 1e6 / width)), interpolation=cv2.INTER_CUBIC)
        grey = cv2.cvtColor(large, cv2.COLOR_RGB2GRAY)
        words = grey.astype(np.uint16) * 257
        works = [(f"{name} 8 bits", pixels, 8) for name, pixels in (("grey", grey), ("colour", large))]
        for what, pixels, bits in [*works, ("grey 16 bits", words, 16)]:
            seen = model_luminance(pixels, 256)
            for strength in STRENGTHS:
                chroma = soft_chroma(strength)
                both = (partial(way, pixels, chroma, bits, seen) for way in (in_strips, recolor))
                (old, new), (theirs, ours) = alternated(args.runs, *both)
                apart = np.abs(ours.astype(np.int32) - theirs)
                print(
                    f"{megapixels:>10}  {what:<16}{strength:>9}{old:>9.0f}{new:>9.0f}{old / new:>9.2f}"
                    f"{1e6 * new / grey.size:>9.1f}{(apart > 0).mean():>9.4%}{apart.max():>9}",
                    flush=True,
                )
        codes = np.random.default_rng(0).integers(0, 65536, (*grey.shape, 3)).astype(np.uint16)
        limits, _ = alternated(
            args.runs,
            partial(cv2.merge, [grey] * 3),
            partial(cv2.LUT, codes, bytes_of_light()),
        )
        print(f"{megapixels:>10}  copying {limits[0]:.0f} ms, three lookups a pixel {limits[1]:.0f} ms")


if __name__ == "__main__":
    main()
