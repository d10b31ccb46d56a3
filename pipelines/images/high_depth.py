"""Scans of more than 8 bits a sample: PNG, TIFF and JPEG 2000 of up to 16 bits, 32-bit integers and floating point.

Pillow reads 16-bit grey, but takes the upper byte of 48-bit colour, clips where it converts and has no 16-bit colour
management; tifffile and imagecodecs (codecs of TIFF, libpng, OpenJPEG, LittleCMS) have all of it. Pillow still decides
what is a photo, but for TIFFs (see `pipelines.images.tiff_fallback`). Values are scaled by the range of their type,
2**bits - 1 to 65,535, never clipped.
"""

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from pipelines.images import memory, orientation, tiff_directory
from pipelines.images.strips import by_strips, strips
from tfrecords.color import Words

WHITE = 65535
_BITS, _PHOTOMETRIC, _EXTRA = 258, 262, 338
_MIN_IS_WHITE, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_ASSOCIATED, _UNASSOCIATED = 1, 2
_PIXELS_OF_TRANSFORM = 1 << 22  # in a strip; LittleCMS makes its tables for each
_SOC_SIZ = b"\xff\x4f\xff\x51"


def read(image: Image.Image, data: bytes) -> Words | None:
    """Decodes what has more than 8 bits a sample; anything else is left to Pillow.

    Args:
        image: open.
        data: the file.

    Returns:
        uint16 ``[H, W]`` or ``[H, W, 3]``, sRGB, transparency on white, TIFFs upright; None where 8 bits hold it all,
        and for 16-bit CMYK, which Pillow reads as 8.
    """
    samples = None
    if image.format == "PNG" and data[24:25] == b"\x10":
        samples = _png(image, data)
    elif image.format == "TIFF" and image.mode in ("I;16", "I;16B", "RGB", "RGBA"):
        samples = _tiff(image, data)
    elif image.format == "JPEG2000" and image.mode in ("I;16", "L", "LA", "RGB", "RGBA"):
        samples = _jpeg2000(image, data)
    if samples is None and (image.mode.startswith("I;16") or image.mode in ("I", "F")):
        samples = stretch(_unsigned(image, data))
        if image.format == "TIFF" and tiff_directory.read(data).number(_PHOTOMETRIC, _BLACK_IS_ZERO) == _MIN_IS_WHITE:
            np.invert(samples, out=samples)
    return None if samples is None else _apply_profile(samples, image.info.get("icc_profile"))


def _png(image: Image.Image, data: bytes) -> Words:
    import imagecodecs

    _check_whole(image)
    samples = imagecodecs.png_decode(data)
    transparent = image.info.get("transparency")
    if transparent is not None and samples.shape[2:] in ((), (3,)):
        for rows in strips(*samples.shape[:2]):
            part = samples[rows]
            hidden = part == np.asarray(transparent, np.uint16)
            part[hidden if part.ndim == 2 else hidden.all(axis=-1)] = WHITE
    return on_white(samples)


def _check_whole(image: Image.Image) -> None:
    """Decodes with Pillow, which notices what is missing from a file that was cut short, and lets the pixels go."""
    image.load()
    image.close()


def _tiff(image: Image.Image, data: bytes) -> Words | None:
    directory = tiff_directory.read(data)
    bits = directory.number(_BITS, 1)
    if bits <= 8:
        return None
    photometric = directory.number(_PHOTOMETRIC, _BLACK_IS_ZERO)
    if image.mode.startswith("I;16"):
        samples = scaled(_array(image), bits)
        return np.invert(samples, out=samples) if photometric == _MIN_IS_WHITE else samples
    if photometric != _RGB or bits != 16:
        return None
    _check_whole(image)
    samples = _tiff_samples(data)
    if samples.shape[2] > 3:
        kind = directory.number(_EXTRA)
        samples = samples[..., :4] if kind in (_ASSOCIATED, _UNASSOCIATED) else samples[..., :3]
        samples = on_white(samples, associated=kind == _ASSOCIATED)
    return orientation.upright(samples, orientation.valid(directory.number(orientation.TAG, 1)))


def _tiff_samples(data: bytes) -> Words:
    """All samples of the first page, ``[H, W, S]``."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        samples = page.asarray(maxworkers=1)
        return np.moveaxis(samples, 0, -1) if page.planarconfig == 2 and samples.ndim == 3 else samples


def _jpeg2000(image: Image.Image, data: bytes) -> Words | None:
    start = data.find(_SOC_SIZ)
    bits = (data[start + 42] & 0x7F) + 1 if 0 <= start < len(data) - 42 else 8
    if not 8 < bits <= 16:
        return None
    import imagecodecs

    _check_whole(image)
    # imagecodecs would apply a profile of the file's boxes by itself, but only some of them and with any intent.
    samples = imagecodecs.jpeg2k_decode(data[start:] if image.info.get("icc_profile") else data)
    if samples.dtype != np.uint16 or samples.shape[:2] != (image.height, image.width):
        return None
    return on_white(scaled(samples, bits))


def _unsigned(image: Image.Image, data: bytes) -> npt.NDArray[Any]:
    values = _array(image)
    if image.format == "TIFF" and image.mode == "I":
        directory = tiff_directory.read(data)
        if directory.number(_BITS) == 32 and directory.number(339, 1) == 1:
            return values.view(np.uint32)  # Pillow's integers have a sign, the file's have not
    return values


def _array(image: Image.Image) -> npt.NDArray[Any]:
    """The pixels of an image; numpy by itself takes two copies more meanwhile."""
    image.load()
    width, height = image.size
    return by_strips(lambda rows: np.asarray(image.crop((0, rows.start, width, rows.stop))), height, width)


def scaled(samples: npt.NDArray[Any], bits: int) -> Words:
    """Brings integers of `bits` bits to 16, all ones to all ones, rounding to the nearest."""
    if bits == 16:
        return samples.astype(np.uint16, copy=False)
    top = (1 << bits) - 1

    def made(rows: slice) -> Words:
        return ((samples[rows].astype(np.uint32) * WHITE + top // 2) // top).astype(np.uint16)

    return by_strips(made, *samples.shape[:2])


def stretch(values: npt.NDArray[Any], bits: int = 16) -> Words:
    """Brings integers and floating point of no known range to 16 bits.

    Floats in [0, 1] keep their scale, and so do integers in [0, 2**bits - 1], of at most 16 bits; anything beyond is
    stretched from least to greatest. What is no number becomes 0.
    """
    is_real = values.dtype.kind == "f"

    def part(rows: slice) -> npt.NDArray[Any]:
        return np.nan_to_num(values[rows], nan=0, posinf=0, neginf=0) if is_real else values[rows]

    size = values.shape[:2]
    ends = [(float(some.min()), float(some.max())) for some in map(part, strips(*size))]
    low, high = min(least for least, _ in ends), max(most for _, most in ends)
    known = 1.0 if is_real else float((1 << bits) - 1)
    if low >= 0 and high <= known:
        low, high = 0.0, known
    scale = WHITE / max(high - low, 1e-12)
    return by_strips(lambda rows: np.rint((part(rows).astype(np.float64) - low) * scale).astype(np.uint16), *size)


def on_white(samples: Words, *, associated: bool = False) -> Words:
    """Lays what has 2 or 4 samples a pixel, the last of them alpha, on white paper."""
    if samples.ndim == 2 or samples.shape[2] == 3:
        return samples

    def made(rows: slice) -> Words:
        alpha = samples[rows, :, -1:].astype(np.uint32)
        colour = samples[rows, :, :-1].astype(np.uint32)
        laid = colour if associated else (colour * alpha + WHITE // 2) // WHITE
        laid = np.minimum(laid + (WHITE - alpha), WHITE).astype(np.uint16)
        return laid[..., 0] if laid.shape[2] == 1 else laid

    return by_strips(made, *samples.shape[:2])


def _apply_profile(samples: Words, profile: bytes | None) -> Words:
    """Converts from the embedded ICC profile to sRGB with 16 bits throughout; one that does not fit counts as none."""
    if not profile:
        return samples
    import imagecodecs

    try:
        if "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))):
            return samples
        kind = "gray" if samples.ndim == 2 else "rgb"
        srgb = srgb_profile()

        def made(rows: slice) -> Words:
            converted = imagecodecs.cms_transform(
                samples[rows], profile, srgb, colorspace=kind, outcolorspace="rgb", outdtype="u2"
            )
            return converted[..., 1] if samples.ndim == 2 else converted

        return by_strips(made, samples.shape[0], samples.shape[1], _PIXELS_OF_TRANSFORM)
    except (ImageCms.PyCMSError, imagecodecs.CmsError, OSError, ValueError) as error:
        if memory.out_of_memory(error):
            raise
        return samples


def srgb_profile() -> bytes:
    """LittleCMS's own profile of sRGB, 0.6 kB, dated 2000 instead of now so that equal photos become equal files."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    profile[84:100] = bytes(16)
    return bytes(profile)
