"""TIFF pages that Pillow does not open, or not rightly, made plain ones: samples of 8 or 16 bits, not compressed.

These are packed samples of odd depths (3, 5, 10, 14 bits and more, colour of less than 8), floating point of 16 and 64
bits or in colour, integers with a sign or of 64 bits, grey of 16 bits with alpha, CIELAB of 16 bits, and the codecs
LERC, JPEG 2000, JPEG XL, JPEG XR, PNG, WebP, Pixar's and JPEG of more than 8 bits. tifffile and imagecodecs decode
them; every tag that does not say how pixels are stored stays, so that a plain page is read as any other.

Unsigned integers are scaled by the range of their bits, 2**bits - 1 to 255 (up to 8 bits) or to 65,535. Those of 32 and
64 bits, integers with a sign and floating point have no white of their own: `pipelines.images.high_depth.stretch` says
what becomes of them, and negative values make it stretch. CIELAB keeps 8 bits.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.errors import Rejected
from pipelines.images import high_depth, tiff_directory
from pipelines.images.metadata import STRUCTURAL
from pipelines.images.strips import by_strips
from pipelines.images.tiff_directory import Directory
from tfrecords.color import Pixels

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 259, 262, 277
_STRIP_OFFSETS, _ROWS, _STRIP_SIZES, _PLANAR = 273, 278, 279, 284
_COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT, _EXTRA, _SAMPLE_FORMAT, _PROFILE, _DEPTH = 320, 322, 323, 338, 339, 34675, 32997
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_CHANNELS = {_MIN_IS_WHITE: 1, _MIN_IS_BLACK: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _LAB: 3}
_NONE, _OLD_JPEG, _JPEG, _WEBP = 1, 6, 7, 50001
_SIGNED = 2
_ASSOCIATED, _UNASSOCIATED = 1, 2
_MOST_SAMPLES = 16
_BIG_TYPES = (16, 17, 18)  # of BigTIFF alone
_SHORT, _LONG = 3, 4


def is_misread(directory: Directory) -> bool:
    """Whether Pillow opens a page, but fails at its pixels or takes them for others: WebP, 8 bits with a sign."""
    signed_bytes = directory.number(_SAMPLE_FORMAT, 1) == _SIGNED and directory.number(_BITS, 1) == 8
    return signed_bytes or directory.number(_COMPRESSION) == _WEBP


def largest(directory: Directory) -> tuple[int, int]:
    """Width and height of what decoding a page takes at once: of the page, or of a tile that is larger."""
    page = directory.number(_WIDTH), directory.number(_HEIGHT)
    tile = directory.number(_TILE_WIDTH), directory.number(_TILE_HEIGHT)
    return max(page, tile, key=lambda size: size[0] * size[1])


def plain(data: bytes, directory: Directory) -> bytes:
    """Makes a TIFF file of one plain page.

    Args:
        data: a TIFF file; of its pages the first is taken.
        directory: of that page.

    Raises:
        Rejected: ``unreadable`` for what is no picture (of a sensor, of depth, of too many samples), or is cut short.
        Exception: whatever tifffile and its codecs say of a broken file.
    """
    photometric = directory.number(_PHOTOMETRIC, -1)
    count, depth = directory.number(_SAMPLES, 1), directory.number(_DEPTH, 1)
    if photometric not in _CHANNELS or count > _MOST_SAMPLES or depth > 1:
        said = f"photometric interpretation {photometric}, {count} samples a pixel, depth {depth}"
        raise Rejected("unreadable", f"TIFF that is not a picture: {said}")
    pixels = _pixels(data, directory, photometric)
    return _written(pixels, _RGB if photometric in (_PALETTE, _YCBCR) else photometric, directory)


def _pixels(data: bytes, directory: Directory, photometric: int) -> Pixels:
    """Of a page, ``[H, W]`` or ``[H, W, C]``, in 8 or 16 bits."""
    samples, bits = _decoded(data, directory)
    colours = _CHANNELS[photometric]
    if samples.shape[2] < colours:
        raise Rejected("unreadable", f"TIFF of {samples.shape[2]} samples a pixel where there should be {colours}")
    if photometric == _PALETTE:
        table = (np.array(directory.numbers(_COLOUR_MAP), np.uint16).reshape(3, -1).T >> 8).astype(np.uint8)
        return by_strips(lambda rows: table[samples[rows, :, 0]], *samples.shape[:2])
    if photometric == _LAB:
        return by_strips(lambda rows: _lab_bytes(samples[rows, :, :3], bits), *samples.shape[:2])
    return _colour(samples, colours, bits, directory.number(_EXTRA) if samples.shape[2] > colours else 0)


def _decoded(data: bytes, directory: Directory) -> tuple[npt.NDArray[Any], int]:
    """Samples ``[H, W, S]`` as they are stored, and how many bits of them are used."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        ends = (start + size for start, size in zip(page.dataoffsets, page.databytecounts, strict=True))
        if not all(page.databytecounts) or max(ends) > len(data):
            raise Rejected("unreadable", "TIFF cut short")
        width, height = directory.number(_WIDTH), directory.number(_HEIGHT)
        needed = -(-width * directory.number(_SAMPLES, 1) * page.bitspersample // 8) * height
        if page.compression == _NONE and sum(page.databytecounts) < needed:
            raise Rejected("unreadable", "TIFF cut short")
        if page.photometric == _YCBCR and page.compression not in (_OLD_JPEG, _JPEG):
            raise Rejected("unreadable", "TIFF of YCbCr in a compression that Pillow does not know")
        samples = np.asarray(page.asarray(maxworkers=1))
        if samples.ndim == 3 and page.planarconfig == 2 and page.samplesperpixel > 1:
            samples = np.moveaxis(samples, 0, -1)
        return samples.reshape(height, width, -1), int(page.bitspersample)


def _colour(samples: npt.NDArray[Any], colours: int, bits: int, extra: int) -> Pixels:
    """Colours of 8 or 16 bits ``[H, W]`` or ``[H, W, C]``, on white where the next sample is their alpha."""
    scaled = _scaled(samples[..., :colours], bits)
    if colours < _CHANNELS[_CMYK] and extra in (_ASSOCIATED, _UNASSOCIATED):
        alpha = _scaled(samples[..., colours : colours + 1], bits)

        def laid(rows: slice) -> Pixels:
            words = (
                part if part.dtype == np.uint16 else part.astype(np.uint16) * 257
                for part in (scaled[rows], alpha[rows])
            )
            return high_depth.on_white(np.concatenate(list(words), axis=-1), associated=extra == _ASSOCIATED)

        return by_strips(laid, *scaled.shape[:2])
    return scaled[..., 0] if scaled.ndim == 3 and colours == 1 else scaled


def _scaled(samples: npt.NDArray[Any], bits: int) -> Pixels:
    if samples.dtype.kind not in "bu" or bits >= 32:
        return high_depth.stretch(samples, min(bits, 16))
    return by_strips(lambda rows: _scaled_strip(samples[rows], bits), *samples.shape[:2])


def _scaled_strip(samples: npt.NDArray[Any], bits: int) -> Pixels:
    if samples.dtype.kind == "b":
        return samples.astype(np.uint8) * np.uint8(255)
    if bits > 16:
        top = (1 << bits) - 1
        return ((samples.astype(np.uint64) * high_depth.WHITE + top // 2) // top).astype(np.uint16)
    if bits > 8:
        return high_depth.scaled(samples, bits)
    top = (1 << bits) - 1
    return ((samples.astype(np.uint16) * 255 + top // 2) // top).astype(np.uint8)


def _lab_bytes(samples: npt.NDArray[Any], bits: int) -> Pixels:
    """CIELAB of 16 bits to 8: L* in 0 … 2**bits - 1, a* and b* with a sign, in two's complement."""
    if bits == 8:
        return samples.astype(np.uint8)
    if bits != 16 or samples.dtype.kind not in "ui":
        raise Rejected("unreadable", f"TIFF of CIELAB in {bits} bits")
    lightness = np.rint(samples[..., :1].astype(np.uint16) / 257)
    chroma = np.clip(np.rint(samples[..., 1:].astype(np.int16) / 256), -128, 127).astype(np.int8)
    return np.concatenate([lightness.astype(np.uint8), chroma.view(np.uint8)], axis=-1)


def _written(pixels: Pixels, photometric: int, directory: Directory) -> bytes:
    fields = {tag: kept for tag, kept in directory.fields.items() if kept.type not in _BIG_TYPES}
    kept_tags = fields.keys() - (STRUCTURAL - {_PROFILE})
    result = Directory(directory.order, {tag: fields[tag] for tag in kept_tags}, dict(directory.children))
    height, width = pixels.shape[:2]
    count = pixels.shape[2] if pixels.ndim == 3 else 1
    result.put(_WIDTH, _LONG, width)
    result.put(_HEIGHT, _LONG, height)
    result.put(_BITS, _SHORT, *[8 * pixels.itemsize] * count)
    result.put(_COMPRESSION, _SHORT, _NONE)
    result.put(_PHOTOMETRIC, _SHORT, photometric)
    result.put(_SAMPLES, _SHORT, count)
    result.put(_ROWS, _LONG, height)
    result.put(_PLANAR, _SHORT, 1)
    result.put(_STRIP_SIZES, _LONG, pixels.nbytes)
    result.put(_STRIP_OFFSETS, _LONG, 0)
    start = len(tiff_directory.header(result.order)) + len(tiff_directory.write(result, 8))
    result.put(_STRIP_OFFSETS, _LONG, start)
    stored = np.ascontiguousarray(pixels, np.dtype(f"{result.order}u{pixels.itemsize}"))
    return b"".join([tiff_directory.header(result.order), tiff_directory.write(result, 8), stored.data])
