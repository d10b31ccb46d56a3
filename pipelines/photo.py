"""One picture of a file as upright pixels in sRGB."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from pipelines import bounded_tags, deep, formats, ifd, jp2, memory, orientation, png, rare_tiff, tiff_pages, webp
from pipelines.outcomes import Rejected
from pipelines.strips import by_strips
from tfrecords.color import Bytes, Pixels

bounded_tags.install()

# Larger photos are taken for decompression bombs; the number is Pillow's own hard limit, about 13,400 pixels square.
MAX_PIXELS = 178_956_970
# That of libpng. Rows are worked on whole, and encoders of rows of many millions take gigabytes.
MAX_SIDE = 1_000_000
_MAX_PIXELS_A_BYTE = 2000
# What a decoder may need at most, so that its failure may be due to a lack of memory: OpenJPEG and its buffers.
_MOST_BYTES_A_PIXEL, _SCARCE_BYTES = 48, 1 << 25
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
        Rejected: ``unreadable`` when it is no image, cut short or broken; ``too_large`` above MAX_PIXELS.
        Exception: there is too little memory (`pipelines.memory.out_of_memory`).
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


@contextlib.contextmanager
def judged(data: bytes) -> Iterator[None]:
    """Turns what decoders raise on a file into one of two verdicts: ``unreadable`` or ``too_large``.

    What says that memory ran out is raised as it is: it is not the file's fault.
    """
    if not data:
        raise Rejected("unreadable", "0 bytes")
    with warnings.catch_warnings():
        # Pillow warns of broken EXIF and of large pictures; the first do no harm, the second are judged by their size.
        warnings.simplefilter("ignore")
        try:
            yield
        except Rejected:
            raise
        except Image.DecompressionBombError as error:
            raise Rejected("too_large", str(error)) from error
        except UnidentifiedImageError as error:
            name = formats.not_read(data)
            detail = f"{name} is not among the formats that are read" if name else "not an image that Pillow knows"
            raise Rejected("unreadable", detail) from error
        except Exception as error:
            if memory.out_of_memory(error):
                raise
            # Decoders of a hundred formats raise whatever they like on broken files (SyntaxError, struct.error, …).
            raise Rejected("unreadable", f"{type(error).__name__}: {error}"[:200]) from error


@dataclass(frozen=True)
class Opened:
    """An open photo.

    Attributes:
        image: of Pillow.
        data: the file that it was opened of: a TIFF beyond Pillow was made a plain one, a PNG is without texts that
            Pillow refuses.
        warnings: codes of what was left out for that.
    """

    image: Image.Image
    data: bytes
    warnings: tuple[str, ...] = ()


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[Opened]:
    """Opens a photo, its size checked.

    Raises:
        Rejected: ``too_large``.
        MemoryError: the block failed, and there is not the memory that a decoder may need.
        Exception: whatever the decoders raise.
    """
    warnings: tuple[str, ...] = ()
    profile = b""
    if data[:4] in ifd.HEADERS:
        distinct = tiff_pages.without_overlaps(data)
        warnings = () if distinct is data else ("exif_shortened",)
        data = _plain_tiff(distinct)
    elif data.startswith(png.SIGNATURE):
        readable = png.readable(data)
        data, profile, warnings = readable.data, readable.profile, readable.warnings
    size = webp.size(data) or (0, 0)
    check_size(*size, data)
    with _told_from_lack_of_memory(*size):
        image = Image.open(io.BytesIO(data), formats=formats.READ)
    with image:
        check_size(*image.size, data)
        if profile:
            image.info["icc_profile"] = profile
        with _told_from_lack_of_memory(*image.size):
            yield Opened(image, data, warnings)


@contextlib.contextmanager
def _told_from_lack_of_memory(width: int, height: int) -> Iterator[None]:
    """Raises MemoryError when the block fails and memory is too short for what decoders may need for such a picture."""
    try:
        yield
    except Rejected:
        raise
    except Exception as error:
        if memory.is_short(_SCARCE_BYTES + _MOST_BYTES_A_PIXEL * width * height):
            raise MemoryError(f"{type(error).__name__}: {error}") from error
        raise


def _plain_tiff(data: bytes) -> bytes:
    if _pillow_reads(data):
        return data
    directory = ifd.read(data)
    size = rare_tiff.largest(directory)
    check_size(*size, data)
    with _told_from_lack_of_memory(*size):
        return rare_tiff.plain(data, directory)


def _pillow_reads(tiff: bytes) -> bool:
    with contextlib.suppress(UnidentifiedImageError), Image.open(io.BytesIO(tiff), formats=["TIFF"]):
        return not rare_tiff.is_misread(ifd.read(tiff))
    return False


def check_size(width: int, height: int, data: bytes) -> None:
    """Refuses decompression bombs before anything is decoded.

    These are what is above MAX_PIXELS, or above half of that in a file that has less than a byte for 2,000 pixels, far
    less than photographs ever take, and what has a side above MAX_SIDE.

    Raises:
        Rejected: ``too_large``.
    """
    pixels = width * height
    if max(width, height) > MAX_SIDE:
        raise Rejected("too_large", f"{width} x {height} pixels; no side may have more than {MAX_SIDE:,}")
    if pixels > MAX_PIXELS or (2 * pixels > MAX_PIXELS and pixels > _MAX_PIXELS_A_BYTE * len(data)):
        raise Rejected("too_large", f"{width} x {height} pixels in {len(data):,} bytes")


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
    if image.format == "JPEG2000" and (profile := jp2.profile(data)):
        image.info["icc_profile"] = profile
    pixels = _plain_jpeg(image, data) if whole else None
    if pixels is None:
        pixels = deep.read(image, data)
    if pixels is not None:
        return pixels
    image.load()
    width, height = image.size
    return by_strips(lambda rows: _converted(image.crop((0, rows.start, width, rows.stop))), height, width)


def _converted(image: Image.Image) -> Bytes:
    """A strip of 8 bits in sRGB, ``[H, W]`` or ``[H, W, 3]``, transparency on white."""
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        image = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, _SRGB, "LAB", "RGB")) or image
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        laid = Image.alpha_composite(paper, image.convert("RGBA")).convert("L" if grey else "RGB")
        laid.info["icc_profile"] = image.info.get("icc_profile")
        image = laid
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if grey else "RGB")
    return np.asarray(_apply_profile(image))


def _plain_jpeg(image: Image.Image, data: bytes) -> Pixels | None:
    """Pixels of a colour JPEG in sRGB that is to be decoded at its full size; None for any other photo.

    simplejpeg has the libjpeg-turbo that Pillow has, so that the pixels are the same, but decodes into the array
    itself, in three fifths of the time. Where libjpeg so much as warns the answer is None as well: Pillow decides.
    """
    if (image.format, image.mode) != ("JPEG", "RGB") or _transform_of(image):
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


def _apply_profile(image: Image.Image) -> Image.Image:
    """Converts from the embedded ICC profile to sRGB; a profile that cannot be used counts as none.

    Grey stays one channel, CMYK becomes RGB.
    """
    transform = _transform_of(image)
    if transform is not None:
        with memory.suppressed(ImageCms.PyCMSError, OSError, ValueError):
            converted = ImageCms.applyTransform(image, transform)
            if converted is not None:
                return converted.getchannel("G") if image.mode == "L" else converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _transform_of(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """What turns an open image into sRGB; None where it is that already, or has no profile that can be used."""
    profile = image.info.get("icc_profile")
    with memory.suppressed(ImageCms.PyCMSError, OSError, ValueError):
        return _to_srgb_transform(profile, image.mode) if profile else None
    return None


@lru_cache(maxsize=16)
def _to_srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB, None where the profile is that already; an archive has few profiles, each takes 20 ms."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode != "CMYK" and "sRGB" in ImageCms.getProfileDescription(source):
        return None
    return ImageCms.buildTransform(source, _SRGB, mode, "RGB")
