"""Fit the metadata of a photo to the format of its result, and add the mark of the machine that colorized it."""

from dataclasses import replace

from pipelines.images import exif, tiff_directory, tiff_tags, xmp
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory
from pipelines.images.xmp import Mark

XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
"""What an XMP packet starts with in a JPEG."""
# A JPEG segment holds 65,533 bytes, its name among them.
_SEGMENT = 65_533
JPEG_EXIF_ROOM = _SEGMENT - len(exif.START)
JPEG_XMP_ROOM = _SEGMENT - len(XMP_START)
JPEG_IPTC_ROOM = 65_000
JPEG_COMMENT_ROOM = _SEGMENT
JPEG_MOST_DPI = 65_535.5


def carried(metadata: Metadata, file_format: str, mark: Mark | None) -> Metadata:
    """Return the metadata that a format can hold, marked; the rest is cut or left out, with a warning.

    Args:
        metadata: of a page; it stays as it is.
        file_format: JPEG, PNG, TIFF or WEBP.
        mark: None leaves the photo unmarked.
    """
    packet, warning = xmp.merge(metadata.xmp, mark)
    result = replace(metadata, xmp=packet, warnings=(*metadata.warnings, *([warning] if warning else [])))
    if file_format != "TIFF" and tiff_tags.NEW_SUBFILE_TYPE in result.exif.fields:
        result = replace(result, exif=_without(result.exif, tiff_tags.NEW_SUBFILE_TYPE))
    if file_format == "JPEG":
        result = _cut_for_jpeg(result, mark)
    if file_format == "WEBP" and result.iptc:
        result = _warned(replace(result, iptc=b""), "iptc_dropped")
    if file_format != "PNG" and result.texts:
        result = _warned(replace(result, texts=()), "text_dropped")
    if result.comment and not _has_place_for_comment(result, file_format):
        result = _warned(replace(result, comment=b""), "comment_dropped")
    return result


def _cut_for_jpeg(result: Metadata, mark: Mark | None) -> Metadata:
    room = JPEG_EXIF_ROOM - len(tiff_directory.header(result.exif.order))
    if result.exif.size > room:
        result = _warned(replace(result, exif=exif.shortened(result.exif, room)), "exif_shortened")
    if len(result.xmp) > JPEG_XMP_ROOM:
        result = _warned(replace(result, xmp=xmp.merge(b"", mark)[0]), "xmp_dropped")
    if len(result.iptc) > JPEG_IPTC_ROOM:
        result = _warned(replace(result, iptc=b""), "iptc_dropped")
    if result.dpi and max(result.dpi) >= JPEG_MOST_DPI:
        result = _warned(replace(result, dpi=None), "dpi_dropped")
    if len(result.comment) > JPEG_COMMENT_ROOM:
        result = _warned(replace(result, comment=result.comment[:JPEG_COMMENT_ROOM]), "comment_shortened")
    return result


def _warned(result: Metadata, warning: str) -> Metadata:
    return replace(result, warnings=(*result.warnings, warning))


def _without(directory: Directory, tag: int) -> Directory:
    result = directory.copy()
    del result.fields[tag]
    return result


def _has_place_for_comment(metadata: Metadata, file_format: str) -> bool:
    """Return whether a comment has a place: in TIFF the description, unless EXIF has filled it; in WebP none."""
    if file_format != "TIFF":
        return file_format != "WEBP"
    described = metadata.exif.fields.get(tiff_tags.IMAGE_DESCRIPTION)
    return described is None or described.data.rstrip(b"\0") == metadata.comment.rstrip(b"\0")
