"""Photos that Pillow does not read, or reads wrongly: JPEG-LS, JPEG XL, JPEG of 12 bits or lossless, bitmaps.

imagecodecs decodes them, and `pipelines.images.bitmap` decodes bitmaps. Where two readers can decode a file, both must
see the same picture, or the photo is rejected: a wrong picture is worse than none.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.errors import Rejected
from pipelines.images import agreement, bitmap, jp2, jpeg_markers, jpeg_xl, jpeg_xl_colors, memory, samples, sizes
from pipelines.images.bitmap import Kind
from pipelines.images.jpeg_markers import Coding
from pipelines.images.jpeg_xl_colors import Colors
from pipelines.images.reading import AS_IT_IS, Reading
from tfrecords.color import Bytes, Words


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A decoded photo.

    Attributes:
        image: its pixels with 8 bits, and in ``info`` what Pillow would have there; its ``format`` is set.
        words: its pixels, ``[H, W]`` or ``[H, W, C]``, if it has more than 8 bits.
        warnings: codes of what was left out.
    """

    image: Image.Image
    words: Words | None = None
    warnings: tuple[str, ...] = field(default=())


def read(data: bytes, reading: Reading = AS_IT_IS) -> Decoded | None:
    """Decode a photo; None if it is for Pillow.

    Args:
        data: the file.
        reading: how to read it; of bitmaps that are cut short, rows may be kept.

    Raises:
        Rejected: ``too_large``; ``unreadable`` if it is cut short; ``decoders_disagree``.
        Exception: any error from imagecodecs on a broken file.
    """
    if data.startswith(bitmap.SIGNATURE):
        return _bitmap(data, reading)
    if jpeg_xl.is_one(data):
        return _jpeg_xl(data)
    coding = jpeg_markers.coding(data)
    return None if coding is None or coding.is_usual else _jpeg(data, coding)


def _jpeg(data: bytes, coding: Coding) -> Decoded:
    import imagecodecs

    sizes.check(*coding.size, len(data), sample_bytes=2 * coding.samples)
    # libjpeg would make the rest grey, and CharLS takes many seconds to notice. In JPEG-LS no data looks like the end.
    if not (b"\xff\xd9" in data if coding.is_jpeg_ls else coding.is_lossless or jpeg_markers.has_end(data)):
        raise Rejected("unreadable", f"the {coding.name} is cut short")
    decode: Callable[[bytes], npt.NDArray[Any]] = (
        imagecodecs.jpegls_decode
        if coding.is_jpeg_ls
        else imagecodecs.jpegsof3_decode
        if coding.is_lossless
        else imagecodecs.jpeg8_decode
    )
    try:
        found = decode(data)
    except (RuntimeError, ValueError) as error:
        if memory.out_of_memory(error):
            raise
        raise Rejected("unreadable", f"this {coding.name} cannot be read ({type(error).__name__}: {error})") from error
    if found.dtype.kind != "u" or found.ndim not in (2, 3) or found.shape[2:] not in ((), (3,), (4,)):
        raise Rejected("unreadable", f"a {coding.name} of {coding.samples} channels")
    decoded = _of_array(found, coding.bits, "JPEG-LS" if coding.is_jpeg_ls else "JPEG")
    return replace(decoded, warnings=_describe(decoded.image, data))


def _describe(image: Image.Image, data: bytes) -> tuple[str, ...]:
    """Give an image the metadata of a JPEG that Pillow does not read, from a tiny one in its place; return warnings."""
    import imagecodecs

    tiny = bytes(imagecodecs.jpeg8_encode(np.zeros((8, 8), np.uint8)))
    segments: list[tuple[str, bytes]] = []
    try:
        with Image.open(io.BytesIO(jpeg_markers.with_metadata(tiny, data)), formats=("JPEG",)) as shell:
            image.info |= shell.info
            segments = shell.applist  # type: ignore[attr-defined]
    except Exception as error:
        if memory.out_of_memory(error):
            raise
        return ("metadata_dropped",)
    finally:
        image.applist = segments  # type: ignore[attr-defined]
    return ()


def _jpeg_xl(data: bytes) -> Decoded:
    import imagecodecs

    sizes.check(*jpeg_xl.size(data), len(data), sample_bytes=16)
    found = np.asarray(imagecodecs.jpegxl_decode(data))
    warnings: tuple[str, ...] = ()
    if found.ndim == 4:
        found, warnings = found[0], ("frames_dropped",)
    if found.dtype.kind == "f":
        found = samples.stretch(found)
    try:
        colors = jpeg_xl_colors.described(data)
    except ValueError:  # the start of a codestream in parts may be too short
        colors = Colors(is_unknown=True)
    if colors.has_black:
        raise Rejected("unreadable", "a JPEG XL of CMYK")
    profile = _profile_of_jpeg_inside(data) if colors.is_unknown else colors.profile
    warnings += ("profile_dropped",) if colors.is_unknown and not profile else ()
    warnings += ("highlights_clipped",) if colors.is_high else ()
    array = found[..., 0] if found.shape[2:] == (1,) else found
    decoded = _of_array(array, 8 * found.itemsize, "JXL", warnings)
    if profile:
        decoded.image.info["icc_profile"] = profile
    return decoded


def _profile_of_jpeg_inside(data: bytes) -> bytes:
    """Return the profile of the JPEG that can be made again from a JPEG XL; b"" if there is none."""
    import imagecodecs

    try:
        inside = bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1))
    except (imagecodecs.JpegxlError, ValueError):  # among others, it is not one, or is grey
        return b""
    with memory.suppressed(OSError, SyntaxError, ValueError), Image.open(io.BytesIO(inside)) as image:
        return image.info.get("icc_profile") or b""
    return b""


def jpeg_2000(data: bytes, profile: bytes) -> Decoded | None:
    """Decode a JPEG 2000 with imagecodecs, which brings channels of fewer samples to full size, and YCC to RGB.

    Args:
        data: the file.
        profile: its ICC profile, b"" if it has none. imagecodecs would apply some profiles by itself.

    Returns:
        None if imagecodecs cannot decode it either.
    """
    import imagecodecs

    bits = jp2.bits(data)
    if bits > 16:
        return None
    try:
        found = imagecodecs.jpeg2k_decode(jp2.codestream(data) if profile else data)
    except (imagecodecs.Jpeg2kError, ValueError):
        return None
    if (
        found.dtype.kind != "u"
        or found.shape[2:] not in ((), (1,), (2,), (3,), (4,))
        or found.shape[1::-1] != jp2.size(data)
    ):
        return None
    return _of_array(found[..., 0] if found.shape[2:] == (1,) else found, bits, "JPEG2000")


def _of_array(found: npt.NDArray[Any], bits: int, file_format: str, warnings: tuple[str, ...] = ()) -> Decoded:
    words = samples.scaled(found, bits) if bits > 8 else None
    pixels = found if words is None else samples.to_bytes(words)
    if found.shape[2:] == (2,):
        image = Image.fromarray(np.ascontiguousarray(pixels), "LA")
    else:
        image = Image.fromarray(np.ascontiguousarray(pixels))
    image.format = file_format
    return Decoded(image=image, words=words, warnings=warnings)


def _bitmap(data: bytes, reading: Reading) -> Decoded:
    """Decode a bitmap."""
    told = bitmap.header(data)
    sizes.check(told.width, told.height, len(data), sample_bytes=4)
    warnings: tuple[str, ...] = ()
    if reading.truncated == "keep" and len(data) > told.start and bitmap.missing(data, told):
        data += b"\x80" * bitmap.missing(data, told)
        warnings = ("truncated",)
    pixels = bitmap.read(data)
    other, name = _second_opinion(data, told)
    if other is not None:
        agreement.check(pixels, other, "Autochrome's reader of bitmaps", name)
    image = Image.fromarray(pixels)
    image.format = "BMP"
    if told.profile:
        image.info["icc_profile"] = told.profile
    if min(told.dots) > 0:
        image.info["dpi"] = (told.dots[0] * 0.0254, told.dots[1] * 0.0254)
    return Decoded(image=image, warnings=warnings)


def _second_opinion(data: bytes, told: bitmap.Header) -> tuple[Bytes | None, str]:
    """Return what another reader sees, ``[H, W, 3]``, or None; and its name.

    OpenCV takes most bit fields for others, and Pillow garbles RLE4.
    """
    if told.kind in (Kind.RLE4, Kind.RLE8):
        # What it cannot read, it says on standard error.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        return found, "OpenCV"
    with memory.suppressed(Exception), Image.open(io.BytesIO(data), formats=("BMP",)) as image:
        return np.asarray(image.convert("RGB")), "Pillow"
    return None, ""
