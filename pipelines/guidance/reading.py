"""Read the hints of one photo from the bytes of its hint file. This is work of the process that opens photos."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from model.guidance import hints
from model.guidance.hints import Hints
from pipelines.errors import Rejected
from pipelines.guidance import points
from pipelines.guidance.page_files import unpacked
from pipelines.images.memory import out_of_memory
from tfrecords.color import Bytes, Pixels
from tfrecords.words import counted

BAD_HINT = "bad_hint"
"""The reason of a photo, or the warning on it, whose hint file cannot be used."""
MOST_PIXELS = 25_000_000
"""The number of pixels that a picture of hints may have."""
_MOST_PAINTED = 0.75
# Logarithms of the ratio of two shapes: a square one has no side to lie on.
_SAME_SHAPE, _OTHER_SHAPE = 0.02, 0.1


def read(data: bytes, photo: Pixels, page: int = 1) -> Hints | None:
    """Return the hints of one page of a photo; None if they are all for other pages.

    Args:
        data: of its hint file, PNG or JSON; or several, `pipelines.guidance.page_files.packed`.
        photo: the page, uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB, upright.
        page: its number, from 1.

    Raises:
        Rejected: ``bad_hint``: a file is broken, is too large, or has no hints; or there are two for the page.
    """
    with _bad():
        found = [hints for number, one in unpacked(data).items() if (hints := _of_file(one, number, photo, page))]
        if len(found) > 1:
            raise ValueError(f"there are two for page {page}")
    if not found:
        return None
    if not found[0].given.any():
        raise Rejected(BAD_HINT, "its hint file has no hints: no pixel is half opaque, or differs from the photo")
    return found[0]


def _of_file(data: bytes, number: int, photo: Pixels, page: int) -> Hints | None:
    """Return the hints that a file, named for a page, has for another or the same page."""
    if data.startswith(points.PNG):
        return _of_picture(data, photo) if number == page else None
    points_ = [point for point in points.of_json(data, number) if point.page == page]
    return hints.of_points(points_, *photo.shape[:2]) if points_ else None


def check_pages(data: bytes, count: int) -> None:
    """Check that a photo has the pages that its hints are for.

    Args:
        data: see `read`.
        count: how many pages it has.

    Raises:
        Rejected: ``bad_hint``: it has not, or the file is broken.
    """
    named: set[int] = set()
    with _bad():
        for number, one in unpacked(data).items():
            named |= {number} if one.startswith(points.PNG) else {point.page for point in points.of_json(one, number)}
    if max(named) > count:
        raise Rejected(BAD_HINT, f"its hints are for page {max(named)}, and it has {counted(count, 'page')}")


@contextmanager
def _bad() -> Iterator[None]:
    """Reject the photo for whatever a hint file raises."""
    try:
        yield
    except Exception as error:  # Pillow raises many kinds
        if out_of_memory(error):
            raise
        raise Rejected(BAD_HINT, f"its hint file cannot be used: {error}"[:200]) from error


def read_if_good(
    data: bytes, photo: Pixels, page: int, count: int, on_bad_hint: str, warned: list[str]
) -> Hints | None:
    """Return the hints of a page; None if it has none, or if they are broken and may be ignored, which is a warning.

    Args:
        data: see `read`.
        photo: see `read`.
        page: see `read`.
        count: how many pages the photo has.
        on_bad_hint: ``reject`` or ``ignore``.
        warned: the warnings on the photo.

    Raises:
        Rejected: see `read` and `check_pages`.
    """
    try:
        check_pages(data, count)
        return read(data, photo, page)
    except Rejected:
        if on_bad_hint == "reject":
            raise
        warned.append(BAD_HINT)
        return None


def _of_picture(data: bytes, photo: Pixels) -> Hints:
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"it has more than {MOST_PIXELS // 1_000_000} megapixels; make it smaller")
        _check_upright(image.width, image.height, photo)
        layer = np.asarray(image.convert("RGBA"))
    # Programs that paint may add an alpha channel to a copy of the photo.
    if (layer[..., 3] == 255).all():
        rgb = np.ascontiguousarray(layer[..., :3])
        found = hints.of_copy(rgb, photo)
        if found.given.mean() > _MOST_PAINTED and _empty_share(rgb) > _MOST_PAINTED:
            raise ValueError(
                "it is a layer without its transparency, white or black all over: save it with transparency"
            )
        return found
    return hints.of_layer(layer)


def _check_upright(width: int, height: int, photo: Pixels) -> None:
    """Check that a picture of hints does not lie on its side, as one of a photo opened without its orientation does."""
    rows, columns = photo.shape[:2]
    shape, upright = math.log(width / height), math.log(columns / rows)
    if abs(shape + upright) < _SAME_SHAPE and abs(shape - upright) > _OTHER_SHAPE:
        its, needed = f"{width:,} x {height:,}", f"{columns:,} x {rows:,}"
        raise ValueError(f"it has {its} pixels, and the upright photo {needed}: turn it by 90 degrees")


def _empty_share(rgb: Bytes) -> float:
    """Return the share of pixels that are pure white or black."""
    return float(((rgb == 0).all(axis=2) | (rgb == 255).all(axis=2)).mean())
