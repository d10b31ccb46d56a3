"""Fit the metadata of a photo to the format of its result, and add the mark of the machine that colorized it."""

from collections.abc import Iterator
from dataclasses import replace

from pipelines.images import exif, jpeg_segments, tiff_directory, tiff_tags, xmp, xmp_extended, xmp_properties
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory
from pipelines.images.xmp import Mark
from pipelines.images.xmp_properties import Property

JPEG_EXIF_ROOM = jpeg_segments.MOST - len(exif.START)
JPEG_XMP_ROOM = jpeg_segments.MOST - len(jpeg_segments.XMP_START)
JPEG_COMMENT_ROOM = jpeg_segments.MOST
JPEG_MOST_DPI = 65_535.5


def carried(metadata: Metadata, file_format: str, mark: Mark | None) -> Metadata:
    """Return the metadata that a format can hold, marked; the rest is cut or left out, with a warning.

    What a format has no place for becomes properties of XMP.

    Args:
        metadata: of a page; it stays as it is.
        file_format: JPEG, PNG, TIFF or WEBP.
        mark: None leaves the photo unmarked.
    """
    packet, warning = xmp.merge(metadata.xmp, mark, _as_properties(metadata, file_format))
    result = replace(metadata, xmp=packet, warnings=(*metadata.warnings, *([warning] if warning else [])))
    if file_format != "TIFF" and tiff_tags.NEW_SUBFILE_TYPE in result.exif.fields:
        result = replace(result, exif=_without(result.exif, tiff_tags.NEW_SUBFILE_TYPE))
    if file_format == "JPEG":
        result = _cut_for_jpeg(result, mark)
    if file_format == "WEBP":
        if not xmp_properties.is_complete(result.iptc):
            result = _warned(result, "iptc_dropped")
        result = replace(result, iptc=b"", resources=b"")
    if file_format != "PNG":
        result = replace(result, texts=(), changed_at=b"")
    if not _has_place_for_comment(result, file_format):
        result = replace(result, comment=b"")
    return result


def _as_properties(metadata: Metadata, file_format: str) -> Iterator[Property]:
    """Yield what the format has no place of its own for."""
    if file_format != "PNG":
        yield from xmp_properties.of_texts(metadata.texts)
        yield from xmp_properties.of_change(metadata.changed_at)
    if file_format in ("PNG", "WEBP"):  # few readers look for it in a PNG, where it has a place
        yield from xmp_properties.of_photoshop(metadata.resources)
    if file_format == "WEBP":
        yield from xmp_properties.of_iptc(metadata.iptc)
    if not _has_place_for_comment(metadata, file_format):
        yield from xmp_properties.of_comment(metadata.comment)


def _cut_for_jpeg(result: Metadata, mark: Mark | None) -> Metadata:
    room = JPEG_EXIF_ROOM - len(tiff_directory.header(result.exif.order))
    if result.exif.size > room:
        directory, lost = exif.shortened(result.exif, room)
        result = _warned(replace(result, exif=directory), "exif_shortened", exif.left_out(lost))
    packet, extension = xmp_extended.split(result.xmp, JPEG_XMP_ROOM)
    if len(packet) > JPEG_XMP_ROOM:
        packet, extension = xmp.merge(b"", mark)[0], b""
        result = _warned(result, "xmp_dropped")
    result = replace(result, xmp=packet, extension=extension)
    if result.dpi and max(result.dpi) >= JPEG_MOST_DPI:
        result = _warned(replace(result, dpi=None), "dpi_dropped")
    if len(result.comment) > JPEG_COMMENT_ROOM:
        result = _warned(replace(result, comment=result.comment[:JPEG_COMMENT_ROOM]), "comment_shortened")
    return result


def _warned(result: Metadata, *warnings: str) -> Metadata:
    return replace(result, warnings=(*result.warnings, *warnings))


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
