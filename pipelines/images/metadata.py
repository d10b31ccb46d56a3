"""Read the metadata of a photo (EXIF, XMP, IPTC, resolution, comments), and make it true of upright sRGB pixels."""

import math
import struct
from dataclasses import dataclass, field
from typing import Any

from pipelines.images import (
    exif,
    gif,
    iim,
    jp2,
    jpeg_segments,
    jpeg_xl,
    memory,
    photoshop,
    png_texts,
    tiff_directory,
    tiff_tags,
    xmp_extended,
)
from pipelines.images.opening import OpenPhoto
from pipelines.images.png_texts import Text
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_table import Table
from pipelines.images.tiff_tags import STRUCTURAL, FieldType

_IIM_START = b"\x1c"
_LAYERS = tiff_tags.IMAGE_SOURCE_DATA
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
        resources: Photoshop's resource blocks in which a person says something of the photo, without IPTC.
        dpi: pixels an inch, across and down, as the file itself (not its EXIF) says; None if it does not.
        comment: free text of JPEG, JPEG 2000, GIF and PNG files.
        texts: other texts of PNG files, such as ``Title`` and ``Author``.
        extension: of the XMP packet, where it is too long for one segment of a JPEG; only in what is written.
        changed_at: content of a PNG's ``tIME`` chunk.
        warnings: codes of what could not be read or carried: ``exif_broken``, ``iptc_dropped``, …; and texts that name
            it.
    """

    exif: Directory = field(default_factory=Directory)
    xmp: bytes = b""
    iptc: bytes = b""
    resources: bytes = b""
    dpi: tuple[float, float] | None = None
    comment: bytes = b""
    texts: tuple[Text, ...] = ()
    extension: bytes = b""
    changed_at: bytes = b""
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The number of bytes of the metadata."""
        said = self.exif.size if self.exif else 0
        texts = sum(len(one.keyword) + len(one.text) for one in self.texts)
        return said + len(self.xmp) + len(self.iptc) + len(self.resources) + len(self.comment) + texts


def collect(photo: OpenPhoto, *, size: tuple[int, int], transposed: bool) -> Metadata:
    """Read the metadata of an open photo, and make it true of upright sRGB pixels.

    Args:
        photo: or one page of it.
        size: width and height of the upright pixels.
        transposed: whether turning them upright exchanged width and height.
    """
    warnings = []
    found: dict[str, bytes] = {}
    texts, is_whole = png_texts.read(photo.data) if photo.image.format == "PNG" else ([], True)
    if not is_whole and "text_dropped" not in photo.warnings:
        warnings.append("text_dropped")
    directory = Directory(order=photo.page.layout.order if photo.page else "<")
    try:
        if photo.page:
            directory, found = _of_tiff(photo.page)
        else:
            found = _parts(photo, texts)
            block = found.get("exif", b"")
            directory = tiff_directory.read(block, skip=_UNTRUE_IN_EXIF) if block else directory
    except (ValueError, struct.error):
        warnings.append("exif_broken")
    if directory.lost:
        warnings += ["exif_shortened", exif.left_out(directory.lost)]
    resources = found.get("photoshop", b"")
    if photoshop.has_paths(resources):
        warnings.append("paths_dropped")
    if photo.page is not None and _LAYERS in {entry.tag for entry in photo.page.entries}:
        warnings.append("layers_dropped")
    packet = found.get("xmp", b"")
    others = png_texts.others(photo.data) if photo.image.format == "PNG" else []
    if isinstance(segments := getattr(photo.image, "applist", None), list):
        packet, warning = xmp_extended.joined(packet, segments)
        warnings += [warning] if warning else []
        others = jpeg_segments.others(segments)
    if photo.image.format == "JXL":
        others = jpeg_xl.metadata(photo.data)[1]
    if others:
        warnings += ["segments_dropped", f"{exif.LEFT_OUT}{', '.join(dict.fromkeys(others))}"]
    is_told = photo.page is None or tiff_tags.X_RESOLUTION in directory.fields
    dpi = _dpi(photo) if is_told else None
    exif.make_true(directory, size, transposed=transposed)
    return Metadata(
        exif=directory if directory or photo.page else Directory(),
        xmp=packet,
        iptc=iim.trimmed(found.get("iptc") or photoshop.iptc_of(resources)),
        resources=photoshop.said_in(resources),
        dpi=(dpi[1], dpi[0]) if dpi and transposed else dpi,
        comment=found.get("comment", b""),
        texts=tuple(one for one in texts if not one.is_block and one is not _comment(texts)),
        changed_at=png_texts.changed_at(photo.data) if photo.image.format == "PNG" else b"",
        warnings=tuple(warnings),
    )


def _of_tiff(page: Table) -> tuple[Directory, dict[str, bytes]]:
    """Return the directory of a TIFF page; XMP, IPTC and Photoshop's resources are taken out of it."""
    directory = tiff_directory.of_table(page, skip=STRUCTURAL)
    tags = (tiff_tags.XMP, tiff_tags.IPTC, tiff_tags.PHOTOSHOP)
    packet, records, resources = (directory.fields.pop(tag, Field(type=FieldType.UNDEFINED, data=b"")) for tag in tags)
    iptc = records.data
    if records.type == FieldType.LONG and iptc[:1] != _IIM_START:
        iptc = struct.pack(f"<{records.count}I", *struct.unpack(f">{records.count}I", iptc))
    return directory, {"xmp": packet.data, "iptc": iptc, "photoshop": resources.data}


def _parts(photo: OpenPhoto, texts: list[Text]) -> dict[str, bytes]:
    """Return the raw bytes of each kind that a file of any format but TIFF has."""
    image, info = photo.image, photo.image.info
    found = {"exif": _bytes(info.get("exif")).removeprefix(exif.START), "xmp": _bytes(info.get("xmp"))}
    if image.format in ("JPEG", "MPO"):
        segments = image.applist  # type: ignore[attr-defined]
        found["comment"], found["photoshop"] = jpeg_segments.comment(segments), jpeg_segments.photoshop(segments)
    elif image.format == "GIF":
        found["comment"], found["xmp"] = _bytes(info.get("comment")), gif.xmp(photo.data)
    elif image.format == "PNG":
        comment = _comment(texts)
        found["comment"] = comment.text.encode("utf-8", "surrogateescape") if comment else b""
        found |= {kind: block for kind, block in png_texts.blocks(texts).items() if not found.get(kind)}
    elif image.format == "JPEG2000":
        found |= {"comment": jp2.comment(photo.data), **jp2.metadata(photo.data)}
    elif image.format == "JXL":
        found |= jpeg_xl.metadata(photo.data)[0]
    elif image.format == "PSD":
        found["photoshop"] = photoshop.joined(image.resources)  # type: ignore[attr-defined]
    blocks = dict(photoshop.blocks(found.get("photoshop", b"")))
    for kind, number in (("exif", photoshop.EXIF), ("xmp", photoshop.XMP)):
        found[kind] = found[kind] or blocks.get(number, b"")
    return found


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""


def _comment(texts: list[Text]) -> Text | None:
    """Return the text that is the comment."""
    return next((one for one in texts if one.keyword.casefold() == "comment" and not one.language), None)


def _dpi(photo: OpenPhoto) -> tuple[float, float] | None:
    told = jp2.resolution(photo.data) if photo.image.format == "JPEG2000" else photo.image.info.get("dpi")
    with memory.suppressed(TypeError, ValueError, ArithmeticError):
        across, down = (float(value) for value in told or ())
        if min(across, down) > 0 and math.isfinite(across) and math.isfinite(down):
            return across, down
    return None
