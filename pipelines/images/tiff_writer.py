"""TIFF files (TIFF 6.0) of colour pages, 8 or 16 bits, in strips of deflate with horizontal differencing.

Pillow writes EXIF directories but no 16-bit colour, tifffile 16-bit colour but no EXIF directories; as
`images.tiff_directory` writes directories in any case, little more than strips is left to do here.
"""

import struct
from collections.abc import Iterable, Iterator

import numpy as np

from pipelines.errors import Rejected
from pipelines.images import metadata, tiff_directory
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory, Field
from tfrecords.color import Pixels

_STRIP_BYTES = 1 << 20
_LEVEL = 4
_MAX_BYTES = 0xFFFFFFFF
_BYTE, _ASCII, _SHORT, _LONG, _UNDEFINED = 1, 2, 3, 4, 7
_DEFLATE, _RGB, _HORIZONTAL, _CHUNKY = 8, 2, 2, 1
_STRIP_OFFSETS, _STRIP_SIZES = 273, 279


def write(pages: Iterable[tuple[Pixels, Metadata]], profile: bytes) -> bytes:
    """Makes one file of all pages.

    Args:
        pages: pixels uint8 or uint16 ``[H, W, 3]``, and what their directory is to say; EXIF of all in one byte order.
        profile: the ICC profile of the pixels.

    Raises:
        Rejected: ``too_large`` above 4 GB, where TIFF's offsets end.
    """
    file = bytearray()
    link = 0
    for pixels, said in pages:
        order = tiff_directory.read(said.exif).order if said.exif else "<"
        if not file:
            file += tiff_directory.header(order)
        else:
            order = "<" if file[:1] == b"I" else ">"
            file += bytes(len(file) % 2)
            struct.pack_into(f"{order}I", file, link, len(file))
        count = -(-len(pixels) // _rows(pixels))
        link = _append(file, _directory(pixels, said, profile, order), _strips(pixels, order), count)
    return bytes(file)


def _append(file: bytearray, directory: Directory, strips: Iterator[bytes], count: int) -> int:
    """Adds a page; returns where the offset of the next one's directory goes."""
    start = len(file)
    directory.put(_STRIP_SIZES, _LONG, *[0] * count)
    directory.put(_STRIP_OFFSETS, _LONG, *[0] * count)
    file += tiff_directory.write(directory, start)  # as long as it is going to be
    sizes, offsets = [], []
    for strip in strips:
        offsets.append(len(file))
        sizes.append(len(strip))
        file += strip
        if len(file) > _MAX_BYTES:
            raise Rejected("too_large", "more than 4 GB do not fit into a TIFF")
    directory.put(_STRIP_SIZES, _LONG, *sizes)
    directory.put(_STRIP_OFFSETS, _LONG, *offsets)
    final = tiff_directory.write(directory, start)
    file[start : start + len(final)] = final
    return start + 2 + 12 * (len(directory.fields) + len(directory.children))


def _directory(pixels: Pixels, said: Metadata, profile: bytes, order: str) -> Directory:
    directory = tiff_directory.read(said.exif) if said.exif else Directory(order)
    for tag in metadata.STRUCTURAL & directory.fields.keys():
        del directory.fields[tag]
    metadata.with_resolution(directory, said.dpi)
    height, width = pixels.shape[:2]
    directory.put(256, _LONG, width)
    directory.put(257, _LONG, height)
    directory.put(258, _SHORT, *[8 * pixels.itemsize] * 3)
    directory.put(259, _SHORT, _DEFLATE)
    directory.put(262, _SHORT, _RGB)
    directory.put(277, _SHORT, 3)
    directory.put(278, _LONG, _rows(pixels))
    directory.put(284, _SHORT, _CHUNKY)
    directory.put(317, _SHORT, _HORIZONTAL)
    directory.fields[34675] = Field(_UNDEFINED, profile)
    if said.xmp:
        directory.fields[700] = Field(_BYTE, said.xmp)
    if said.iptc:
        directory.fields[33723] = Field(_UNDEFINED, said.iptc)
    if said.comment and metadata.DESCRIPTION not in directory.fields:
        directory.fields[metadata.DESCRIPTION] = Field(_ASCII, said.comment.rstrip(b"\0") + b"\0")
    return directory


def _rows(pixels: Pixels) -> int:
    """Of a strip."""
    return max(1, min(len(pixels), _STRIP_BYTES // max(1, pixels[:1].nbytes)))


def _strips(pixels: Pixels, order: str) -> Iterator[bytes]:
    import imagecodecs  # libdeflate, two to three times as fast as zlib

    rows = _rows(pixels)
    stored = np.dtype(f"{order}u{pixels.itemsize}")
    for top in range(0, len(pixels), rows):
        strip = pixels[top : top + rows].copy()
        strip[:, 1:] -= pixels[top : top + rows, :-1]
        yield bytes(imagecodecs.deflate_encode(strip.astype(stored).tobytes(), level=_LEVEL))
