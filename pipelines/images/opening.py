"""A photo's file to an open image: what Pillow cannot read made readable, sizes checked, errors judged."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from pipelines.errors import Rejected
from pipelines.images import (
    bounded_tags,
    formats,
    icc,
    jp2,
    jpeg_scans,
    memory,
    png,
    sizes,
    tiff_directory,
    tiff_fallback,
    tiff_pages,
    webp,
)

bounded_tags.install()

# What a decoder may need at most, so that its failure may be due to a lack of memory: OpenJPEG and its buffers.
_MOST_BYTES_A_PIXEL, _SCARCE_BYTES = 48, 1 << 25
# A progressive JPEG of 179 megapixels may have 44 scans, one of a megapixel 8,000; encoders make 10.
_MAX_SCANNED_PIXELS = 8_000_000_000
_OPENJPEG, _LIBWEBP = 4, 4  # bytes a sample; bytes a pixel


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


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[Opened]:
    """Opens a photo, its size checked.

    Raises:
        Rejected: ``too_large``.
        MemoryError: the block failed, and there is not the memory that a decoder may need.
        Exception: whatever the decoders raise.
    """
    dropped: tuple[str, ...] = ()
    profile = b""
    if data[:4] in tiff_directory.HEADERS:
        distinct = tiff_pages.without_overlaps(data)
        dropped = () if distinct is data else ("exif_shortened",)
        data = _plain_tiff(distinct)
    elif data.startswith(png.SIGNATURE):
        readable = png.readable(data)
        data, profile, dropped = readable.data, readable.profile, readable.warnings
    size = webp.size(data) or (0, 0)
    sizes.check(*size, data, sample_bytes=_LIBWEBP)
    with _told_from_lack_of_memory(*size):
        image = Image.open(io.BytesIO(data), formats=formats.READ)
    with image:
        check_size(image, data)
        profile = profile or (jp2.profile(data) if image.format == "JPEG2000" else b"")
        if profile:
            image.info["icc_profile"] = profile
        if not icc.is_usable(image.info.get("icc_profile") or b""):
            del image.info["icc_profile"]
            dropped = (*dropped, "profile_dropped")
        with _told_from_lack_of_memory(*image.size):
            yield Opened(image, data, dropped)


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


def check_size(image: Image.Image, data: bytes) -> None:
    """Refuses an image that is too large, before it is loaded; once more after that if loading may change its size.

    Raises:
        Rejected: ``too_large``.
    """
    width, height = image.size
    sizes.check(width, height, data, sample_bytes=_sample_bytes(image, data), is_bilevel=image.mode == "1")
    if image.format in ("JPEG", "MPO"):
        scans = jpeg_scans.count(data)
        if scans * width * height > _MAX_SCANNED_PIXELS:
            raise Rejected("too_large", f"{scans:,} scans of {width} x {height} pixels")


def _sample_bytes(image: Image.Image, data: bytes) -> int:
    """Bytes that a decoder holds of each pixel."""
    if image.format == "JPEG2000":
        return _OPENJPEG * len(image.getbands())
    if image.format == "WEBP":
        return _LIBWEBP
    if image.format == "PNG" and data[24:25] == b"\x10":
        return 2 * len(image.getbands())
    return {"I": 4, "F": 4, "I;16": 2, "I;16B": 2}.get(image.mode, len(image.getbands()))


def _plain_tiff(data: bytes) -> bytes:
    size = tiff_pages.size_at(data, tiff_directory.first(data))
    sizes.check(size.width, size.height, data, sample_bytes=size.sample_bytes, is_bilevel=size.is_bilevel)
    if _pillow_reads(data):
        return data
    directory = tiff_directory.read(data)
    sizes.check(*tiff_fallback.largest(directory), data, sample_bytes=size.sample_bytes)
    with _told_from_lack_of_memory(*tiff_fallback.largest(directory)):
        return tiff_fallback.plain(data, directory)


def _pillow_reads(tiff: bytes) -> bool:
    with contextlib.suppress(UnidentifiedImageError), Image.open(io.BytesIO(tiff), formats=["TIFF"]):
        return not tiff_fallback.is_misread(tiff_directory.read(tiff))
    return False
