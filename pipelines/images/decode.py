"""One picture of a file as upright pixels in sRGB."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import simplejpeg
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from pipelines.images import high_depth, memory, orientation
from pipelines.images.opening import check_size, judged, opened
from pipelines.images.strips import by_strips
from tfrecords.color import Bytes, Pixels

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: uint8 ``[H, W]`` where the file holds one grey channel, else ``[H, W, 3]``; upright, sRGB.
        height: of the photo as stored in the file, upright; more than the pixels have when they were decoded smaller.
        width: likewise.
        format: of the file, in Pillow's words.
        chroma_step: of a JPEG in three components, the step to which it rounds 8 times the mean chroma of a block (the
            DC entry of the quantisation table, 1 to 255 and more); 0 for any other file.
    """

    pixels: Bytes
    height: int
    width: int
    format: str
    chroma_step: int = 0


def decode(data: bytes, shrink_to: int | None = None) -> Photo:
    """Decodes a photo of any format that Pillow reads (the first frame, the first page) to bytes.

    The EXIF orientation is applied, an embedded ICC profile converted to sRGB, 16 bits are scaled to 8, transparency is
    laid on white.

    Args:
        data: the file.
        shrink_to: JPEGs may be decoded at 1/2, 1/4 or 1/8 as long as no side falls below this.

    Raises:
        Rejected: ``unreadable`` when it is no image, cut short or broken; ``too_large``, see `pipelines.images.sizes`.
        Exception: there is too little memory (`pipelines.images.memory.out_of_memory`).
    """
    with judged(data), opened(data) as photo:
        image, data = photo.image, photo.data
        turn = turn_of(image)
        width, height = reversed(image.size) if orientation.transposes(turn) else image.size
        stored = image.size
        if shrink_to:
            image.draft(None, (shrink_to, shrink_to))
        pixels = to_srgb(image, data, whole=image.size == stored)
        upright = to_bytes(orientation.upright(pixels, turn))
        return Photo(upright, height, width, str(image.format), chroma_step(image))


def chroma_step(image: Image.Image) -> int:
    """The ``Photo.chroma_step`` of an open file."""
    if not isinstance(image, JpegImageFile) or len(image.layer) != 3:
        return 0
    _, _, _, table = image.layer[1]
    return image.quantization[table][0] if table in image.quantization else 0


def turn_of(image: Image.Image) -> int:
    """The orientation that is left to be applied to the pixels; TIFFs are decoded upright."""
    return orientation.UPRIGHT if image.format == "TIFF" else orientation.of(image)


def to_srgb(image: Image.Image, data: bytes, *, whole: bool = True) -> Pixels:
    """Decodes to sRGB, transparency laid on white.

    Args:
        image: open.
        data: the file.
        whole: whether the image is to be decoded at its full size.

    Returns:
        ``[H, W]`` or ``[H, W, 3]``, uint16 where the file holds more than 8 bits, else uint8.
    """
    pixels = _plain_jpeg(image, data) if whole else None
    if pixels is None:
        pixels = high_depth.read(image, data)
    if pixels is not None:
        return pixels
    image.load()
    check_size(image, data)  # that of an icon may have changed
    width, height = image.size
    convert = _conversion(image)
    return by_strips(lambda rows: np.asarray(convert(image.crop((0, rows.start, width, rows.stop)))), height, width)


def _conversion(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What turns strips of an image into sRGB of 8 bits, L or RGB, transparency on white."""
    if image.mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _SRGB, "LAB", "RGB")
        return lambda strip: ImageCms.applyTransform(strip, to_rgb) or strip
    plain = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    is_transparent = image.has_transparency_data
    mode = image.mode if image.mode in ("L", "RGB", "CMYK") and not is_transparent else plain
    transform = _transform_of(image, mode)

    def convert(strip: Image.Image) -> Image.Image:
        if is_transparent:
            paper = Image.new("RGBA", strip.size, "white")
            strip = Image.alpha_composite(paper, strip.convert("RGBA")).convert(mode)
        elif strip.mode != mode:
            strip = strip.convert(mode)
        return _in_srgb(strip, transform)

    return convert


def _plain_jpeg(image: Image.Image, data: bytes) -> Pixels | None:
    """Pixels of a colour JPEG in sRGB that is to be decoded at its full size; None for any other photo.

    simplejpeg has the libjpeg-turbo that Pillow has, so that the pixels are the same, but decodes into the array
    itself, in three fifths of the time. Where libjpeg so much as warns the answer is None as well: Pillow decides.
    """
    if (image.format, image.mode) != ("JPEG", "RGB") or _transform_of(image, image.mode):
        return None
    with memory.suppressed(ValueError):
        return simplejpeg.decode_jpeg(data, "RGB")
    return None


def to_bytes(pixels: Pixels) -> Bytes:
    """Scales uint16 to uint8, 65,535 to 255, rounding to the nearest; uint8 is left as it is."""
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    return by_strips(lambda rows: _rounded(pixels[rows]), *pixels.shape[:2])


def _rounded(words: Pixels) -> Bytes:
    codes = words // 257
    return (codes + (words - 257 * codes > 128)).astype(np.uint8)


def _in_srgb(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """Grey stays one channel, CMYK becomes RGB; a profile that cannot be used counts as none."""
    if transform is not None:
        with memory.suppressed(ImageCms.PyCMSError, OSError, ValueError):
            converted = ImageCms.applyTransform(image, transform)
            if converted is not None:
                return converted.getchannel("G") if image.mode == "L" else converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _transform_of(image: Image.Image, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What turns an open image, once it has this mode, into sRGB; None where it is that, or has no usable profile."""
    profile = image.info.get("icc_profile")
    with memory.suppressed(ImageCms.PyCMSError, OSError, ValueError):
        return _to_srgb_transform(profile, mode) if profile else None
    return None


@lru_cache(maxsize=16)
def _to_srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB, None where the profile is that already; an archive has few profiles, each takes 20 ms."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode != "CMYK" and "sRGB" in ImageCms.getProfileDescription(source):
        return None
    return ImageCms.buildTransform(source, _SRGB, mode, "RGB")
