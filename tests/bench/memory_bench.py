"""Photos of each format under ever less memory: each must come out as ever, or be told from a broken photo.

    python tests/bench/memory_bench.py [--side=1000] [--steps=100] [--most=110] [--format=webp] [NAME …]

Each photo is first rendered with all the memory it wants. Then copies of the process render it whose address space
(RLIMIT_AS) may grow by 0 to 110 bytes a pixel, in 100 steps. Printed is what came out and how often: ``right``, the
same bytes; ``memory``, an error that `pipelines.images.memory.out_of_memory` knows; the signal of which the process
died, as with some codecs when an allocation fails. Anything else is a fault, and the exit code is 1.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageCms

from pipelines.archive.render import RenderOptions, render
from pipelines.images.memory import out_of_memory
from pipelines.images.xmp import Mark

_CODECS = ("cms_transform", "deflate_encode", "jpeg2k_decode", "jpeg8_encode", "png_decode", "png_encode", "lzw_decode")
_CODECS += ("webp_decode", "zstd_decode", "lerc_decode", "jpegxl_decode", "jpegxr_decode", "cms_profile")
# Memory that is given back at once is memory that the limit counts; heaps from earlier work would blur it.
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
_PLENTY = 1 << 32


def photos(side: int) -> dict[str, Callable[[], bytes]]:
    """What makes a photo of each format, `side` pixels square."""
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(0, 256, (40, 40, 3), np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    rgb = np.clip(smooth.astype(int) + rng.integers(-9, 9, smooth.shape), 0, 255).astype(np.uint8)
    grey, deep = rgb[..., 1], rgb.astype(np.uint16) * 257
    rgba, deep_alpha = np.dstack([rgb, grey]), np.dstack([deep, deep[..., 1]])
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))

    def pillow(pixels: Any, file_format: str, mode: str | None = None, **options: Any) -> Callable[[], bytes]:
        def make() -> bytes:
            buffer = io.BytesIO()
            image = Image.fromarray(pixels)
            (image.convert(mode) if mode else image).save(buffer, file_format, **options)
            return buffer.getvalue()

        return make

    def tiff(values: Any, **options: Any) -> Callable[[], bytes]:
        def make() -> bytes:
            buffer = io.BytesIO()
            tifffile.imwrite(buffer, values, metadata=None, photometric="rgb" if values.ndim == 3 else None, **options)
            return buffer.getvalue()

        return make

    return {
        "jpeg": pillow(rgb, "JPEG"),
        "jpeg grey": pillow(grey, "JPEG"),
        "jpeg progressive": pillow(rgb, "JPEG", progressive=True),
        "jpeg profile": pillow(rgb, "JPEG", icc_profile=profile),
        "jpeg cmyk": pillow(rgb, "JPEG", "CMYK"),
        "png": pillow(rgb, "PNG"),
        "png alpha": pillow(rgba, "PNG"),
        "png profile": pillow(rgb, "PNG", icc_profile=profile),
        "png 16": lambda: imagecodecs.png_encode(deep),
        "png 16 alpha": lambda: imagecodecs.png_encode(deep_alpha),
        "webp": pillow(rgb, "WEBP"),
        "webp lossless": pillow(rgba, "WEBP", lossless=True, method=0),
        "avif": pillow(rgb, "AVIF", speed=9),
        "gif": pillow(grey, "GIF"),
        "bmp": pillow(rgb, "BMP"),
        "jpeg 2000": pillow(rgb, "JPEG2000"),
        "jpeg 2000 16": lambda: imagecodecs.jpeg2k_encode(deep, level=0),
        "ppm": pillow(rgb, "PPM"),
        "tga": pillow(rgb, "TGA", compression="tga_rle"),
        "pcx": pillow(rgb, "PCX"),
        "sgi": pillow(rgb, "SGI"),
        "tiff": pillow(rgb, "TIFF"),
        "tiff lzw": pillow(rgb, "TIFF", compression="tiff_lzw"),
        "tiff deflate": pillow(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "tiff jpeg": pillow(rgb, "TIFF", compression="jpeg"),
        "tiff g4": pillow(grey, "TIFF", "1", compression="group4"),
        "tiff 16": tiff(deep),
        "tiff 16 lzw": tiff(deep, compression="lzw"),
        "tiff 16 profile": tiff(deep, compression="adobe_deflate", iccprofile=profile),
        "tiff 16 zstd": tiff(deep, compression="zstd"),
        "tiff float64": tiff(deep / 65535.0),
        "tiff float32": tiff((grey / 255).astype(np.float32)),
        "tiff lerc": tiff((rgb / 255).astype(np.float32), compression="lerc"),
        "tiff jpeg 2000": tiff(rgb, compression="jpeg2000"),
        "tiff jpeg xl": tiff(rgb, compression="jpegxl"),
        "tiff jpeg xr": tiff(deep, compression="jpegxr"),
        "tiff webp": tiff(rgb, compression="webp"),
        "tiff png": tiff(deep, compression="png"),
    }


class _Parent:
    """Predicts one even colour, and forgets files but for their digest."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def ask(self, question: Any) -> np.ndarray:
        return np.full((*question.shape[:2], 2), 20, np.float32)

    def give(self, data: bytes) -> None:
        self.digest.update(data)


def _rendered(data: bytes, file_format: str) -> str:
    parent = _Parent()
    options = RenderOptions(
        size=64,
        mark=Mark(software="autochrome", model_name="bench", model_digest="0", source_name="photo"),
        format=file_format,
        bit_depth="keep",
    )
    try:
        result = render(parent, data, options)
    except Exception as error:
        return "memory" if out_of_memory(error) else f"{type(error).__name__}: {error}"
    if result.status == "rejected":
        return f"{result.reason}: {result.detail}"
    return f"{parent.digest.hexdigest()} {result.warnings}"


def _within(room: int, data: bytes, file_format: str) -> str:
    """What comes out in a copy of this process whose address space may grow by `room` bytes."""
    reader, writer = os.pipe()
    process = os.fork()
    if not process:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room,) * 2)
        os.write(writer, _rendered(data, file_format).encode()[:4096])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(process, 0)
    return said or f"signal {os.waitstatus_to_exitcode(status)}"


def swept(data: bytes, most: float, steps: int, file_format: str) -> dict[str, int]:
    """What came out, and how often."""
    right = _within(_PLENTY, data, file_format)
    found = Counter(_within(room, data, file_format) for room in np.linspace(0, most, steps, dtype=int))
    return {("right" if said == right else said): count for said, count in found.items()}


def is_fault(said: str) -> bool:
    """Whether this must not come out."""
    return said not in ("right", "memory") and not said.startswith("signal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="of formats; all, if none is named")
    parser.add_argument("--side", type=int, default=1000, help="of the photos, in pixels")
    parser.add_argument("--steps", type=int, default=100, help="limits to try")
    parser.add_argument("--most", type=float, default=110.0, help="bytes a pixel of the largest limit")
    parser.add_argument("--format", default="png", help="to write")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder is None:
        with tempfile.TemporaryDirectory(prefix="memory-") as folder:
            for name, make in photos(args.side).items():
                if name in (args.names or (name,)):
                    (Path(folder) / name).write_bytes(make())
            command = [sys.executable, __file__, *sys.argv[1:], f"--folder={folder}"]
            sys.exit(subprocess.run(command, env={**os.environ, **_MALLOC}, check=False).returncode)
    cv2.setNumThreads(1)
    Image.init()
    for codec in _CODECS:
        with contextlib.suppress(ImportError):
            getattr(imagecodecs, codec)
    warnings.simplefilter("ignore")
    for make in (photos(8)["png"], photos(8)["png 16"], photos(8)["jpeg grey"]):
        _rendered(make(), args.format)  # makes the tables of colours
    found = {}
    for path in sorted(args.folder.iterdir()):
        found[path.name] = swept(path.read_bytes(), args.most * args.side**2, args.steps, args.format)
        if not args.json:
            print(path.name, *(f"{count} x {said}" for said, count in found[path.name].items()), sep="\t", flush=True)
    if args.json:
        print(json.dumps(found))
    sys.exit(any(is_fault(said) for one in found.values() for said in one))


if __name__ == "__main__":
    main()
