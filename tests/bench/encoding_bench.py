"""What a Lab example costs on disk: bytes, milliseconds and error of six ways to store luminance and chroma.

    python tests/bench/encoding_bench.py --input=PHOTOS [--photos=200] [--size=256]

PHOTOS holds photos in any subfolders; a sample of them (the same in every run) is squeezed to the side of an example.
Prints the table in the docstring of `tfrecords.example`: kilobytes an image, milliseconds to encode and to decode it on
one core, mean and 99th percentile of the error in a and b, mean error in L*.
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tfrecords.color import (
    dequantize_chroma,
    dequantize_luminance,
    quantize_chroma,
    quantize_luminance,
    srgb_to_lab,
)

Bytes = np.ndarray
Encode = Callable[[Bytes, Bytes], tuple[bytes, ...]]
Decode = Callable[[tuple[bytes, ...], int], tuple[Bytes, Bytes]]


def image_file(plane: Bytes, extension: str, *options: int) -> bytes:
    return cv2.imencode(extension, plane, options)[1].tobytes()


def plane_of(data: bytes) -> Bytes:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def raw(data: bytes, *shape: int) -> Bytes:
    return np.frombuffer(data, np.uint8).reshape(shape)


def stacked(chroma: Bytes) -> Bytes:
    """A above b."""
    return np.concatenate([chroma[..., 0], chroma[..., 1]])


def unstacked(planes: Bytes, size: int) -> Bytes:
    return np.dstack([planes[:size], planes[size:]])


def halved(chroma: Bytes) -> bytes:
    return cv2.resize(chroma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).tobytes()


def doubled(data: bytes, size: int) -> Bytes:
    return cv2.resize(raw(data, size // 2, size // 2, 2), (size, size), interpolation=cv2.INTER_LINEAR)


def jpeg(quality: int) -> Callable[[Bytes], bytes]:
    return lambda plane: image_file(plane, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def png(plane: Bytes) -> bytes:
    return image_file(plane, ".png", cv2.IMWRITE_PNG_COMPRESSION, 3)


def raw_and_jpeg(quality: int) -> tuple[Encode, Decode]:
    return (
        lambda luminance, chroma: (luminance.tobytes(), jpeg(quality)(stacked(chroma))),
        lambda data, size: (raw(data[0], size, size), unstacked(plane_of(data[1]), size)),
    )


def in_files(encode: Callable[[Bytes], bytes]) -> tuple[Encode, Decode]:
    return (
        lambda luminance, chroma: (encode(luminance), encode(stacked(chroma))),
        lambda data, size: (plane_of(data[0]), unstacked(plane_of(data[1]), size)),
    )


ENCODINGS: dict[str, tuple[Encode, Decode]] = {
    "raw": (
        lambda luminance, chroma: (luminance.tobytes(), chroma.tobytes()),
        lambda data, size: (raw(data[0], size, size), raw(data[1], size, size, 2)),
    ),
    "raw, ab at half size": (
        lambda luminance, chroma: (luminance.tobytes(), halved(chroma)),
        lambda data, size: (raw(data[0], size, size), doubled(data[1], size)),
    ),
    "PNG": in_files(png),
    "JPEG 95 for all": in_files(jpeg(95)),
    "raw L, JPEG 95 ab": raw_and_jpeg(95),
    "raw L, JPEG 98 ab": raw_and_jpeg(98),
}


def read_labs(folder: Path, number: int, size: int) -> list[np.ndarray]:
    """Lab of a sample of photos, float32 [size, size, 3]."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(0).shuffle(paths)
    labs: list[np.ndarray] = []
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is not None:
            labs.append(srgb_to_lab(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)))
        if len(labs) == number:
            break
    return labs


def row(name: str, labs: list[np.ndarray], size: int) -> str:
    """One row of the table."""
    encode, decode = ENCODINGS[name]
    planes = [np.ascontiguousarray(lab[..., 0]) for lab in labs], [np.ascontiguousarray(lab[..., 1:]) for lab in labs]
    started = time.perf_counter()
    files = [encode(quantize_luminance(L), quantize_chroma(ab)) for L, ab in zip(*planes, strict=True)]
    encoded = time.perf_counter()
    read = [decode(file, size) for file in files]
    restored = [(dequantize_luminance(luminance), dequantize_chroma(chroma)) for luminance, chroma in read]
    decoded = time.perf_counter()
    errors = [np.abs(ab - found) for ab, (_, found) in zip(planes[1], restored, strict=True)]
    figures = (
        np.mean([sum(map(len, file)) for file in files]) / 1e3,
        1e3 * (encoded - started) / len(labs),
        1e3 * (decoded - encoded) / len(labs),
        np.mean([error.mean() for error in errors]),
        np.mean([np.percentile(error, 99) for error in errors]),
        np.mean([np.abs(L - found).mean() for L, (found, _) in zip(planes[0], restored, strict=True)]),
    )
    return f"{name:23} {figures[0]:6.1f}" + "".join(f"{figure:8.2f}" for figure in figures[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, required=True, help="folder of photos")
    parser.add_argument("--photos", type=int, default=200, help="size of the sample (200)")
    parser.add_argument("--size", type=int, default=256, help="side of an example (256)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    labs = read_labs(args.input, args.photos, args.size)
    if not labs:
        parser.error(f"{args.input} has no photos")
    print(f"{len(labs)} photos at {args.size} x {args.size}")
    print(
        f"{'encoding':23} {'KB':>6}"
        + "".join(f"{name:>8}" for name in ("encode", "decode", "ab mean", "ab p99", "L mean"))
    )
    for name in ENCODINGS:
        print(row(name, labs, args.size))


if __name__ == "__main__":
    main()
