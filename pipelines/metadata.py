"""What a file says of its photo: EXIF, XMP, IPTC, resolution, comments; read, and made true of the result."""

import contextlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from PIL import Image

from pipelines import ifd, jp2, xmp
from pipelines.ifd import Directory, Field
from pipelines.xmp import Mark

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
_XMP, _IPTC, _PHOTOSHOP = 700, 33723, 34377
_COLOR_SPACE, _PIXEL_WIDTH, _PIXEL_HEIGHT, _GAMMA = 40961, 40962, 40963, 42240
_IIM = 0x0404
_SUBFILE_TYPE = 254
# A JPEG segment holds 65,533 bytes, its name among them.
JPEG_EXIF_ROOM = 65_533 - len(b"Exif\0\0")
JPEG_XMP_ROOM = 65_533 - len(b"http://ns.adobe.com/xap/1.0/\0")
JPEG_IPTC_ROOM = 65_000
# Tags of a first directory that say how its pixels are stored; whoever stores them anew says so anew.
STRUCTURAL = frozenset(
    {255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284}
    | {288, 289, 290, 291, 292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330}
    | {332, 334, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532}
    | {_XMP, _IPTC, _PHOTOSHOP, 34675, 37724}
)


@dataclass(frozen=True)
class Metadata:
    """What is carried from the source to the result.

    Attributes:
        exif: a TIFF structure from its header on, true of the upright sRGB pixels: orientation 1, no thumbnail.
        xmp: the packet as it was found.
        iptc: IIM records.
        dpi: pixels an inch, across and down, as the file itself (not its EXIF) says; None when it does not.
        comment: free text of JPEG and GIF files.
        warnings: codes of what could not be read or carried: ``exif_broken``, ``icc_ignored``, …
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    warnings: tuple[str, ...] = ()


def collect(
    image: Image.Image, data: bytes, *, size: tuple[int, int], transposed: bool, directory: int | None = None
) -> Metadata:
    """Reads the metadata of an open image and makes it true of upright sRGB pixels.

    Args:
        image: at the page in question.
        data: the file.
        size: width and height of the upright pixels.
        transposed: whether being turned upright exchanges width and height.
        directory: of a TIFF page, its offset.
    """
    found = _parts(image, data)
    warnings = []
    exif = b""
    try:
        if image.format == "TIFF":
            exif = _exif_block(ifd.read(data, directory, skip=STRUCTURAL), size, transposed)
        elif found["exif"]:
            exif = _exif_block(ifd.read(found["exif"], skip=STRUCTURAL), size, transposed)
    except (ValueError, struct.error):
        warnings.append("exif_broken")
    dpi = _dpi(image)
    return Metadata(
        exif=exif,
        xmp=found["xmp"],
        iptc=found["iptc"],
        dpi=(dpi[1], dpi[0]) if dpi and transposed else dpi,
        comment=found["comment"],
        warnings=tuple(warnings),
    )


def _parts(image: Image.Image, data: bytes) -> dict[str, bytes]:
    """The raw bytes of each kind, b"" where there is none."""
    info = image.info
    found = {kind: _bytes(info.get(kind)) for kind in ("exif", "xmp")} | {"iptc": b"", "comment": b""}
    found["exif"] = found["exif"].removeprefix(b"Exif\0\0")
    if image.format in ("JPEG", "MPO", "GIF"):
        found["comment"] = _bytes(info.get("comment"))
        found["iptc"] = _bytes((info.get("photoshop") or {}).get(_IIM))
    elif image.format == "TIFF":
        found |= _tiff_parts(image)
    elif image.format == "PNG":
        for kind in ("exif", "xmp", "iptc"):
            found[kind] = found[kind] or _raw_profile(info, kind)
        found["comment"] = _bytes(info.get("Comment"))
    elif image.format == "JPEG2000":
        found |= jp2.metadata(data)
    return found


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""


def _tiff_parts(image: Any) -> dict[str, bytes]:
    """XMP and IPTC of a TIFF page. IPTC may be typed LONG, its bytes then swapped where the file is big-endian."""
    tags = image.tag_v2
    xmp = tags.get(_XMP, b"")
    iptc = tags.get(_IPTC, b"")
    if isinstance(xmp, tuple):
        xmp = bytes(value & 255 for value in xmp)
    if isinstance(iptc, tuple | int):
        values = iptc if isinstance(iptc, tuple) else (iptc,)
        kind = tags.tagtype.get(_IPTC)
        iptc = struct.pack(f"{tags.prefix_order}{len(values)}I", *values) if kind == 4 else bytes(values)
    if not iptc:
        iptc = next((block for number, block in _resources(_bytes(tags.get(_PHOTOSHOP))) if number == _IIM), b"")
    return {"xmp": _bytes(xmp), "iptc": _bytes(iptc)}


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Photoshop's image resource blocks: number and content."""
    position = 0
    while data[position : position + 4] == b"8BIM" and position + 12 <= len(data):
        name_size = data[position + 6] + 1
        start = position + 6 + name_size + name_size % 2
        size = int.from_bytes(data[start : start + 4], "big")
        yield int.from_bytes(data[position + 4 : position + 6], "big"), data[start + 4 : start + 4 + size]
        position = start + 4 + size + size % 2


def _raw_profile(info: dict[Any, Any], kind: str) -> bytes:
    """A block that PNG has no chunk for, in hexadecimal text as ImageMagick began to write it: \\nname\\nsize\\nhex."""
    text = info.get(f"Raw profile type {kind}")
    if kind == "exif":
        text = text or info.get("Raw profile type APP1")
    with contextlib.suppress(ValueError, AttributeError):
        _, size, body = str(text).lstrip("\n").split("\n", 2)
        content = bytes.fromhex(body)[: int(size)].removeprefix(b"Exif\0\0")
        return dict(_resources(content)).get(_IIM, content)
    return b""


def _dpi(image: Any) -> tuple[float, float] | None:
    if image.format == "TIFF" and X_RESOLUTION not in image.tag_v2:
        return None  # where Pillow says 1
    with contextlib.suppress(Exception):
        across, down = (float(value) for value in image.info["dpi"])
        if min(across, down) > 0 and math.isfinite(across) and math.isfinite(down):
            return across, down
    return None


def _exif_block(directory: Directory, size: tuple[int, int], transposed: bool) -> bytes:
    """Makes EXIF true of upright sRGB pixels and lays it out anew; the thumbnail stays behind."""
    if ORIENTATION in directory.fields:
        directory.put(ORIENTATION, 3, 1)
    if transposed and {X_RESOLUTION, Y_RESOLUTION} <= directory.fields.keys():
        fields = directory.fields
        fields[X_RESOLUTION], fields[Y_RESOLUTION] = fields[Y_RESOLUTION], fields[X_RESOLUTION]
    photo = directory.children.get(ifd.EXIF)
    if photo:
        for tag, value in ((_COLOR_SPACE, 1), (_PIXEL_WIDTH, size[0]), (_PIXEL_HEIGHT, size[1])):
            if tag in photo.fields:
                photo.put(tag, 3 if tag == _COLOR_SPACE else 4, value)
        photo.fields.pop(_GAMMA, None)
        interop = photo.children.get(ifd.INTEROP)
        if interop and interop.fields.get(1, Field(2, b"")).data == b"R03\0":
            interop.fields[1] = Field(2, b"R98\0")
    return block(directory) if directory.fields or directory.children else b""


def block(directory: Directory) -> bytes:
    """A directory as an EXIF block."""
    return ifd.header(directory.order) + ifd.write(directory, 8)


def resource(iptc: bytes) -> bytes:
    """IIM records as one of Photoshop's image resource blocks, the way in which JPEG and PNG hold them."""
    return b"8BIM" + struct.pack(">H2xI", _IIM, len(iptc)) + iptc + bytes(len(iptc) % 2)


def with_resolution(directory: Directory, dpi: tuple[float, float] | None) -> None:
    """Adds the resolution to EXIF that has none, for formats that have no other place for it."""
    if dpi and X_RESOLUTION not in directory.fields:
        for tag, value in zip((X_RESOLUTION, Y_RESOLUTION), dpi, strict=True):
            ratio = Fraction(value).limit_denominator(10_000)
            directory.put(tag, 5, min(ratio.numerator, 0xFFFFFFFF), ratio.denominator)
        directory.put(RESOLUTION_UNIT, 3, 2)


def carried(metadata: Metadata, file_format: str, mark: Mark | None) -> Metadata:
    """What of the metadata a format takes, marked; what it has no room for is left out with a warning.

    Args:
        metadata: of a page.
        file_format: JPEG, PNG, TIFF or WEBP.
        mark: none leaves the photo unmarked.
    """
    packet, usable = xmp.merge(metadata.xmp, mark)
    warnings = [*metadata.warnings, *([] if usable else ["xmp_broken"])]
    result = replace(metadata, xmp=packet)
    if file_format != "TIFF" and result.exif:
        directory = ifd.read(result.exif)
        if directory.fields.pop(_SUBFILE_TYPE, None):
            result = replace(result, exif=block(directory))
    if file_format == "JPEG":
        if len(result.exif) > JPEG_EXIF_ROOM:
            result = replace(result, exif=_shortened(result.exif))
            warnings.append("exif_shortened")
        if len(result.xmp) > JPEG_XMP_ROOM:
            result = replace(result, xmp=xmp.merge(b"", mark)[0])
            warnings.append("xmp_dropped")
        if len(result.iptc) > JPEG_IPTC_ROOM:
            result = replace(result, iptc=b"")
            warnings.append("iptc_dropped")
    if file_format == "WEBP" and result.iptc:
        result = replace(result, iptc=b"")
        warnings.append("iptc_dropped")
    return replace(result, warnings=tuple(warnings))


def _shortened(exif: bytes) -> bytes:
    """EXIF that fits into a JPEG: without its MakerNote, and if it must be without its longest values."""
    directory = ifd.read(exif)
    photo = directory.children.get(ifd.EXIF, Directory())
    photo.fields.pop(ifd.MAKER_NOTE, None)
    while len(block(directory)) > JPEG_EXIF_ROOM:
        places = [(fields, tag) for fields in (directory.fields, photo.fields) for tag in fields]
        fields, tag = max(places, key=lambda place: len(place[0][place[1]].data))
        del fields[tag]
    return block(directory)
