"""Scans of more than 8 bits a sample: PNG, TIFF and JPEG 2000 of up to 16 bits, 32-bit integers and floating point.

Pillow reads 16-bit grey, but takes the upper byte of 48-bit colour, clips where it converts and has no 16-bit colour
management; tifffile and imagecodecs (codecs of TIFF, libpng, OpenJPEG, LittleCMS) have all of it. Pillow still decides
what is a photo, except for TIFFs (see `pipelines.images.tiff_fallback`).
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.images import cut_short, icc, orientation, samples, tiff_segments, tiff_tags
from pipelines.images.opening import OpenPhoto
from pipelines.images.strips import strips
from pipelines.images.tiff_tags import ExtraSample, Photometric, SampleFormat
from tfrecords.color import Words

_SOC_SIZ = b"\xff\x4f\xff\x51"  # the start of a JPEG 2000 codestream


def read(photo: OpenPhoto) -> Words | None:
    """Decode what has more than 8 bits a sample; anything else is left to Pillow.

    Returns:
        uint16 ``[H, W]`` or ``[H, W, 3]``, or ``[H, W, 2]`` or ``[H, W, 4]`` with straight alpha; sRGB, TIFFs upright.
        None if 8 bits hold all of it, and for 16-bit CMYK, which Pillow reads as 8.
    """
    image = photo.image
    found = None
    if photo.words is not None:
        found = photo.words
    elif cut_short.WARNING in photo.warnings:
        pass  # imagecodecs and tifffile keep no rows; Pillow has 8 bits of colour
    elif image.format == "PNG" and photo.data[24:25] == b"\x10":
        found = _png(photo)
    elif image.format == "TIFF" and image.mode in ("I;16", "I;16B", "RGB", "RGBA"):
        found = _tiff(photo)
    elif image.format == "JPEG2000" and image.mode in ("I;16", "L", "LA", "RGB", "RGBA"):
        found = _jpeg2000(photo)
    if found is None and (image.mode.startswith("I;16") or image.mode in ("I", "F")):
        found = samples.stretch(_unsigned(photo))
        if _is_white_first(photo):
            np.invert(found, out=found)
    if found is None:
        return None
    converted = icc.convert_words(samples.without_alpha(found), image.info.get("icc_profile"))
    return samples.with_alpha(converted, found[..., -1]).view(np.uint16) if samples.has_alpha(found) else converted


def _png(photo: OpenPhoto) -> Words:
    import imagecodecs

    _check_whole(photo.image)
    found: Words = imagecodecs.png_decode(photo.data)
    transparent = photo.image.info.get("transparency")
    if transparent is not None and found.shape[2:] in ((), (3,)):
        alpha = np.full(found.shape[:2], samples.WHITE, np.uint16)
        for rows in strips(*found.shape[:2]):
            hidden = found[rows] == np.asarray(transparent, np.uint16)
            alpha[rows][hidden if hidden.ndim == 2 else hidden.all(axis=-1)] = 0
        return samples.with_alpha(found, alpha).view(np.uint16)
    return found


def _check_whole(image: Image.Image) -> None:
    """Decode with Pillow, which notices what is missing from a file that was cut short, and drops the pixels."""
    image.load()
    image.close()


def _tiff(photo: OpenPhoto) -> Words | None:
    bits = photo.number(tiff_tags.BITS_PER_SAMPLE, 1)
    if bits <= 8:
        return None
    if photo.image.mode.startswith("I;16"):
        found = samples.scaled(samples.of_image(photo.image), bits)
        return np.invert(found, out=found) if _is_white_first(photo) else found
    if photo.number(tiff_tags.PHOTOMETRIC, Photometric.MIN_IS_BLACK) != Photometric.RGB or bits != 16:
        return None
    _check_whole(photo.image)
    import tifffile

    with tifffile.TiffFile(io.BytesIO(photo.data)) as file:
        page: Any = file.pages[0]
        found = tiff_segments.decoded(page)
    if found.shape[2] > 3:
        kind = photo.number(tiff_tags.EXTRA_SAMPLES)
        is_alpha = kind in (ExtraSample.ASSOCIATED, ExtraSample.UNASSOCIATED)
        found = found[..., : 4 if is_alpha else 3]
        found = samples.straight(found) if kind == ExtraSample.ASSOCIATED else found
    return orientation.upright(found, orientation.valid(photo.number(tiff_tags.ORIENTATION, orientation.UPRIGHT)))


def _is_white_first(photo: OpenPhoto) -> bool:
    return photo.number(tiff_tags.PHOTOMETRIC, Photometric.MIN_IS_BLACK) == Photometric.MIN_IS_WHITE


def _jpeg2000(photo: OpenPhoto) -> Words | None:
    image, data = photo.image, photo.data
    start = data.find(_SOC_SIZ)
    bits = (data[start + 42] & 0x7F) + 1 if 0 <= start < len(data) - 42 else 8
    if not 8 < bits <= 16:
        return None
    import imagecodecs

    _check_whole(image)
    # imagecodecs would apply a profile of the file's boxes by itself, but only some of them and with any intent.
    found = imagecodecs.jpeg2k_decode(data[start:] if "icc_profile" in image.info else data)
    if found.dtype != np.uint16 or found.shape[:2] != (image.height, image.width):
        return None
    return samples.scaled(found, bits)


def _unsigned(photo: OpenPhoto) -> npt.NDArray[Any]:
    """Return the pixels; those of a TIFF of unsigned integers as such: Pillow's integers are signed."""
    values = samples.of_image(photo.image)
    is_32_bits = photo.image.mode == "I" and photo.number(tiff_tags.BITS_PER_SAMPLE) == 32
    if is_32_bits and photo.number(tiff_tags.SAMPLE_FORMAT, SampleFormat.UNSIGNED) == SampleFormat.UNSIGNED:
        return values.view(np.uint32)
    return values
