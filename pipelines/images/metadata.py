"""What a file says of its photo: EXIF, XMP, IPTC, resolution, comments; read, and made true of the result."""

import contextlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from PIL import Image

from pipelines.images import jp2, memory, tiff_directory, xmp
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.xmp import Mark

_WIDTH, _HEIGHT = 256, 257
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
_XMP, _IPTC, _PHOTOSHOP = 700, 33723, 34377
_COLOR_SPACE, _PIXEL_WIDTH, _PIXEL_HEIGHT, _GAMMA = 40961, 40962, 40963, 42240
_IIM = 0x0404
_IIM_START = b"\x1c"
_SUBFILE_TYPE = 254
DESCRIPTION = 270
# A JPEG segment holds 65,533 bytes, its name among them.
EXIF_START = b"Exif\0\0"
XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
JPEG_EXIF_ROOM = 65_533 - len(EXIF_START)
JPEG_XMP_ROOM = 65_533 - len(XMP_START)
JPEG_IPTC_ROOM = 65_000
JPEG_COMMENT_ROOM = 65_533
JPEG_MOST_DPI = 65_535.5
# Tags of a first directory that say how its pixels are stored; whoever stores the pixels again writes these again.
STRUCTURAL = frozenset(
    {255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284}
    | {288, 289, 290, 291, 292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330}
    | {332, 334, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532}
    | {34675, 37724}
)
# Of these, EXIF may have some that remain true or can be made so: of size, and of how its JPEG stores colour.
_UNTRUE_IN_EXIF = (STRUCTURAL - {_WIDTH, _HEIGHT, 529, 530, 531, 532}) | {_XMP, _IPTC, _PHOTOSHOP}


@dataclass(frozen=True)
class Metadata:
    """What is carried from the source to the result.

    Attributes:
        exif: a TIFF structure from its header on, true of the upright sRGB pixels: orientation 1, no thumbnail.
        xmp: the packet as it was found.
        iptc: IIM records.
        dpi: pixels an inch, across and down, as the file itself (not its EXIF) says; None when it does not.
        comment: free text of JPEG and GIF files.
        warnings: codes of what could not be read or carried: ``exif_broken``, ``iptc_dropped``, …
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """How many are carried."""
        return len(self.exif) + len(self.xmp) + len(self.iptc) + len(self.comment)


def collect(image: Image.Image, data: bytes, *, size: tuple[int, int], transposed: bool) -> Metadata:
    """Reads the metadata of an open image and makes it true of upright sRGB pixels.

    Args:
        image: of the first page.
        data: the file.
        size: width and height of the upright pixels.
        transposed: whether being turned upright exchanges width and height.
    """
    warnings = []
    found = {"exif": b"", "xmp": b"", "iptc": b"", "comment": b""}
    try:
        if image.format == "TIFF":
            tags = tiff_directory.read(data, skip=STRUCTURAL)
            found |= _tiff_parts(tags)
        else:
            found |= _parts(image, data)
            tags = tiff_directory.read(found["exif"], skip=_UNTRUE_IN_EXIF) if found["exif"] else Directory()
    except (ValueError, struct.error):
        tags = Directory()
        warnings.append("exif_broken")
    if tags.is_cut:
        warnings.append("exif_shortened")
    dpi = _dpi(image) if image.format != "TIFF" or X_RESOLUTION in tags.fields else None
    _correct(tags, size, transposed)
    return Metadata(
        exif=block(tags) if tags.fields or tags.children else b"",
        xmp=found["xmp"],
        iptc=found["iptc"],
        dpi=(dpi[1], dpi[0]) if dpi and transposed else dpi,
        comment=found["comment"],
        warnings=tuple(warnings),
    )


def _parts(image: Image.Image, data: bytes) -> dict[str, bytes]:
    """The raw bytes of each kind, b"" where there is none."""
    info = image.info
    found = {"exif": _bytes(info.get("exif")).removeprefix(EXIF_START), "xmp": _bytes(info.get("xmp"))}
    if image.format in ("JPEG", "MPO", "GIF"):
        found["comment"] = _bytes(info.get("comment"))
        found["iptc"] = _bytes((info.get("photoshop") or {}).get(_IIM))
    elif image.format == "PNG":
        found["comment"] = _bytes(info.get("Comment"))
        for kind in ("exif", "xmp", "iptc"):
            found[kind] = found.get(kind) or _raw_profile(info, kind)
    elif image.format == "JPEG2000":
        found |= jp2.metadata(data)
    return found


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""


def _tiff_parts(tags: Directory) -> dict[str, bytes]:
    """XMP and IPTC of a TIFF page, taken out of its directory."""
    packet, records, resources = (tags.fields.pop(tag, Field(7, b"")) for tag in (_XMP, _IPTC, _PHOTOSHOP))
    iptc = records.data
    if records.type == 4 and iptc[:1] != _IIM_START:
        iptc = struct.pack(f"<{records.count}I", *struct.unpack(f">{records.count}I", iptc))
    if not iptc:
        iptc = next((content for number, content in _resources(resources.data) if number == _IIM), b"")
    return {"xmp": packet.data, "iptc": iptc}


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
        content = bytes.fromhex(body)[: int(size)].removeprefix(EXIF_START)
        return dict(_resources(content)).get(_IIM, content)
    return b""


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    with memory.suppressed(Exception):
        across, down = (float(value) for value in image.info["dpi"])
        if min(across, down) > 0 and math.isfinite(across) and math.isfinite(down):
            return across, down
    return None


def _correct(directory: Directory, size: tuple[int, int], transposed: bool) -> None:
    """Makes EXIF true of upright sRGB pixels."""
    if ORIENTATION in directory.fields:
        directory.put(ORIENTATION, 3, 1)
    if transposed and {X_RESOLUTION, Y_RESOLUTION} <= directory.fields.keys():
        fields = directory.fields
        fields[X_RESOLUTION], fields[Y_RESOLUTION] = fields[Y_RESOLUTION], fields[X_RESOLUTION]
    for tag, value in ((_WIDTH, size[0]), (_HEIGHT, size[1])):
        if tag in directory.fields:
            directory.put(tag, 4, value)
    photo = directory.children.get(tiff_directory.EXIF)
    if photo:
        for tag, value in ((_COLOR_SPACE, 1), (_PIXEL_WIDTH, size[0]), (_PIXEL_HEIGHT, size[1])):
            if tag in photo.fields:
                photo.put(tag, 3 if tag == _COLOR_SPACE else 4, value)
        photo.fields.pop(_GAMMA, None)
        interop = photo.children.get(tiff_directory.INTEROP)
        if interop and interop.fields.get(1, Field(2, b"")).data == b"R03\0":
            interop.fields[1] = Field(2, b"R98\0")


def block(directory: Directory) -> bytes:
    """A directory as an EXIF block."""
    return tiff_directory.header(directory.order) + tiff_directory.write(directory, 8)


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
    """What of the metadata a format takes, marked; what it has no room for is left out or cut with a warning.

    Args:
        metadata: of a page.
        file_format: JPEG, PNG, TIFF or WEBP.
        mark: none leaves the photo unmarked.
    """
    packet, warning = xmp.merge(metadata.xmp, mark)
    warnings = [*metadata.warnings, *([warning] if warning else [])]
    result = replace(metadata, xmp=packet)
    if file_format != "TIFF" and result.exif:
        directory = tiff_directory.read(result.exif)
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
        if result.dpi and max(result.dpi) >= JPEG_MOST_DPI:
            result = replace(result, dpi=None)
            warnings.append("dpi_dropped")
        if len(result.comment) > JPEG_COMMENT_ROOM:
            result = replace(result, comment=result.comment[:JPEG_COMMENT_ROOM])
            warnings.append("comment_shortened")
    if file_format == "WEBP" and result.iptc:
        result = replace(result, iptc=b"")
        warnings.append("iptc_dropped")
    if result.comment and not _has_place_for_comment(result, file_format):
        result = replace(result, comment=b"")
        warnings.append("comment_dropped")
    return replace(result, warnings=tuple(warnings))


def _has_place_for_comment(metadata: Metadata, file_format: str) -> bool:
    """A TIFF has one, its description, which EXIF may have filled; WebP has none."""
    if file_format != "TIFF" or not metadata.exif:
        return file_format != "WEBP"
    described = tiff_directory.read(metadata.exif).fields.get(DESCRIPTION)
    return described is None or described.data.rstrip(b"\0") == metadata.comment.rstrip(b"\0")


def _shortened(exif: bytes) -> bytes:
    """EXIF that fits into a JPEG: without its MakerNote, and if it must be without its longest values."""
    directory = tiff_directory.read(exif)
    photo = directory.children.get(tiff_directory.EXIF, Directory())
    photo.fields.pop(tiff_directory.MAKER_NOTE, None)
    places = sorted(_places(directory, photo), key=lambda place: -len(place[0][place[1]].data))
    others = [child for parent in (directory, photo) for child in parent.children.values() if child is not photo]
    places += _places(*others)
    longest_first = iter(places)
    while (excess := len(block(directory)) - JPEG_EXIF_ROOM) > 0:
        while excess > 0:
            fields, tag = place = next(longest_first)
            excess -= _bytes_of(place)
            del fields[tag]
    return block(directory)


def _places(*directories: Directory) -> list[tuple[dict[int, Field], int]]:
    return [(directory.fields, tag) for directory in directories for tag in directory.fields]


def _bytes_of(place: tuple[dict[int, Field], int]) -> int:
    """What a field takes in a directory: its entry, and its value where that does not fit into it."""
    fields, tag = place
    size = len(fields[tag].data)
    return tiff_directory.ENTRY + (size + size % 2 if size > 4 else 0)
