"""Reads and encodes every file of a folder and says what became of it, against a manifest if there is one.

    python tests/bench/scans_bench.py --input=FOLDER [--manifest=MANIFEST.csv]

The manifest has the columns ``file``, ``format``, ``frames`` and ``pillow_status``: what Pillow loads has to come out,
each page of a TIFF, and anything else to be rejected with a fitting reason, but for TIFFs that tifffile reads. Lossless
outputs have to hold the very pixels, all outputs the sizes, two encodings the same bytes, and EXIF and IPTC what Exiv2
read before.
"""

import argparse
import csv
import io
import time
from collections import Counter
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageOps, UnidentifiedImageError

from pipelines.errors import Rejected
from pipelines.images import pages
from pipelines.images.encode import DEEP_FORMATS, encode
from pipelines.images.pages import Page
from pipelines.images.xmp import Mark

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
MARK = Mark(software="autochrome", model_name="bench", model_digest="0", source_name="scan")
# What describes how pixels are stored, or is meant to change.
CHANGES = (
    "Orientation",
    "ColorSpace",
    "PixelXDimension",
    "PixelYDimension",
    "ExifTag",
    "GPSTag",
    "InteroperabilityTag",
)
CHANGES += ("YCbCrPositioning", "ReferenceBlackWhite", "MakerNote.Offset")


def faults_of(data: bytes, found: list[Page]) -> list[str]:
    """What is wrong with the pages or with the files made of them."""
    faults = []
    for page, size in zip(found, sizes(data, len(found)), strict=True):
        if size != (page.width, page.height):
            faults.append(f"size of page {page.index}")
    colour = [(page.pixels if page.pixels.ndim == 3 else np.dstack([page.pixels] * 3), page.metadata) for page in found]
    for file_format in FORMATS:
        taken = colour if file_format == "TIFF" else colour[:1]
        made = encode(taken, file_format, bit_depth="keep", mark=MARK)
        if made != encode(taken, file_format, bit_depth="keep", mark=MARK):
            faults.append(f"{file_format} bytes differ")
        for page, (pixels, _) in zip(pages.read(made), taken, strict=True):
            same = page.pixels.shape == pixels.shape
            if same and file_format in DEEP_FORMATS:
                same = page.pixels.dtype == pixels.dtype and np.array_equal(page.pixels, pixels)
            if not same:
                faults.append(f"{file_format} pixels of page {page.index}")
        faults += lost(data, made, file_format)
    return faults


def sizes(data: bytes, count: int) -> list[tuple[int, int]]:
    """Width and height of each page, upright, as Pillow says; of a TIFF that it does not open, as tifffile says."""
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            return [(page.imagewidth, page.imagelength) for page in file.pages[:count]]
    found = []
    with image:
        for index in range(count):
            image.seek(index)
            found.append(ImageOps.exif_transpose(image).size)
    return found


def lost(data: bytes, made: bytes, file_format: str) -> list[str]:
    """Keys of EXIF and IPTC that Exiv2 finds before but not, or otherwise, after."""
    import pyexiv2

    said = []
    for file in (data, made):
        try:
            with pyexiv2.ImageData(file) as image:
                said.append(image.read_exif() | (image.read_iptc() if file_format != "WEBP" else {}))
        except (RuntimeError, UnicodeDecodeError):
            return []
    before, after = said
    return [
        f"{file_format} {key}"
        for key, value in before.items()
        if after.get(key) != value
        and not key.startswith(("Exif.Thumbnail", "Exif.SubImage", "Exif.Image2", "Exif.Image3"))
        and not key.endswith(CHANGES)
        and not (key.startswith("Exif.Image") and data[:2] in (b"II", b"MM") and "Resolution" not in key)
    ]


def fits(verdict: str, row: dict[str, str] | None, count: int) -> bool:
    """Whether the manifest wants it so."""
    if row is None:
        return True
    if row["pillow_status"] == "ok":
        return verdict == "ok" and count == (int(row["frames"]) if row["format"] == "TIFF" else 1)
    if "Bomb" in row["pillow_status"]:
        return verdict == "too_large"
    # tifffile reads some that Pillow does not.
    return verdict == "unreadable" or (
        verdict == "ok" and row["format"] in ("", "TIFF") and row["file"].endswith((".tif", ".tiff"))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--manifest", type=Path)
    args = parser.parse_args()
    rows: dict[str, dict[str, str]] = {}
    if args.manifest:
        with args.manifest.open() as file:
            rows = {row["file"]: row for row in csv.DictReader(file)}
    paths = sorted(path for path in args.input.rglob("*") if path.is_file() and path != args.manifest)
    counts: Counter[str] = Counter()
    for path in paths:
        data = path.read_bytes()
        started = time.process_time()
        found: list[Page] = []
        try:
            found = list(pages.read(data))
            verdict, detail = "ok", ""
        except Rejected as rejection:
            verdict, detail = rejection.reason, rejection.detail
        seconds = time.process_time() - started
        faults = faults_of(data, found) if found else []
        if not fits(verdict, rows.get(path.name), len(found)):
            faults.append("not what the manifest says")
        counts[verdict] += 1
        counts["pages"] += len(found)
        counts["with faults"] += bool(faults)
        print(path.name, verdict, detail[:80], f"{len(found)} pages {seconds:.2f} s", *faults, sep="\t")
    print(dict(counts), f"of {len(paths)} files")


if __name__ == "__main__":
    main()
