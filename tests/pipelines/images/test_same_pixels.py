"""Damaged files of all formats, each read in two processes whose fresh memory holds other bytes."""

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import skimage.data
import tifffile
from photo_files import file_of
from PIL import Image

from pipelines.images import tiff_pages, tiff_table, tiff_tags

COFFEE = np.ascontiguousarray(skimage.data.coffee()[100:228, 200:392])
WORDS = COFFEE.astype(np.uint16) * 257
INK = Image.fromarray(skimage.data.page()[:150, :170] < 128)

# glibc fills what it allocates with one of these bytes.
FILLS = ("85", "170")
READ = """
import hashlib, json, sys
from pathlib import Path
from pipelines.errors import Rejected
from pipelines.images import pages

def outcome(data):
    try:
        return [hashlib.sha256(page.pixels).hexdigest() for page in pages.read(data)]
    except Rejected as verdict:
        return [verdict.reason, verdict.detail]

print(json.dumps({path.name: outcome(path.read_bytes()) for path in sorted(Path(sys.argv[1]).iterdir())}))
"""


def tiff_of(values: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


def whole() -> Iterator[tuple[str, bytes]]:
    """A file of each codec, in one piece, in strips and in tiles."""
    for codec in (None, "lzw", "deflate", "packbits", "zstd", "lzma", "jpeg", "webp", "jpeg2000", "jpegxl", "lerc"):
        for options in ({}, {"rowsperstrip": 48}, {"tile": (64, 64)}):
            yield (
                f"{codec}-{len(options) and next(iter(options))}.tif",
                tiff_of(COFFEE, photometric="rgb", compression=codec, **options),
            )
    planes = np.moveaxis(COFFEE, -1, 0)
    yield "planes.tif", tiff_of(planes, photometric="rgb", compression="jpeg", planarconfig="separate")
    yield "words.tif", tiff_of(WORDS, photometric="rgb", compression="deflate", tile=(64, 64))
    for codec in ("group3", "group4", "tiff_ccitt"):
        yield f"{codec}.tif", file_of(INK, "TIFF", compression=codec)
        yield f"{codec}-strips.tif", file_of(INK, "TIFF", compression=codec, tiffinfo={278: 16})
    for kind in (
        "JPEG",
        "PNG",
        "WEBP",
        "AVIF",
        "JPEG2000",
        "GIF",
        "BMP",
        "TGA",
        "PCX",
        "PPM",
        "SGI",
        "QOI",
        "DDS",
        "ICO",
    ):
        yield kind, file_of(COFFEE, kind)
    yield "progressive.jpg", file_of(COFFEE, "JPEG", progressive=True)
    yield "restarts.jpg", file_of(COFFEE, "JPEG", restart_marker_blocks=2)
    yield "tiles.jp2", file_of(COFFEE, "JPEG2000", tile_size=(64, 64))
    yield "words.png", imagecodecs.png_encode(WORDS)
    yield "words.jp2", imagecodecs.jpeg2k_encode(WORDS, level=0)


def damaged(name: str, data: bytes) -> Iterator[bytes]:
    """The file cut short, with wrong bytes, a hole, and if it is a TIFF with strips or tiles that are elsewhere."""
    for share in (0.4, 0.9, 0.99):
        yield data[: int(share * len(data))]
    draw = random.Random(name)
    for wrong in (1, 4, 10):
        changed = bytearray(data)
        for _ in range(wrong):
            changed[draw.randrange(8, len(data))] = draw.randrange(256)
        yield bytes(changed)
    hole = draw.randrange(len(data) // 4, len(data) * 3 // 4)
    yield data[:hole] + bytes(40) + data[hole + 40 :]
    if data[:4] in tiff_table.HEADERS:
        yield from _moved(data)


def _moved(data: bytes) -> Iterator[bytes]:
    for entry in tiff_pages.first(data).entries:
        if entry.tag in (tiff_tags.ROWS_PER_STRIP, tiff_tags.TILE_LENGTH, tiff_tags.TILE_WIDTH):
            yield _with(
                data, entry.at, entry.size, 2 * int.from_bytes(data[entry.at : entry.at + entry.size], "little")
            )
        elif entry.tag in (tiff_tags.PLANAR_CONFIGURATION, tiff_tags.SAMPLES_PER_PIXEL):
            for other in (1, 2, 98):
                yield _with(data, entry.at, entry.size, other)
        elif entry.tag in (273, 279, 324, 325):
            step = tiff_tags.SIZES[entry.type]
            for at in {entry.at, entry.at + entry.size - step}:
                value = int.from_bytes(data[at : at + step], "little")
                for other in (0, 1, value // 2, value + 20):
                    yield _with(data, at, step, other)


def _with(data: bytes, at: int, size: int, number: int) -> bytes:
    return data[:at] + number.to_bytes(size, "little") + data[at + size :]


def test_a_damaged_photo_gives_the_same_pixels_whatever_the_memory_held(tmp_path):
    for name, data in whole():
        for number, wrong in enumerate([data, *damaged(name, data)]):
            (tmp_path / f"{name} {number:02}").write_bytes(wrong)
    first, second = (_outcomes(tmp_path, fill) for fill in FILLS)
    assert len(first) == len(list(tmp_path.iterdir()))
    assert all(len(first[f"{name} 00"][0]) == 64 for name, _ in whole())
    assert {name: found for name, found in first.items() if found != second[name]} == {}


def _outcomes(folder: Path, fill: str) -> dict[str, list[str]]:
    """The digest of each page of each file, or why it was refused."""
    environment = {**os.environ, "MALLOC_PERTURB_": fill, "PYTHONMALLOC": "malloc"}
    command = [sys.executable, "-c", READ, str(folder)]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return dict(json.loads(ended.stdout))
