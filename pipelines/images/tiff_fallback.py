"""TIFF pages that Pillow does not open, or misreads, as plain TIFF files: samples of 8 or 16 bits, not compressed.

These are packed samples of odd depths (3, 5, 10, 14 bits and more, colour of less than 8), floating point of 16 and 64
bits or in colour, signed integers and integers of 64 bits, grey of 16 bits with alpha, CIELAB of 16 bits, and the
codecs LERC, JPEG 2000, JPEG XL, JPEG XR, PNG, WebP, Pixar's and JPEG of more than 8 bits. tifffile and imagecodecs
decode them; the plain file has what Pillow needs to read them as any other page.

Unsigned integers are scaled by the range of their bits, 2**bits - 1 to 255 (up to 8 bits) or to 65,535. Integers of 32
and 64 bits, signed integers and floating point have no white of their own: `pipelines.images.samples.stretch` says what
becomes of them, and negative values make it stretch. CIELAB keeps 8 bits.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.errors import Rejected
from pipelines.images import memory, orientation, samples, tiff_directory, tiff_segments, tiff_tags
from pipelines.images.strips import by_strips
from pipelines.images.tiff_directory import Directory
from pipelines.images.tiff_table import Table
from pipelines.images.tiff_tags import Compression, ExtraSample, FieldType, Photometric, Planar, SampleFormat
from tfrecords.color import Bytes, Pixels, Words

_CHANNELS = {
    Photometric.MIN_IS_WHITE: 1,
    Photometric.MIN_IS_BLACK: 1,
    Photometric.RGB: 3,
    Photometric.PALETTE: 1,
    Photometric.CMYK: 4,
    Photometric.YCBCR: 3,
    Photometric.CIELAB: 3,
}
# Pillow does not read 16 bits with white first in every byte order.
_BECOMES = {
    Photometric.PALETTE: Photometric.RGB,
    Photometric.YCBCR: Photometric.RGB,
    Photometric.MIN_IS_WHITE: Photometric.MIN_IS_BLACK,
}
_MOST_SAMPLES = 16
# What Pillow reads in addition to the pixels: an XMP packet may contain the orientation.
_KEPT = frozenset(
    {tiff_tags.ICC_PROFILE, tiff_tags.ORIENTATION, tiff_tags.XMP}
    | {tiff_tags.X_RESOLUTION, tiff_tags.Y_RESOLUTION, tiff_tags.RESOLUTION_UNIT}
)


def is_misread(page: Table) -> bool:
    """Return whether Pillow opens a page but fails at its pixels, or takes them for others.

    These are WebP, signed 8 bits, compressed floating point, palettes of 8 bits where TIFF has 16, and separate planes
    of any but RGB and CMYK of 8 bits.
    """
    kind, bits = page.number(tiff_tags.SAMPLE_FORMAT, SampleFormat.UNSIGNED), page.number(tiff_tags.BITS_PER_SAMPLE, 1)
    photometric = page.number(tiff_tags.PHOTOMETRIC, -1)
    if photometric == Photometric.PALETTE and _has_bytes(page):
        return True
    if (
        page.number(tiff_tags.PLANAR_CONFIGURATION) == Planar.SEPARATE
        and page.number(tiff_tags.SAMPLES_PER_PIXEL, 1) > 1
    ):
        is_plain = photometric == Photometric.RGB or (photometric == Photometric.CMYK and bits == 8)
        if photometric != Photometric.YCBCR and not is_plain:
            return True
    compression = page.number(tiff_tags.COMPRESSION)
    is_real = kind == SampleFormat.REAL and compression != Compression.NONE
    return is_real or (kind == SampleFormat.SIGNED and bits == 8) or compression == Compression.WEBP


def _has_bytes(page: Table) -> bool:
    """Return whether the palette of a page has entries of 0 to 255, as some programs write it, not of 0 to 65,535."""
    return 0 < max(page.numbers(tiff_tags.COLOR_MAP), default=0) < 256


def second_opinion(page: Table) -> Bytes | None:
    """Return what tifffile sees in a page at which Pillow is known to be weak: CMYK, palettes, separate planes.

    Returns:
        upright, uint8 ``[H, W, 3]`` or, of CMYK, ``[H, W, 4]``; None of any other page, or if tifffile fails.
    """
    photometric = page.number(tiff_tags.PHOTOMETRIC, -1)
    is_separate = page.number(tiff_tags.PLANAR_CONFIGURATION) == Planar.SEPARATE and photometric == Photometric.RGB
    is_deep = page.number(tiff_tags.BITS_PER_SAMPLE, 1) > 8  # of RGB, tifffile decodes all of it
    if photometric not in (Photometric.CMYK, Photometric.PALETTE) and (not is_separate or is_deep):
        return None
    with memory.suppressed(Exception):
        pixels = _pixels(page, Photometric(photometric))
        if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
            turn = orientation.valid(page.number(tiff_tags.ORIENTATION, orientation.UPRIGHT))
            return samples.to_bytes(orientation.upright(pixels, turn))
    return None


def largest(page: Table) -> tuple[int, int]:
    """Return width and height of what is decoded at once: of the page, or of a tile that is larger."""
    whole = page.number(tiff_tags.IMAGE_WIDTH), page.number(tiff_tags.IMAGE_LENGTH)
    tile = page.number(tiff_tags.TILE_WIDTH), page.number(tiff_tags.TILE_LENGTH)
    return max(whole, tile, key=lambda size: size[0] * size[1])


def plain(page: Table) -> tuple[bytes, Directory, Words | None]:
    """Decode a page, and make a TIFF file from it that Pillow can read.

    Args:
        page: the first of its file.

    Returns:
        the file; its directory; and of a picture with alpha, which the file has on white, the pixels, upright, uint16
        ``[H, W, 2]`` or ``[H, W, 4]`` with straight alpha, else None.

    Raises:
        Rejected: ``unreadable`` if it is not a picture (raw sensor data, a depth map, too many samples), or cut short.
        Exception: any error from tifffile and its codecs on a broken file.
    """
    photometric = page.number(tiff_tags.PHOTOMETRIC, -1)
    count, depth = page.number(tiff_tags.SAMPLES_PER_PIXEL, 1), page.number(tiff_tags.IMAGE_DEPTH, 1)
    if photometric not in _CHANNELS or count > _MOST_SAMPLES or depth > 1:
        said = f"photometric interpretation {photometric}, {count} samples a pixel, depth {depth}"
        raise Rejected("unreadable", f"TIFF that is not a picture: {said}")
    kind = Photometric(photometric)
    pixels, words = _pixels(page, kind), None
    if samples.has_alpha(pixels) and kind != Photometric.CMYK:
        turn = orientation.valid(page.number(tiff_tags.ORIENTATION, orientation.UPRIGHT))
        words, pixels = orientation.upright(pixels, turn), samples.on_white(pixels)
    return *_written(pixels, _BECOMES.get(kind, kind), page), words


def _pixels(page: Table, photometric: Photometric) -> Pixels:
    """Return the pixels of a page, ``[H, W]`` or ``[H, W, C]``, in 8 or 16 bits; with straight alpha in 16."""
    decoded, bits = _decoded(page)
    colours = _CHANNELS[photometric]
    if decoded.shape[2] < colours:
        raise Rejected("unreadable", f"TIFF of {decoded.shape[2]} samples a pixel where there should be {colours}")
    if photometric == Photometric.PALETTE:
        table = np.array(page.numbers(tiff_tags.COLOR_MAP), np.uint16).reshape(3, -1).T
        colour_of = (table if _has_bytes(page) else table >> 8).astype(np.uint8)
        return by_strips(lambda rows: colour_of[decoded[rows, :, 0]], *decoded.shape[:2])
    if photometric == Photometric.CIELAB:
        return by_strips(lambda rows: _lab_bytes(decoded[rows, :, :3], bits), *decoded.shape[:2])
    extra = page.number(tiff_tags.EXTRA_SAMPLES) if decoded.shape[2] > colours else 0
    return _colour(decoded, colours, bits, extra, is_white_first=photometric == Photometric.MIN_IS_WHITE)


def _decoded(page: Table) -> tuple[npt.NDArray[Any], int]:
    """Return samples ``[H, W, S]`` as they are stored, and how many bits of them are used."""
    import tifffile

    data = page.data
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        stored: Any = file.pages[0]
        ends = (start + size for start, size in zip(stored.dataoffsets, stored.databytecounts, strict=True))
        if not all(stored.databytecounts) or max(ends) > len(data):
            raise Rejected("unreadable", "the TIFF is cut short")
        width, height = page.number(tiff_tags.IMAGE_WIDTH), page.number(tiff_tags.IMAGE_LENGTH)
        needed = -(-width * page.number(tiff_tags.SAMPLES_PER_PIXEL, 1) * stored.bitspersample // 8) * height
        if stored.compression == Compression.NONE and sum(stored.databytecounts) < needed:
            raise Rejected("unreadable", "the TIFF is cut short")
        is_jpeg = stored.compression in (Compression.OLD_JPEG, Compression.JPEG)
        if stored.photometric == Photometric.YCBCR and not is_jpeg:
            raise Rejected("unreadable", "TIFF of YCbCr in a compression that Pillow does not know")
        decoded = tiff_segments.decoded(stored)
        if stored.predictor == tiff_tags.HORIZONTAL_DIFFERENCING and decoded.dtype.kind == "u":
            # tifffile sums differences in whole bytes; samples of other depths overflow at their own.
            decoded &= np.array((1 << stored.bitspersample) - 1, decoded.dtype)
        return decoded.reshape(height, width, -1), int(stored.bitspersample)


def _colour(decoded: npt.NDArray[Any], colours: int, bits: int, extra: int, *, is_white_first: bool = False) -> Pixels:
    """Return colours of 8 or 16 bits ``[H, W]`` or ``[H, W, C]``; in 16, with alpha, if the next sample is that."""
    scaled = _scaled(decoded[..., :colours], bits)
    if is_white_first:
        scaled = np.invert(scaled)
    if colours < _CHANNELS[Photometric.CMYK] and extra in (ExtraSample.ASSOCIATED, ExtraSample.UNASSOCIATED):
        alpha = _scaled(decoded[..., colours : colours + 1], bits)

        words = np.concatenate([samples.to_words(scaled), samples.to_words(alpha)], axis=-1)
        return samples.straight(words) if extra == ExtraSample.ASSOCIATED else words
    return scaled[..., 0] if scaled.ndim == 3 and colours == 1 else scaled


def _scaled(decoded: npt.NDArray[Any], bits: int) -> Pixels:
    if decoded.dtype.kind not in "bu" or bits >= 32:
        return samples.stretch(decoded, min(bits, 16))
    return by_strips(lambda rows: _scaled_strip(decoded[rows], bits), *decoded.shape[:2])


def _scaled_strip(decoded: npt.NDArray[Any], bits: int) -> Pixels:
    if decoded.dtype.kind == "b":
        return decoded.astype(np.uint8) * np.uint8(255)
    top = (1 << bits) - 1
    if bits > 16:
        return ((decoded.astype(np.uint64) * samples.WHITE + top // 2) // top).astype(np.uint16)
    if bits > 8:
        return samples.scaled(decoded, bits)
    return ((decoded.astype(np.uint16) * 255 + top // 2) // top).astype(np.uint8)


def _lab_bytes(decoded: npt.NDArray[Any], bits: int) -> Pixels:
    """Scale CIELAB of 16 bits to 8: L* in [0, 2**bits - 1], a* and b* signed, in two's complement."""
    if bits == 8:
        return decoded.astype(np.uint8)
    if bits != 16 or decoded.dtype.kind not in "ui":
        raise Rejected("unreadable", f"TIFF of CIELAB in {bits} bits")
    lightness = np.rint(decoded[..., :1].astype(np.uint16) / 257)
    chroma = np.clip(np.rint(decoded[..., 1:].astype(np.int16) / 256), -128, 127).astype(np.int8)
    return np.concatenate([lightness.astype(np.uint8), chroma.view(np.uint8)], axis=-1)


def _written(pixels: Pixels, photometric: Photometric, page: Table) -> tuple[bytes, Directory]:
    result = tiff_directory.of_table(page, skip=frozenset(entry.tag for entry in page.entries) - _KEPT)
    height, width = pixels.shape[:2]
    count = pixels.shape[2] if pixels.ndim == 3 else 1
    result.put(tiff_tags.IMAGE_WIDTH, FieldType.LONG, width)
    result.put(tiff_tags.IMAGE_LENGTH, FieldType.LONG, height)
    result.put(tiff_tags.BITS_PER_SAMPLE, FieldType.SHORT, *[8 * pixels.itemsize] * count)
    result.put(tiff_tags.COMPRESSION, FieldType.SHORT, Compression.NONE)
    result.put(tiff_tags.PHOTOMETRIC, FieldType.SHORT, photometric)
    result.put(tiff_tags.SAMPLES_PER_PIXEL, FieldType.SHORT, count)
    result.put(tiff_tags.ROWS_PER_STRIP, FieldType.LONG, height)
    result.put(tiff_tags.PLANAR_CONFIGURATION, FieldType.SHORT, Planar.TOGETHER)
    result.put(tiff_tags.STRIP_BYTE_COUNTS, FieldType.LONG, pixels.nbytes)
    result.put(tiff_tags.STRIP_OFFSETS, FieldType.LONG, 0)
    header = tiff_directory.header(result.order)
    result.put(tiff_tags.STRIP_OFFSETS, FieldType.LONG, len(header) + result.size)
    stored = np.ascontiguousarray(pixels, np.dtype(f"{result.order}u{pixels.itemsize}"))
    return b"".join([tiff_directory.block(result).ljust(len(header) + result.size, b"\0"), stored.data]), result
