"""How long photos take to be written as PNG, and how large the files are, beside Pillow and OpenCV.

    python tests/bench/png_bench.py --input=PHOTOS [--photos=12] [--rounds=3]

PHOTOS holds photos or scans. They are coloured by one tone, as a network might, and written by turns. Prints medians of
processor milliseconds a megapixel and megabytes in all, with 8 and 16 bits; OpenCV and imagecodecs write 16 bits.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from PIL import Image

from model.upsampling import recolor
from pipelines.images import png_writer

Write = Callable[[np.ndarray], bytes]


def by_pillow(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def by_opencv(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes()


def by_imagecodecs(pixels: np.ndarray) -> bytes:
    return bytes(imagecodecs.png_encode(pixels, level=1, strategy=3, filter=16))


WRITERS: dict[int, dict[str, Write]] = {
    8: {"autochrome": png_writer.write, "Pillow, level 3": by_pillow, "OpenCV": by_opencv},
    16: {"autochrome": png_writer.write, "imagecodecs, run lengths": by_imagecodecs, "OpenCV": by_opencv},
}


def coloured(path: Path, bits: int) -> np.ndarray | None:
    photo = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if photo is None:
        return None
    chroma = np.random.default_rng(0).normal((8, 12), 6, (12, 12, 2)).astype(np.float32)
    if bits == 16:
        noise = np.random.default_rng(1).integers(-128, 129, photo.shape)
        return recolor(np.clip(photo.astype(np.int32) * 257 + noise, 0, 65535).astype(np.uint16), chroma, 16)
    return recolor(photo, chroma)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, metavar="DIR", help="photos")
    parser.add_argument("--photos", type=int, default=12, help="how many (12)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (3)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    paths = sorted(path for path in args.input.rglob("*") if path.is_file())
    for bits, writers in WRITERS.items():
        found = [one for path in paths[: 2 * args.photos] if (one := coloured(path, bits)) is not None][: args.photos]
        megapixels = sum(one.shape[0] * one.shape[1] for one in found) / 1e6
        times: dict[str, list[float]] = {name: [] for name in writers}
        sizes: dict[str, int] = {}
        for _ in range(args.rounds):
            for name, write in writers.items():
                started = time.thread_time()
                sizes[name] = sum(len(write(one)) for one in found)
                times[name].append(1e3 * (time.thread_time() - started) / megapixels)
        print(f"{len(found)} photos, {megapixels:.1f} megapixels, {bits} bits")
        for name in writers:
            print(f"  {name:26}{statistics.median(times[name]):7.1f} ms a megapixel{sizes[name] / 1e6:8.1f} MB")


if __name__ == "__main__":
    main()
