"""Colour pixels back to files: JPEG, PNG, TIFF, WebP, of 8 or 16 bits, with metadata, an sRGB profile and the mark."""

import io
import struct
import textwrap
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import starmap
from typing import Any, Literal

import numpy as np
from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import decode, high_depth, memory, metadata, tiff_directory, tiff_writer
from pipelines.images.metadata import Metadata
from pipelines.images.tiff_directory import Directory
from pipelines.images.xmp import Mark
from tfrecords.color import Bytes, Pixels

BitDepth = Literal["8", "keep"]
DEEP_FORMATS = ("PNG", "TIFF")
_RUN_LENGTHS, _DIFFERENCES = 3, 16  # of zlib and of libpng
_JPEG_SIDE = 65_500
_PNG_HEADER = 8 + 25  # signature and IHDR


def encode(
    pages: Iterable[tuple[Pixels, Metadata]],
    file_format: str,
    *,
    quality: int = 95,
    bit_depth: BitDepth = "8",
    mark: Mark | None = None,
    warned: list[str] | None = None,
) -> bytes:
    """Encodes a colour photo; equal input gives equal bytes.

    Args:
        pages: pixels uint8 or uint16 ``[H, W, 3]``, sRGB, and the metadata of the page they were made from. More than
            one page only for TIFF, which takes them one by one.
        file_format: JPEG (chroma at full resolution), PNG, TIFF (deflate, lossless) or WEBP.
        quality: 1 to 100, of JPEG and WebP.
        bit_depth: ``keep`` writes uint16 pixels as 16 bits where the format, PNG or TIFF, has room for them.
        mark: what says that a machine coloured it.
        warned: the warnings of `metadata.carried` are added to it, those of each page.

    Raises:
        Rejected: ``too_large`` when the format has no room for the picture (65,500 pixels a side for JPEG, 16,383 for
            WebP, 4 GB for TIFF).
    """
    deep_enough = bit_depth == "keep" and file_format in DEEP_FORMATS
    heard: list[str] = [] if warned is None else warned

    def prepare(pixels: Pixels, said: Metadata) -> tuple[Pixels, Metadata]:
        said = metadata.carried(said, file_format, mark)
        heard.extend(said.warnings)
        return (pixels if deep_enough else decode.to_bytes(pixels)), said

    prepared = starmap(prepare, pages)
    if file_format == "TIFF":
        return tiff_writer.write(prepared, high_depth.srgb_profile())
    pixels, said = next(prepared)
    try:
        return _ENCODED[file_format](pixels, said, quality)
    except (OSError, ValueError, struct.error) as error:
        if memory.out_of_memory(error):
            raise
        height, width = pixels.shape[:2]
        raise Rejected("too_large", f"{width} x {height} pixels do not fit into {file_format}: {error}") from error


def _jpeg(pixels: Bytes, said: Metadata, quality: int) -> bytes:
    """imagecodecs makes of the pixels what Pillow does, in three quarters of the time and without Python's lock."""
    import imagecodecs

    if max(pixels.shape) > _JPEG_SIDE:
        raise ValueError(f"more than {_JPEG_SIDE:,} a side are too many for libjpeg")
    file = bytes(imagecodecs.jpeg8_encode(pixels, level=quality, subsampling="444"))
    density = [round(value) for value in said.dpi or ()]
    unit = 1 if density else 0
    jfif = _segment(0xE0, struct.pack(">5sHBHHBB", b"JFIF\0", 0x0101, unit, *(density or [1, 1]), 0, 0))
    return file[:2] + jfif + b"".join(starmap(_segment, _blocks(said))) + file[2 + len(jfif) :]


def _blocks(said: Metadata) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment with metadata (Exif 3.0, XMP part 3, ICC.1 annex B)."""
    if said.exif:
        yield 0xE1, metadata.EXIF_START + said.exif
    if said.xmp:
        yield 0xE1, metadata.XMP_START + said.xmp
    yield 0xE2, b"ICC_PROFILE\0\1\1" + high_depth.srgb_profile()
    if said.iptc:
        yield 0xED, b"Photoshop 3.0\0" + metadata.resource(said.iptc)
    if said.comment:
        yield 0xFE, said.comment


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def _webp(pixels: Bytes, said: Metadata, quality: int) -> bytes:
    directory = tiff_directory.read(said.exif) if said.exif else Directory()
    metadata.with_resolution(directory, said.dpi)
    exif = metadata.block(directory) if directory.fields or directory.children else b""
    return _saved(pixels, "WEBP", quality=quality, method=2, exif=exif, xmp=said.xmp)


def _saved(pixels: Bytes, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, icc_profile=high_depth.srgb_profile(), **options)
    return buffer.getvalue()


def _png(pixels: Pixels, said: Metadata, _: int) -> bytes:
    """Pillow and imagecodecs compress pixels of 8 and of 16 bits; what they cannot write is put in afterwards."""
    if pixels.dtype == np.uint8:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
        file = buffer.getvalue()
    else:
        import imagecodecs

        # The low bits of scans are noise: run lengths of differences are as small as deflate, at four times its pace.
        file = bytes(imagecodecs.png_encode(pixels, level=1, strategy=_RUN_LENGTHS, filter=_DIFFERENCES))
    return file[:_PNG_HEADER] + b"".join(_chunks(said)) + file[_PNG_HEADER:]


def _chunks(said: Metadata) -> Iterator[bytes]:
    yield _chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(high_depth.srgb_profile()))
    if said.dpi:
        across, down = (min(round(value / 0.0254), 0xFFFFFFFF) for value in said.dpi)
        yield _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    if said.exif:
        yield _chunk(b"eXIf", said.exif)
    if said.xmp:
        yield _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + said.xmp)
    if said.iptc:
        content = metadata.resource(said.iptc)
        text = f"\niptc\n{len(content):8d}\n" + "\n".join(textwrap.wrap(content.hex(), 72)) + "\n"
        yield _chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text.encode()))
    if said.comment:
        yield _chunk(b"iTXt", b"Comment\0\0\0\0\0" + said.comment.decode("utf-8", "replace").encode())


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


_ENCODED: dict[str, Callable[[Any, Metadata, int], bytes]] = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}
