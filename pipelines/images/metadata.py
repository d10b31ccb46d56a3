"""Read the metadata of a photo (EXIF, XMP, IPTC, resolution, comments), and make it true of upright sRGB pixels."""

import contextlib
import math
import struct
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from pipelines.images import exif, jp2, memory, photoshop, tiff_directory, tiff_tags
from pipelines.images.opening import OpenPhoto
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_table import Table
from pipelines.images.tiff_tags import STRUCTURAL, FieldType

_IIM_START = b"\x1c"
_READ_TEXTS = ("Comment", "XML:com.adobe.xmp")
_RAW_PROFILE = "Raw profile type "
# Of the structural tags EXIF may have some that remain true or can be made so: size, and how a JPEG stores colour.
_TRUE_IN_EXIF = {
    *(tiff_tags.IMAGE_WIDTH, tiff_tags.IMAGE_LENGTH, tiff_tags.YCBCR_COEFFICIENTS, tiff_tags.YCBCR_SUB_SAMPLING),
    *(tiff_tags.YCBCR_POSITIONING, tiff_tags.REFERENCE_BLACK_WHITE),
}
_UNTRUE_IN_EXIF = (STRUCTURAL - _TRUE_IN_EXIF) | {tiff_tags.XMP, tiff_tags.IPTC, tiff_tags.PHOTOSHOP}


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The metadata that is carried from the source to the result.

    Attributes:
        exif: true of the upright sRGB pixels: orientation 1, no thumbnail. Writers change a copy, and serialise it.
        xmp: the packet as it was found.
        iptc: IIM records.
        dpi: pixels an inch, across and down, as the file itself (not its EXIF) says; None if it does not.
        comment: free text of JPEG and GIF files.
        texts: other texts of PNG files, such as ``Title`` and ``Author``: keyword and text.
        warnings: codes of what could not be read or carried: ``exif_broken``, ``iptc_dropped``, …
    """

    exif: Directory = field(default_factory=Directory)
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    texts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The number of bytes of the metadata."""
        said = self.exif.size if self.exif else 0
        texts = sum(len(keyword) + len(text) for keyword, text in self.texts)
        return said + len(self.xmp) + len(self.iptc) + len(self.comment) + texts


def collect(photo: OpenPhoto, *, size: tuple[int, int], transposed: bool) -> Metadata:
    """Read the metadata of an open photo, and make it true of upright sRGB pixels.

    Args:
        photo: or one page of it.
        size: width and height of the upright pixels.
        transposed: whether turning them upright exchanged width and height.
    """
    warnings = []
    found = {"xmp": b"", "iptc": b"", "comment": b""}
    directory = Directory(order=photo.page.layout.order if photo.page else "<")
    try:
        if photo.page:
            directory, found = _of_tiff(photo.page, found)
        else:
            found |= _parts(photo)
            block = found.pop("exif", b"")
            directory = tiff_directory.read(block, skip=_UNTRUE_IN_EXIF) if block else directory
    except (ValueError, struct.error):
        warnings.append("exif_broken")
    if directory.is_cut:
        warnings.append("exif_shortened")
    is_told = photo.page is None or tiff_tags.X_RESOLUTION in directory.fields
    dpi = _dpi(photo.image) if is_told else None
    exif.make_true(directory, size, transposed=transposed)
    return Metadata(
        exif=directory if directory or photo.page else Directory(),
        xmp=found["xmp"],
        iptc=found["iptc"],
        dpi=(dpi[1], dpi[0]) if dpi and transposed else dpi,
        comment=found["comment"],
        texts=_texts(photo.image),
        warnings=tuple(warnings),
    )


def _of_tiff(page: Table, found: dict[str, bytes]) -> tuple[Directory, dict[str, bytes]]:
    """Return the directory of a TIFF page; XMP and IPTC are taken out of it and returned as well."""
    directory = tiff_directory.of_table(page, skip=STRUCTURAL)
    tags = (tiff_tags.XMP, tiff_tags.IPTC, tiff_tags.PHOTOSHOP)
    packet, records, resources = (directory.fields.pop(tag, Field(type=FieldType.UNDEFINED, data=b"")) for tag in tags)
    iptc = records.data
    if records.type == FieldType.LONG and iptc[:1] != _IIM_START:
        iptc = struct.pack(f"<{records.count}I", *struct.unpack(f">{records.count}I", iptc))
    return directory, found | {"xmp": packet.data, "iptc": iptc or photoshop.iptc_of(resources.data)}


def _parts(photo: OpenPhoto) -> dict[str, bytes]:
    """Return the raw bytes of each kind that a file of any format but TIFF has."""
    image, info = photo.image, photo.image.info
    found = {"exif": _bytes(info.get("exif")).removeprefix(exif.START), "xmp": _bytes(info.get("xmp"))}
    if image.format in ("JPEG", "MPO", "GIF"):
        found["comment"] = _bytes(info.get("comment"))
        found["iptc"] = _bytes((info.get("photoshop") or {}).get(photoshop.IPTC))
    elif image.format == "PNG":
        found["comment"] = _bytes(info.get("Comment"))
        for kind in ("exif", "xmp", "iptc"):
            found[kind] = found.get(kind) or _raw_profile(info, kind)
    elif image.format == "JPEG2000":
        found |= jp2.metadata(photo.data)
    return found


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""


def _texts(image: Image.Image) -> tuple[tuple[str, str], ...]:
    """Return the texts of a PNG that are not read as something else."""
    if image.format != "PNG":
        return ()
    texts = [(str(keyword), str(text)) for keyword, text in image.info.items() if isinstance(text, str)]
    return tuple(
        (keyword, text)
        for keyword, text in texts
        if keyword not in _READ_TEXTS and not keyword.startswith(_RAW_PROFILE)
    )


def _raw_profile(info: dict[Any, Any], kind: str) -> bytes:
    """Return a block that PNG has no chunk for, in ImageMagick's hexadecimal text: \\nname\\nsize\\nhex."""
    text = info.get(f"{_RAW_PROFILE}{kind}")
    if kind == "exif":
        text = text or info.get(f"{_RAW_PROFILE}APP1")
    with contextlib.suppress(ValueError, AttributeError):
        _, size, body = str(text).lstrip("\n").split("\n", 2)
        content = bytes.fromhex(body)[: int(size)].removeprefix(exif.START)
        return photoshop.iptc_of(content) if photoshop.is_block(content) else content
    return b""


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    with memory.suppressed(Exception):
        across, down = (float(value) for value in image.info["dpi"])
        if min(across, down) > 0 and math.isfinite(across) and math.isfinite(down):
            return across, down
    return None
