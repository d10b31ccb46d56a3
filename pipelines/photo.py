"""Photos as files: bytes to upright pixels in sRGB, and pixels back to bytes with what the file said about itself."""

import contextlib
import io
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from pipelines.outcomes import Rejected
from tfrecords.color import Bytes

# Larger photos are taken for decompression bombs; the number is Pillow's own hard limit, about 13,400 pixels square.
MAX_PIXELS = 178_956_970
_ORIENTATION = 0x0112
_FLIPS_AND_TURNS: dict[
    int, tuple[int, int, bool]
] = {  # EXIF orientation → row step, column step, transposed afterwards
    1: (1, 1, False),
    2: (1, -1, False),
    3: (-1, -1, False),
    4: (-1, 1, False),
    5: (1, 1, True),
    6: (-1, 1, True),
    7: (-1, -1, True),
    8: (1, -1, True),
}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {"compress_level": 3},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "WEBP": {"quality": 95, "method": 2},
}


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: uint8 ``[H, W]`` where the file holds one grey channel, else ``[H, W, 3]``; upright, sRGB.
        height: of the photo as stored in the file, upright; more than the pixels have when they were decoded smaller.
        width: likewise.
        format: of the file, in Pillow's words.
        metadata: what encoding carries over: Pillow's save options ``exif`` (upright) and ``dpi``.
        chroma_step: of a JPEG in three components, the step to which it rounds 8 times the mean chroma of a block (the
            DC entry of the quantisation table, 1 to 255 and more); 0 for any other file.
    """

    pixels: Bytes
    height: int
    width: int
    format: str
    metadata: dict[str, Any] = field(default_factory=dict)
    chroma_step: int = 0


def decode(data: bytes, shrink_to: int | None = None) -> Photo:
    """Decodes a photo of any format that Pillow reads (the first frame, the first page).

    The EXIF orientation is applied, an embedded ICC profile converted to sRGB, 16 bits are scaled to 8, transparency is
    laid on white.

    Args:
        data: the file.
        shrink_to: JPEGs may be decoded at 1/2, 1/4 or 1/8 as long as no side falls below this.

    Raises:
        Rejected: ``unreadable`` when it is no image, cut short or broken; ``too_large`` above MAX_PIXELS.
    """
    if not data:
        raise Rejected("unreadable", "0 bytes")
    with warnings.catch_warnings():
        # Pillow warns of broken EXIF and of large pictures; the first do no harm, the second are judged below.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Rejected("too_large", f"{image.width} x {image.height} pixels")
                orientation, metadata = _exif(image)
                stored = image.size
                width, height = stored if orientation < 5 else reversed(stored)
                if shrink_to:
                    image.draft(None, (shrink_to, shrink_to))
                pixels = _plain_jpeg(image, data) if image.size == stored else None
                pixels = _upright(_to_srgb(image) if pixels is None else pixels, orientation)
                return Photo(pixels, height, width, str(image.format), metadata, _chroma_step(image))
        except Rejected:
            raise
        except Image.DecompressionBombError as error:
            raise Rejected("too_large", str(error)) from error
        except UnidentifiedImageError as error:
            raise Rejected("unreadable", "not an image that Pillow knows") from error
        except MemoryError as error:
            raise Rejected("too_large", "more memory than there is") from error
        except Exception as error:
            # Decoders of a hundred formats raise whatever they like on broken files (SyntaxError, struct.error, …).
            raise Rejected("unreadable", f"{type(error).__name__}: {error}"[:200]) from error


def _exif(image: Image.Image) -> tuple[int, dict[str, Any]]:
    """The orientation, and what is to be carried over; broken EXIF counts as none."""
    metadata: dict[str, Any] = {}
    orientation = 1
    with contextlib.suppress(Exception):
        dpi = tuple(float(value) for value in image.info["dpi"])
        if min(dpi) > 0 and np.isfinite(dpi).all():
            metadata["dpi"] = dpi
    with contextlib.suppress(Exception):
        exif = image.getexif()
        orientation = int(exif.get(_ORIENTATION, 1))
        if image.format == "TIFF":
            orientation = 1  # Pillow turns TIFFs upright itself when it loads them
        elif exif:
            exif[_ORIENTATION] = 1
            metadata["exif"] = exif.tobytes()
    return orientation if orientation in _FLIPS_AND_TURNS else 1, metadata


def _chroma_step(image: Image.Image) -> int:
    if not isinstance(image, JpegImageFile) or len(image.layer) != 3:
        return 0
    _, _, _, table = image.layer[1]
    return image.quantization[table][0] if table in image.quantization else 0


def _upright(pixels: Bytes, orientation: int) -> Bytes:
    """Applies an EXIF orientation."""
    rows, columns, transposed = _FLIPS_AND_TURNS[orientation]
    pixels = pixels[::rows, ::columns]
    return np.ascontiguousarray(pixels.swapaxes(0, 1) if transposed else pixels)


def _plain_jpeg(image: Image.Image, data: bytes) -> Bytes | None:
    """Pixels of a colour JPEG that needs nothing but to be decoded at its full size; None for any other photo.

    simplejpeg has the libjpeg-turbo that Pillow has, so that the pixels are the same, but decodes into the array
    itself, in three fifths of the time. Where libjpeg so much as warns the answer is None as well: Pillow decides.
    """
    if (image.format, image.mode) != ("JPEG", "RGB") or image.info.get("icc_profile"):
        return None
    with contextlib.suppress(ValueError):
        return simplejpeg.decode_jpeg(data, "RGB")
    return None


def _to_srgb(image: Image.Image) -> Bytes:
    """Decodes to uint8 ``[H, W]`` or ``[H, W, 3]`` in sRGB."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _scale_to_bytes(np.asarray(image))
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        image = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, _SRGB, "LAB", "RGB")) or image
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("LA" if grey else "RGBA")
        paper = Image.new(image.mode, image.size, "white")
        image = Image.alpha_composite(paper.convert("RGBA"), image.convert("RGBA")).convert("L" if grey else "RGB")
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if grey else "RGB")
    return np.asarray(_apply_profile(image))


def _scale_to_bytes(values: np.ndarray) -> Bytes:
    """Brings 16-bit, 32-bit and floating-point grey to bytes by the range of the type, or by that of the values.

    Floats in [0, 1] and integers up to 65,535 keep their scale; anything beyond is stretched from least to greatest.
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low >= 0 and high <= (1 if values.dtype.kind == "f" else 65535):
        low, high = 0.0, 1.0 if values.dtype.kind == "f" else 65535.0
    scaled = (np.nan_to_num(values.astype(np.float32)) - low) * (255.0 / max(high - low, 1e-12))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def _apply_profile(image: Image.Image) -> Image.Image:
    """Converts from the embedded ICC profile to sRGB; a profile that cannot be used counts as none.

    Grey stays one channel, CMYK becomes RGB.
    """
    profile = image.info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            transform = _to_srgb_transform(profile, image.mode)
            converted = None if transform is None else ImageCms.applyTransform(image, transform)
            if converted is not None:
                return converted.getchannel("G") if image.mode == "L" else converted
    return image.convert("RGB") if image.mode == "CMYK" else image


@lru_cache(maxsize=16)
def _to_srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB, None where the profile is that already; an archive has few profiles, each takes 20 ms."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode != "CMYK" and "sRGB" in ImageCms.getProfileDescription(source):
        return None
    return ImageCms.buildTransform(source, _SRGB, mode, "RGB")


def output_format(choice: str, source_format: str) -> str:
    """The format to write, in Pillow's words.

    Args:
        choice: ``keep``, or one of ``jpeg``, ``png``, ``tiff``, ``webp``.
        source_format: of the source; ``keep`` turns what is not one of these into PNG, which loses nothing.
    """
    wanted = {"MPO": "JPEG"}.get(source_format, source_format) if choice == "keep" else choice.upper()
    return wanted if wanted in _EXTENSIONS else "PNG"


def output_name(name: str, file_format: str) -> str:
    """The name under which a photo is written: its own, with an extension added when its own does not fit the format.

    Adding, not replacing, keeps ``scan.bmp`` and ``scan.png`` apart.
    """
    extensions = _EXTENSIONS[file_format]
    return name if name.lower().endswith(extensions) else name + extensions[0]


def encode(pixels: Bytes, file_format: str, metadata: dict[str, Any]) -> bytes:
    """Encodes a colour photo.

    Args:
        pixels: uint8 ``[H, W, 3]``, sRGB.
        file_format: JPEG (quality 95, chroma at full resolution), PNG, TIFF (deflate) or WEBP (quality 95).
        metadata: of the Photo it was made from.

    Raises:
        Rejected: ``too_large`` when the format has no room for the picture (65,500 pixels a side for JPEG, 16,383 for
            WebP).
    """
    buffer = io.BytesIO()
    try:
        Image.fromarray(pixels).save(buffer, file_format, **_SAVE_OPTIONS[file_format], **metadata)
    except (OSError, ValueError) as error:
        height, width = pixels.shape[:2]
        raise Rejected("too_large", f"{width} x {height} pixels do not fit into {file_format}: {error}") from error
    return buffer.getvalue()
