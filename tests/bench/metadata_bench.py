"""Compare the metadata of photos before and after, as ExifTool reads it, and print what is lost by format in and out.

    python tests/bench/metadata_bench.py [FOLDER …]         a table in Markdown
    python tests/bench/metadata_bench.py FOLDER … --each    also each tag that is lost, and in which file

Needs `exiftool`, which also writes EXIF, XMP, IPTC and the rest into generated files of each format. A tag counts as
carried if some tag of the result has its value; readers map names between EXIF, IPTC, XMP and texts of PNG. Tags that
describe how pixels are stored, the thumbnail, offsets and the colour profile are left out: the result has its own. No
model is needed, because metadata does not depend on colours.
"""

import argparse
import json
import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import pages
from pipelines.images.encode import encode
from pipelines.images.xmp import Mark

GENERATED = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp", "JPEG2000": "jp2", "GIF": "gif"}
SAID = (
    *("-EXIF:Artist=Grete", "-EXIF:ImageDescription=Road in snow", "-EXIF:DateTimeOriginal=1911:05:01 10:00:00"),
    *("-EXIF:UserComment=from the attic", "-GPS:GPSLatitude=50.9", "-GPS:GPSLatitudeRef=N", "-EXIF:Make=Ica"),
    *("-XMP-dc:Title=Road", "-XMP-dc:Creator=Grete", "-XMP-dc:Rights=public domain", "-XMP-photoshop:City=Bonn"),
    *("-XMP-iptcExt:DigitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm",),
    *("-IPTC:Caption-Abstract=Road to Bonn", "-IPTC:Keywords=street", "-IPTC:By-line=Hans", "-IPTC:Headline=Flood"),
    *("-IPTC:DateCreated=1911:05:01", "-IPTC:Source=attic", "-IPTC:OriginatingProgram=ScanSoft", "-IPTC:City=Trier"),
    *("-Photoshop:CopyrightFlag=1", "-Photoshop:URL=http://archive.example/17", "-Comment=box 9"),
    *("-PNG:Title=Harbour", "-PNG:Author=Emil", "-PNG:Copyright=none", "-PNG:CreationTime=1912:06:02 11:00:00"),
    *("-PNG:Source=flatbed", "-PNG:Software=ScanSoft 9", "-PNG:Disclaimer=for study", "-PNG:ModifyDate=1999:01:02"),
)
FORMATS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}
MARK = Mark(software="Autochrome", model_name="unet", model_digest="00", source_name="photo")
# Groups of ExifTool that describe the file, its pixels or its profile, and previews and other pictures in the file.
_NOT_SAID = re.compile(
    r"(ExifTool|System|File|Composite|JFIF|JFXX|ICC[-_].*|IFD[1-9]\d*|SubIFD\d*|MPF\d*|MPImage\d*|Adobe|Ducky|AdobeCM"
    r"|PNG-(pHYs|cICP)|RIFF|GIF|Jpeg2000|Photoshop|AFCP|PrintIM|AC3|FPXR|APP\d+|QuickTime|Meta|Track\d+)"
)
_SAID = re.compile(  # in these groups, what a person wrote
    r"(File:Comment|GIF:Comment|Photoshop:(CopyrightFlag|URL)|Jpeg2000:(Capture|Display).Resolution|APP\d+:.*)"
)
_STORAGE = re.compile(
    r".*(Width|Height|BitsPer\w*|SamplesPerPixel|Compress\w*|Photometric\w*|RowsPerStrip|Strip\w*|Tile\w*|Planar\w*"
    r"|Predictor|ColorMap|FillOrder|Orientation|ExtraSamples|SampleFormat|JPEG\w*|Thumbnail\w*|YCbCr\w*|SubfileType"
    r"|Exif(Byte|Offset)\w*|ColorSpace|Gamma|WhitePoint|Primary\w*|ReferenceBlackWhite|TransferFunction|T[46]Options"
    r"|GrayResponse\w*|HalftoneHints|InkSet|NumberofInks|PageNumber|BitDepth|ColorType|Filter|Interlace|Pixel[XY]\w*"
    r"|ExifImage\w*|Interop\w*|XMPToolkit|Format|HasExtendedXMP|About|ColorMode|ICCProfile\w*|Palette|Transparency"
    r"|BackgroundColor|White(Point)?[XY]|(Red|Green|Blue)[XY]|SRGBRendering|SignificantBits|Padding|OffsetSchema"
    r"|PixelUnits|PixelsPerUnit[XY]|.?Resolution(Unit)?|FocalPlane\w*|Datecreate|Datemodify|MinSample\w*|MaxSample\w*"
    r"|CodedCharacterSet|EnvelopeRecordVersion|ApplicationRecordVersion|Warning|MakerNote\w*Offset|PreviewImage\w*"
    r"|CreatorTool|Thresh?holding|Animation\w*|Free\w*|CellLength|CurrentIPTCDigest|IPTCDigest|.?ResolutionUnit\w*)"
)


_OF_ENCODER = re.compile("kakadu|openjpeg|createdbyopenjpeg")  # in the comment of a JPEG 2000
_SHORT = 3
_NOTES = "XMP-autochrome:Notes"


def tags_of(paths: list[Path]) -> list[dict[str, str]]:
    """Tags of each file by group and name, as ExifTool reads them."""
    command = ["exiftool", "-j", "-G1", "-a", "-n", "-b", *map(str, paths)]
    told = subprocess.run(command, capture_output=True, check=False).stdout
    found = {Path(one["SourceFile"]): one for one in json.loads(told.decode("utf-8", "replace") or "[]")}
    return [_values(found.get(path, {})) for path in paths]


def _values(found: dict[str, Any]) -> dict[str, str]:
    """Values by group and name; the notes of Autochrome, ``name: value``, by their names."""
    notes = found.get(_NOTES, [])
    told = [str(note).partition(": ") for note in (notes if isinstance(notes, list) else [notes])]
    return {key: _plain(value) for key, value in found.items()} | {name: _plain(value) for name, _, value in told}


def _is_said(key: str) -> bool:
    """Return whether a tag says something of the photo."""
    group, _, name = key.partition(":")
    of_photo = bool(_SAID.fullmatch(key)) or not _NOT_SAID.fullmatch(group)
    return of_photo and bool(name) and not _STORAGE.fullmatch(name)


def _plain(value: Any) -> str:
    """A value without what differs between EXIF, IPTC and XMP: separators of dates, spaces, lists of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("x-default", value)
    text = re.sub(r"[-:/t, ]", "", str(value).partition("\0")[0].strip().lower()).removesuffix("z")
    return {"rue": "1", "false": "0"}.get(text, text)


def generate(folder: Path) -> None:
    """Write a photo of each format with as much metadata as ExifTool can write into it."""
    image = Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8))
    for file_format, ending in GENERATED.items():
        path = folder / f"generated.{ending}"
        image.save(path, file_format)
        for one in SAID:  # one by one: a format may refuse some
            subprocess.run(["exiftool", "-q", "-q", "-m", "-overwrite_original", one, str(path)], check=False)


def lost(before: dict[str, str], after: dict[str, str]) -> list[str]:
    values = set(after.values())
    texts = "\n".join(value for value in values if len(value) > _SHORT)
    return [
        key
        for key, value in before.items()
        if value
        and value not in values
        and not _OF_ENCODER.match(value)
        and not (len(value) > _SHORT and value in texts)
    ]


def compare(path: Path, folder: Path) -> dict[str, tuple[str, list[str], tuple[str, ...]]]:
    """The format of a photo, the tags that it loses and the warnings, by the format that it is written in."""
    try:
        page = next(iter(pages.read(path.read_bytes())))
    except Rejected:
        return {}
    pixels = np.zeros((*page.pixels.shape[:2], 3), np.uint8)[:64, :64]
    warned: dict[str, list[str]] = {file_format: [] for file_format in FORMATS}
    paths = [path]
    for file_format, ending in FORMATS.items():
        made = folder / f"made.{ending}"
        made.write_bytes(encode([(pixels, page.metadata)], file_format, mark=MARK, warned=warned[file_format]))
        paths.append(made)
    before, *after = tags_of(paths)
    before = {key: value for key, value in before.items() if _is_said(key)}
    return {
        file_format: (page.format, lost(before, tags), tuple(dict.fromkeys(warned[file_format])))
        for file_format, tags in zip(FORMATS, after, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--each", action="store_true")
    args = parser.parse_args()
    table: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    files: defaultdict[tuple[str, str], int] = defaultdict(int)
    silent = 0
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as generated:
        generate(Path(generated))
        folders = [*args.folders, Path(generated)]
        for path in sorted(path for one in folders for path in one.rglob("*") if path.is_file()):
            for target, (source, tags, warned) in compare(path, Path(made)).items():
                files[source, target] += 1
                table[source, target].update(tag.partition(":")[2] for tag in tags)
                silent += bool(tags) and not warned
                if args.each and tags:
                    print(f"{path.name} -> {target}: {', '.join(tags)}; warnings: {', '.join(warned) or 'none'}")
    sources = sorted({source for source, _ in files})
    print("| from |", " | ".join(f"to {target}" for target in FORMATS), "|")
    print("| --- |", " | ".join("---" for _ in FORMATS), "|")
    for source in sources:
        cells = [", ".join(sorted(table[source, target])) or "none" for target in FORMATS]
        print(f"| {source} ({files[source, 'PNG']}) |", " | ".join(cells), "|")
    print(f"{silent} results lost a tag without any warning")


if __name__ == "__main__":
    main()
