"""TIFF files (TIFF 6.0) of colour pages, 8 or 16 bits, in strips of deflate with horizontal differencing.

Pillow writes EXIF directories but no 16-bit colour, tifffile 16-bit colour but no EXIF directories. As
`pipelines.images.tiff_directory` writes directories in any case, little more than strips is left to do here.
"""

import struct
from collections.abc import Iterable, Iterator

import numpy as np

from pipelines.errors import Rejected
from pipelines.images import exif, tiff_directory, tiff_tags
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory, Field
from pipelines.images.tiff_tags import Compression, ExtraSample, FieldType, Photometric, Planar
from tfrecords.color import Pixels

_STRIP_BYTES = 1 << 20
_LEVEL = 4
_MAX_BYTES = 0xFFFFFFFF


def write(pages: Iterable[tuple[Pixels, Metadata]], profile: bytes) -> bytes:
    """Make one file of all pages.

    Args:
        pages: pixels uint8 or uint16 ``[H, W, 3]``, or ``[H, W, 4]`` with straight alpha, and what their
            directory is to say; all in one byte order.
        profile: the ICC profile of the pixels.

    Raises:
        Rejected: ``too_large`` above 4 GB, where TIFF's offsets end.
    """
    file = bytearray()
    link = 0
    order = ""
    for pixels, said in pages:
        if not file:
            order = said.exif.order
            file += tiff_directory.header(order)
        else:
            file += bytes(len(file) % 2)
            struct.pack_into(f"{order}I", file, link, len(file))
        count = -(-len(pixels) // _rows(pixels))
        link = _append(file, _directory(pixels, said, profile), _strips(pixels, order), count)
    return bytes(file)


def _append(file: bytearray, directory: Directory, strips: Iterator[bytes], count: int) -> int:
    """Add a page; return where the offset of the next page's directory goes."""
    start = len(file)
    directory.put(tiff_tags.STRIP_BYTE_COUNTS, FieldType.LONG, *[0] * count)
    directory.put(tiff_tags.STRIP_OFFSETS, FieldType.LONG, *[0] * count)
    table, places = tiff_directory.write_with_places(directory, start)
    file += table
    sizes, offsets = [], []
    for strip in strips:
        offsets.append(len(file))
        sizes.append(len(strip))
        file += strip
        if len(file) > _MAX_BYTES:
            raise Rejected("too_large", "more than 4 GB do not fit into a TIFF")
    longs = f"{directory.order}{count}I"
    struct.pack_into(longs, file, places[tiff_tags.STRIP_BYTE_COUNTS], *sizes)
    struct.pack_into(longs, file, places[tiff_tags.STRIP_OFFSETS], *offsets)
    return start + directory.table_size - tiff_directory.LINK


def _directory(pixels: Pixels, said: Metadata, profile: bytes) -> Directory:
    """Return what a page says, with how its pixels are stored."""
    directory = said.exif.copy()
    fields = directory.fields
    for tag in tiff_tags.STRUCTURAL & fields.keys():
        del fields[tag]
    exif.add_resolution(directory, said.dpi)
    height, width, samples = pixels.shape
    directory.put(tiff_tags.IMAGE_WIDTH, FieldType.LONG, width)
    directory.put(tiff_tags.IMAGE_LENGTH, FieldType.LONG, height)
    directory.put(tiff_tags.BITS_PER_SAMPLE, FieldType.SHORT, *[8 * pixels.itemsize] * samples)
    directory.put(tiff_tags.COMPRESSION, FieldType.SHORT, Compression.DEFLATE)
    directory.put(tiff_tags.PHOTOMETRIC, FieldType.SHORT, Photometric.RGB)
    directory.put(tiff_tags.SAMPLES_PER_PIXEL, FieldType.SHORT, samples)
    if samples > 3:
        directory.put(tiff_tags.EXTRA_SAMPLES, FieldType.SHORT, ExtraSample.UNASSOCIATED)
    directory.put(tiff_tags.ROWS_PER_STRIP, FieldType.LONG, _rows(pixels))
    directory.put(tiff_tags.PLANAR_CONFIGURATION, FieldType.SHORT, Planar.TOGETHER)
    directory.put(tiff_tags.PREDICTOR, FieldType.SHORT, tiff_tags.HORIZONTAL_DIFFERENCING)
    fields[tiff_tags.ICC_PROFILE] = Field(type=FieldType.UNDEFINED, data=profile)
    if said.xmp:
        fields[tiff_tags.XMP] = Field(type=FieldType.BYTE, data=said.xmp)
    if said.iptc:
        # Readers expect the bytes as they are, but declared as LONG and padded (TIFF/EP, Photoshop).
        fields[tiff_tags.IPTC] = Field(type=FieldType.LONG, data=said.iptc + bytes(-len(said.iptc) % 4))
    if said.resources:
        fields[tiff_tags.PHOTOSHOP] = Field(type=FieldType.BYTE, data=said.resources)
    if said.comment and tiff_tags.IMAGE_DESCRIPTION not in fields:
        fields[tiff_tags.IMAGE_DESCRIPTION] = Field(type=FieldType.ASCII, data=said.comment.rstrip(b"\0") + b"\0")
    return directory


def _rows(pixels: Pixels) -> int:
    """Return the rows of a strip."""
    return max(1, min(len(pixels), _STRIP_BYTES // max(1, pixels[:1].nbytes)))


def _strips(pixels: Pixels, order: str) -> Iterator[bytes]:
    """Yield the strips of a page, compressed."""
    import imagecodecs  # libdeflate, two to three times as fast as zlib

    rows = _rows(pixels)
    stored = np.dtype(f"{order}u{pixels.itemsize}")
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows].copy()
        strip[:, 1:] -= pixels[top : top + rows, :-1]
        yield bytes(imagecodecs.deflate_encode(strip.astype(stored).tobytes(), level=_LEVEL))
