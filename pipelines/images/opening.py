"""Open the file of a photo: check its size, make it readable for Pillow, and turn errors into verdicts."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image, UnidentifiedImageError

from pipelines.errors import Rejected
from pipelines.images import (
    agreement,
    bounded_tags,
    cut_short,
    faults,
    formats,
    frames,
    icc,
    jp2,
    jpeg_markers,
    memory,
    orientation,
    other_readers,
    png,
    png_color,
    sizes,
    tiff_fallback,
    tiff_pages,
    tiff_pictures,
    tiff_segments,
    tiff_table,
    undescribed,
    webp,
)
from pipelines.images.other_readers import Decoded
from pipelines.images.png_color import Described
from pipelines.images.reading import AS_IT_IS, Reading
from pipelines.images.tiff_directory import Directory
from pipelines.images.tiff_pages import PageSize
from pipelines.images.tiff_table import Table
from tfrecords.color import Words

bounded_tags.install()


@dataclass(frozen=True, kw_only=True)
class OpenPhoto:
    """An open photo, or page of a TIFF.

    Attributes:
        image: of Pillow.
        data: the file that it was opened from. A TIFF that Pillow cannot read became a plain one; a PNG is without the
            texts that Pillow refuses.
        page: of a TIFF, the directory of the page in the original file, which says what the photo is of.
        stored: of a TIFF, the directory of ``data``, which says how the pixels are stored.
        described: of a PNG, what its chunks say about its colours.
        turn: the orientation that a loaded TIFF had in its file; 0 for any other photo.
        words: the pixels of a photo with more than 8 bits that Pillow does not read, ``[H, W]`` or ``[H, W, C]``.
        keeps_rows: whether to keep the rows of a photo that is cut short.
        warnings: codes of what was left out.
        heard: codes of what is found when the pixels are decoded.
    """

    image: Image.Image
    data: bytes
    page: Table | None = None
    stored: Table | Directory | None = None
    described: Described = field(default_factory=Described)
    turn: int = 0
    words: Words | None = None
    keeps_rows: bool = False
    warnings: tuple[str, ...] = ()
    heard: list[str] = field(default_factory=list)

    def number(self, tag: int, default: int = 0) -> int:
        """Return the first integer of a tag that says how the pixels of a TIFF are stored."""
        return default if self.stored is None else self.stored.number(tag, default)


@contextlib.contextmanager
def judged(data: bytes) -> Iterator[None]:
    """Turn what decoders raise on a file into one of two verdicts: ``unreadable`` or ``too_large``.

    An error that means lack of memory is passed on, because it is not the file's fault.

    Raises:
        Rejected: see above.
    """
    if not data:
        raise Rejected("unreadable", "the file is empty")
    with warnings.catch_warnings():
        # Pillow warns about broken EXIF, which does no harm, and about large pictures, whose size is checked here.
        warnings.simplefilter("ignore")
        try:
            yield
        except Rejected:
            raise
        except Image.DecompressionBombError as error:
            raise Rejected("too_large", _too_many_pixels(str(error))) from error
        except UnidentifiedImageError as error:
            if formats.is_raw(data):
                raise Rejected("camera_raw", f"camera raw: {tiff_pictures.DEVELOP_IT}") from error
            name = formats.not_read(data)
            detail = f"{name} files are not supported" if name else "not a photo in a supported format"
            raise Rejected("unreadable", detail) from error
        except Exception as error:
            if memory.out_of_memory(error):
                raise
            # Decoders raise all kinds of errors on broken files (SyntaxError, struct.error, …).
            raise Rejected("unreadable", faults.told(error)) from error


def _too_many_pixels(said: str) -> str:
    """Return what Pillow says of a picture that is too large in the words of `sizes.check`."""
    numbers = [int(number) / 1e6 for number in re.findall(r"(\d+) pixels", said)]
    if len(numbers) != 2:
        return said
    return f"{numbers[0]:.0f} million pixels are more than {numbers[1]:.0f} million; --max_megapixels allows more"


@contextlib.contextmanager
def opened(data: bytes, page: Table | int | None = None, reading: Reading = AS_IT_IS) -> Iterator[OpenPhoto]:
    """Open a photo with its size checked, and judge it by what the block raises.

    Args:
        data: the file.
        page: the directory of the page of a TIFF, the first photo in it if there is none; or the number of a frame of
            any other format, from 0.
        reading: how to read it.

    Raises:
        Rejected: see `judged`.
        MemoryError: the block failed, and there is less memory than a decoder may need.
    """
    with judged(data), sizes.allowing(reading.most_pixels):
        is_tiff = data[:4] in tiff_table.HEADERS
        if isinstance(page, Table) or is_tiff:
            photo = _open_tiff(page if isinstance(page, Table) else tiff_pictures.of_file(data)[0], reading)
        else:
            photo = _open_other(data, reading)
            if page:
                photo = replace(photo, data=frames.show(photo.image, page, photo.data))
        with photo.image as image:
            sizes.check_image(image, photo.data)
            told = photo.described if image.format == "PNG" else undescribed.described(image, photo.data)
            dropped = (*photo.warnings, *told.warnings)
            if icc.settle(image, told.first, told.last):
                dropped = (*dropped, "profile_dropped")
            with memory.told_from_lack(*image.size):
                yield replace(photo, warnings=dropped, keeps_rows=reading.truncated == "keep")


def _open_other(data: bytes, reading: Reading) -> OpenPhoto:
    """Open a file of any format but TIFF; what one reader refuses is offered to the next."""
    if decoded := other_readers.read(data, reading):
        return _of_decoded(decoded, data)
    profile, described = b"", Described()
    dropped: tuple[str, ...] = ()
    if data.startswith(png.SIGNATURE):
        readable = png.readable(data)
        data, profile, dropped = readable.data, readable.profile, readable.warnings
        described = png_color.described(data)
    size = webp.size(data) or (0, 0)
    sizes.check(*size, len(data), sample_bytes=sizes.WEBP_BYTES)
    if jp2.is_one(data):
        return _open_jpeg_2000(data)
    try:
        image = _open(data, formats.READ, *size)
    except Exception as refusal:
        # Broken metadata must not hide the picture.
        bare = None if memory.out_of_memory(refusal) else _without_metadata(data)
        if bare is None:
            raise
        image, data, dropped = _open(bare, formats.READ), bare, (*dropped, "metadata_dropped")
    if profile:
        image.info["icc_profile"] = profile
    photo = OpenPhoto(image=image, data=data, described=described, warnings=dropped)
    return _with_what_is_there(photo) if reading.truncated == "keep" else photo


def _with_what_is_there(photo: OpenPhoto) -> OpenPhoto:
    """Load a photo; if it is cut short, its rows that are there, and grey for the rest."""
    image = photo.image
    sizes.check_image(image, photo.data)
    if image.format in cut_short.GREY_BY_ITSELF:
        return photo
    try:
        with memory.told_from_lack(*image.size):
            image.load()
    except (OSError, SyntaxError, ValueError) as refusal:
        found = cut_short.loaded(photo.data, str(image.format)) if cut_short.is_so(refusal) else None
        if found is None:
            raise
        found.info |= image.info
        return replace(photo, image=found, warnings=(*photo.warnings, cut_short.WARNING))
    return photo


def _of_decoded(decoded: Decoded, data: bytes) -> OpenPhoto:
    return OpenPhoto(image=decoded.image, data=data, words=decoded.words, warnings=decoded.warnings)


def _without_metadata(data: bytes) -> bytes | None:
    if data.startswith(png.SIGNATURE):
        return png.bare(data)
    return jpeg_markers.bare(data)


def _open_jpeg_2000(data: bytes) -> OpenPhoto:
    """Open and decode a JPEG 2000 with Pillow, or with imagecodecs if its channels differ in size or Pillow refuses."""
    size, profile = jp2.size(data), jp2.profile(data)
    sizes.check(*size, len(data), sample_bytes=sizes.OPENJPEG_BYTES)
    try:
        if jp2.is_subsampled(data):
            raise UnidentifiedImageError("channels of different sizes")
        image = _open(data, ("JPEG2000",), *size)
        sizes.check_image(image, data)
        with memory.told_from_lack(*size):
            image.load()
    except (OSError, SyntaxError, ValueError):
        with memory.told_from_lack(*size):
            decoded = other_readers.jpeg_2000(data, profile)
        if decoded is None:
            raise
        photo = _of_decoded(decoded, data)
        image = photo.image
    else:
        photo = OpenPhoto(image=image, data=data)
    if profile:
        image.info["icc_profile"] = profile
    return photo


def _open_tiff(page: Table, reading: Reading) -> OpenPhoto:
    """Open a page of a TIFF with Pillow, or with tifffile where Pillow fails or is wrong."""
    first = tiff_pages.as_first(page)
    page = tiff_pages.without_overlaps(first)
    dropped = (*(() if page is first else ("exif_shortened",)), *tiff_pages.doubts(page))
    data, size = page.data, tiff_pages.size_of(page)
    sizes.check(size.width, size.height, len(data), sample_bytes=size.sample_bytes, is_bilevel=size.is_bilevel)
    if not tiff_fallback.is_misread(page):
        try:
            image, turn = _loaded(page, size)
            return OpenPhoto(image=image, data=data, page=page, stored=page, turn=turn, warnings=dropped)
        except UnidentifiedImageError:
            pass
        except (OSError, ValueError) as refusal:
            if memory.out_of_memory(refusal):
                raise
            if not tiff_segments.are_whole(page):
                kept = _kept(page, refusal) if reading.truncated == "keep" else None
                if kept is None:
                    raise
                dropped = (*dropped, cut_short.WARNING)
                return OpenPhoto(image=kept[0], data=data, page=page, stored=page, turn=kept[1], warnings=dropped)
    largest = tiff_fallback.largest(page)
    sizes.check(*largest, len(data), sample_bytes=size.sample_bytes)
    with memory.told_from_lack(*largest):
        plain, stored, words = tiff_fallback.plain(page)
    image = _open(plain, ("TIFF",))
    return OpenPhoto(image=image, data=plain, page=page, stored=stored, words=words, warnings=dropped)


def _kept(page: Table, refusal: Exception) -> tuple[Image.Image, int] | None:
    """Return the rows that are there of a page that is cut short, upright, and its orientation."""
    if not cut_short.is_so(refusal):
        return None
    tiff_segments.check(page)
    turn = orientation.of(_open(page.data, ("TIFF",)))
    found = cut_short.loaded(page.data, "TIFF")
    return None if found is None else (found, turn)


def _loaded(page: Table, size: PageSize) -> tuple[Image.Image, int]:
    """Open a page with Pillow, and decode it upright; return its orientation as well.

    What Pillow is known to be weak at must look the same to tifffile.
    """
    image = _open(page.data, ("TIFF",))
    turn = orientation.of(image)
    with memory.told_from_lack(size.width, size.height):
        tiff_segments.check(page)
        sizes.check_image(image, page.data)
        image.load()
        other = tiff_fallback.second_opinion(page)
        if other is not None:
            seen = image if image.mode == "CMYK" else image.convert("RGB")
            agreement.check(np.asarray(seen), other, "Pillow", "tifffile")
    return image, turn


def _open(data: bytes, readers: tuple[str, ...], width: int = 0, height: int = 0) -> Image.Image:
    with memory.told_from_lack(width, height):
        return Image.open(io.BytesIO(data), formats=readers)
