"""A colorized folder made by hand: real photos before and after, and one of everything that a report has to show."""

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipelines.archive import manifest
from pipelines.archive.manifest import STAGES, Output, Record
from pipelines.archive.shards import ManifestWriter
from tfrecords.color import colourfulness

HOSTILE = "<img src=x onerror=\"document.title='broken into'\">'&amp;.jpg"
NO_UTF_8 = b"caf\xe9.png".decode(errors="surrogateescape")
TURNED = 6  # EXIF: the camera lay on its side


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def grey(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels).convert("L")


class Folder:
    """Sources, outputs and records side by side."""

    def __init__(self, root: Path) -> None:
        self.sources = root / "scans"
        self.output = root / "colour"
        self.records: list[Record] = []

    def add(self, name: str, source: bytes, file: bytes, pages: list[np.ndarray], **fields: object) -> Record:
        """A photo whose pages have these pixels now; ``fields`` are the record's."""
        path = self.sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source)
        target = self.output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file)
        outputs = tuple(
            Output(
                name=name,
                page=page,
                width=p.shape[1],
                height=p.shape[0],
                bytes=len(file),
                sha256=sha256(file),
                tone="grayscale",
                colourfulness=round(colourfulness(p), 1),
            )
            for page, p in enumerate(pages, start=1)
        )
        return self.record(name, source, outputs=outputs, **fields)

    def record(self, name: str, source: bytes = b"", **fields: object) -> Record:
        """A record alone, without files."""
        known = {
            "status": "written",
            "uri": str(self.sources / name),
            "offset": None,
            "bytes": len(source),
            "sha256": sha256(source) if source else "",
            "format": "JPEG",
            "model": "unet_small",
            "model_digest": "ab" * 32,
            "run": 1,
            "milliseconds": {stage: 10.0 * number for number, stage in enumerate(STAGES, start=1)},
        }
        self.records.append(Record(name=name, fingerprint="1-1", **{**known, **fields}))
        return self.records[-1]

    def write(self) -> Path:
        """The manifest of all."""
        shards = manifest.shard_count(len(self.records))
        for index in range(shards):
            part = [record for record in self.records if manifest.shard_of(record.name, shards) == index]
            ManifestWriter(output=str(self.output), shards=shards).write(index, part)
        return self.output


def colorized(root: Path, photos: dict[str, np.ndarray]) -> Folder:
    """14 inputs: 9 written, 1 kept, 1 copied, 1 skipped, 2 rejected.

    Args:
        root: empty folder.
        photos: colour photographs by name.
    """
    folder = Folder(root)
    jpeg = {name: _encoded(Image.fromarray(pixels), "JPEG", quality=90) for name, pixels in photos.items()}
    scans = {name: _encoded(grey(pixels), "JPEG", quality=90) for name, pixels in photos.items()}
    for name in photos:
        folder.add(f"box 1/{name}.jpg", scans[name], jpeg[name], [photos[name]])
    folder.add(HOSTILE, scans["chelsea"], jpeg["chelsea"], [photos["chelsea"]])
    _deep(folder, photos["coffee"])
    _album(folder, [photos["coffee"], photos["rocket"]])
    _turned(folder, photos["rocket"])
    _in_a_tar(folder, scans["astronaut"], jpeg["astronaut"], photos["astronaut"])
    only = _encoded(grey(photos["coffee"]), "JPEG", quality=80)  # bytes that no other source has
    lost = folder.add("box 2/lost.jpg", only, jpeg["coffee"], [photos["coffee"]], status="kept")
    Path(lost.uri).unlink()
    copied = folder.add("box 2/postcard.jpg", jpeg["coffee"], jpeg["coffee"], [photos["coffee"]], status="copied")
    left = tuple(replace(output, tone="color", colourfulness=None) for output in copied.outputs)
    folder.records[-1] = replace(copied, outputs=left)
    (folder.sources / "box 2" / "slide.jpg").write_bytes(jpeg["chelsea"])
    folder.record("box 2/slide.jpg", jpeg["chelsea"], status="skipped")
    folder.record("box 2/cut short.jpg", scans["coffee"][:900], status="rejected", reason="unreadable", detail="cut")
    folder.record("box 2/vast.jpg", status="rejected", reason="too_large", detail="90000 x 90000 pixels", format="")
    return folder


def _deep(folder: Folder, pixels: np.ndarray) -> None:
    """16 bits a sample, a name that is not UTF-8, and a warning."""
    deep = Image.fromarray(np.asarray(grey(pixels)).astype(np.uint16) * 257)
    file = _encoded(Image.fromarray(pixels), "PNG")
    folder.add(NO_UTF_8, _encoded(deep, "PNG"), file, [pixels], format="PNG", warnings=("name is no <b>UTF-8</b>",))


def _album(folder: Folder, pages: list[np.ndarray]) -> None:
    scans, made = [grey(page) for page in pages], [Image.fromarray(page) for page in pages]
    source = _encoded(scans[0], "TIFF", save_all=True, append_images=scans[1:])
    file = _encoded(made[0], "TIFF", save_all=True, append_images=made[1:])
    folder.add("album.tif", source, file, pages, format="TIFF")


def _turned(folder: Folder, pixels: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = TURNED
    lying = ImageOps.exif_transpose(_with(grey(pixels), 8))
    file = _encoded(Image.fromarray(pixels), "JPEG", quality=90)
    folder.add("turned.jpg", _encoded(lying, "JPEG", quality=90, exif=exif), file, [pixels])


def _with(image: Image.Image, orientation: int) -> Image.Image:
    image.getexif()[0x0112] = orientation
    return image


def _in_a_tar(folder: Folder, source: bytes, file: bytes, pixels: np.ndarray) -> None:
    record = folder.add("reel/astronaut.jpg", source, file, [pixels])
    Path(record.uri).unlink()
    tar = folder.sources / "reel.tar"
    with tarfile.open(tar, "w") as archive:
        info = tarfile.TarInfo("astronaut.jpg")
        info.size = len(source)
        archive.addfile(info, io.BytesIO(source))
    folder.records[-1] = replace(record, uri=str(tar), offset=tarfile.BLOCKSIZE)
