"""What tests of photo files share: encoding with Pillow, metadata as an independent reader sees it, ICC profiles."""

import io
import re
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyexiv2
from hypothesis import strategies as st
from PIL import Image, ImageCms

_STORAGE = re.compile(  # how a TIFF stores pixels, blocks and directories
    r"Exif\.Image\.(Image(Width|Length)|BitsPerSample|Compression|PhotometricInterpretation|SamplesPerPixel|RowsPerStrip"
    r"|StripOffsets|StripByteCounts|PlanarConfiguration|Predictor|InterColorProfile|XMLPacket|IPTCNAA|ExifTag|GPSTag"
    r"|NewSubfileType)"
)


def file_of(pixels: np.ndarray | Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(buffer, file_format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def said_of(data: bytes) -> dict[str, dict[str, Any]]:
    """EXIF, IPTC and XMP of a file, as Exiv2 reads them."""
    with pyexiv2.ImageData(data) as file:
        return {"exif": file.read_exif(), "iptc": file.read_iptc(), "xmp": file.read_xmp()}


def exif_of(data: bytes) -> dict[str, Any]:
    """EXIF of a file without the tags that say how its pixels are stored."""
    return {key: value for key, value in said_of(data)["exif"].items() if not _STORAGE.fullmatch(key)}


def saying(data: bytes, **said: dict[str, Any]) -> bytes:
    """A file with EXIF, IPTC and XMP that Exiv2 has written."""
    with pyexiv2.ImageData(data) as file:
        for kind, values in said.items():
            getattr(file, f"modify_{kind}")(values)
        return file.get_bytes()


def swapped_profile() -> bytes:
    """SRGB with the colorants of red and blue exchanged, and another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return profile.replace(b"rXYZ", b"-XYZ").replace(b"bXYZ", b"rXYZ").replace(b"-XYZ", b"bXYZ")


def grey_profile() -> bytes:
    """A grey profile, version 2, with the gamma of old Macintoshes, 1.8."""

    def text(value: bytes) -> bytes:
        return b"desc\0\0\0\0" + struct.pack(">I", len(value) + 1) + value + bytes(79)

    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(1.8 * 256))
    tags = [(b"desc", text(b"gamma 1.8")), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", white), (b"kTRC", curve)]
    body, table = b"", struct.pack(">I", len(tags))
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s", size, 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    header += bytes(68 - len(header)) + struct.pack(">3i", 63190, 65536, 54061)
    return header + bytes(128 - len(header)) + table + body


def srgb_of_gamma(values: np.ndarray, gamma: float) -> np.ndarray:
    """Grey of a gamma, in [0, 1], as sRGB in [0, 1]: IEC 61966-2-1."""
    linear = values**gamma
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def write_crops(root: Path, photos: dict[str, np.ndarray], encoded: Callable[..., bytes], number: int) -> Path:
    """Writes crops of photographs, 100 x 100, `number` of each into a folder of its own; returns the root."""
    for name, pixels in photos.items():
        (root / name).mkdir()
        for index in range(number):
            crop = pixels[20 * index : 20 * index + 100, 30 * index : 30 * index + 100]
            (root / name / f"{index}.jpg").write_bytes(encoded(crop, "JPEG"))
    return root


def write_names(root: Path, names: Iterable[str]) -> Path:
    """Writes files that hold their names; returns the root."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def damaged(whole: bytes, data: st.DataObject) -> bytes:
    """Returns a file with one to five wrong bytes, most of them near its beginning, where decoders go wrong."""
    wrong = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.one_of(st.integers(0, 200), st.integers(0, len(wrong) - 1)))
        wrong[position] = data.draw(st.integers(0, 255))
    return bytes(wrong)
