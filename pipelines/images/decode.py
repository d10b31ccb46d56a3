"""Decode one picture of a file to upright pixels in sRGB."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from pipelines.images import around, high_depth, icc, orientation, plain_jpeg, samples, sizes, usual_jpeg
from pipelines.images.opening import OpenPhoto, judged, opened
from pipelines.images.reading import AS_IT_IS, Reading
from pipelines.images.strips import by_strips
from tfrecords.color import Bytes, Pixels


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: uint8 ``[H, W]`` if the file holds one grey channel, else ``[H, W, 3]``; upright, sRGB.
        height: of the photo as stored in the file, upright; more than the pixels have if they were decoded smaller.
        width: of the photo, measured as `height` is.
        format: of the file, by Pillow's name.
        chroma_step: of a JPEG in three components, the step to which it rounds 8 times the mean chroma of a block (the
            DC entry of the quantisation table, 1 to 255 and more); 0 for any other file.
    """

    pixels: Bytes
    height: int
    width: int
    format: str
    chroma_step: int = 0


def decode(data: bytes, shrink_to: int | None = None, reading: Reading = AS_IT_IS) -> Photo:
    """Decode a photo of any format that is read (the first frame, the first page) to uint8.

    The EXIF orientation is applied, an embedded ICC profile converted to sRGB, 16 bits are scaled to 8, transparency is
    laid on white.

    Args:
        data: the file.
        shrink_to: JPEGs may be decoded at 1/2, 1/4 or 1/8 as long as no side falls below this.
        reading: how to read it.

    Raises:
        Rejected: ``unreadable`` if it is not an image, or cut short or broken; ``too_large``, see
            `pipelines.images.sizes`.
        Exception: there is too little memory (`pipelines.images.memory.out_of_memory`).
    """
    with judged(data):
        data, _ = around.unwrapped(data)
        usual = usual_jpeg.read(data, shrink_to) if reading == AS_IT_IS else None
    if usual is not None:
        height, width = usual.pixels.shape[:2]
        return Photo(pixels=usual.pixels, height=height, width=width, format="JPEG", chroma_step=usual.chroma_step)
    with opened(data, None, reading) as photo:
        image = photo.image
        width, height = image.size
        if orientation.transposes(_turn_of(image)):
            width, height = height, width
        pixels = samples.to_bytes(samples.on_white(upright_pixels(photo, shrink_to)))
        return Photo(
            pixels=pixels, height=height, width=width, format=str(image.format), chroma_step=chroma_step(image)
        )


def chroma_step(image: Image.Image) -> int:
    """Return the ``Photo.chroma_step`` of an open file."""
    if not isinstance(image, JpegImageFile) or len(image.layer) != 3:
        return 0
    _, _, _, table = image.layer[1]
    return image.quantization[table][0] if table in image.quantization else 0


def upright_pixels(photo: OpenPhoto, shrink_to: int | None = None) -> Pixels:
    """Decode an open photo to upright pixels in sRGB.

    Args:
        photo: not loaded yet.
        shrink_to: as in `decode`.

    Returns:
        ``[H, W]`` or ``[H, W, 3]``, or ``[H, W, 2]`` or ``[H, W, 4]`` with straight alpha; uint16 if the file holds
        more than 8 bits a sample, else uint8.
    """
    image = photo.image
    turn, size = _turn_of(image), image.size
    if shrink_to:
        image.draft(None, (shrink_to, shrink_to))
    if image.size != size:
        plain_jpeg.check_reduced(photo, size[1])
    jpeg = plain_jpeg.read(photo) if image.size == size else None
    pixels = high_depth.read(photo) if jpeg is None else _in_srgb(jpeg, image)
    if pixels is None:
        pixels = _eight_bits(photo)
    return orientation.upright(pixels, turn)


def _turn_of(image: Image.Image) -> int:
    """Return the orientation that is left to be applied to the pixels; TIFFs are decoded upright."""
    return orientation.UPRIGHT if image.format == "TIFF" else orientation.of(image)


def _in_srgb(pixels: Bytes, image: Image.Image) -> Bytes:
    """Convert the pixels of a JPEG, which has no transparency."""
    if not image.info.get("icc_profile"):
        return pixels
    convert = _conversion(image)
    return by_strips(lambda rows: convert(Image.fromarray(pixels[rows])), *pixels.shape[:2])


def _eight_bits(photo: OpenPhoto) -> Bytes:
    """Decode with Pillow to uint8."""
    image = photo.image
    image.load()
    sizes.check_image(image, photo.data)  # that of an icon may have changed
    width, height = image.size
    convert = _conversion(image)
    return by_strips(lambda rows: convert(image.crop((0, rows.start, width, rows.stop))), height, width)


def _conversion(image: Image.Image) -> Callable[[Image.Image], Bytes]:
    """Return what turns strips of an image into sRGB of 8 bits, grey or RGB, with straight alpha if there is any."""
    if image.mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), icc.SRGB, "LAB", "RGB")
        return lambda strip: np.asarray(ImageCms.applyTransform(strip, to_rgb) or strip)
    plain = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    is_transparent = image.has_transparency_data
    mode = image.mode if image.mode in ("L", "RGB", "CMYK") and not is_transparent else plain
    to_srgb = icc.conversion(image, mode)

    def convert(strip: Image.Image) -> Bytes:
        if is_transparent:
            strip = strip.convert("RGBA")
        colours = np.asarray(to_srgb(strip if strip.mode == mode else strip.convert(mode)))
        return np.dstack([colours, np.asarray(strip.getchannel("A"))]) if is_transparent else colours

    return convert
