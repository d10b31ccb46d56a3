"""How a photo is read: the choices of the user that decide which pixels come out."""

from dataclasses import dataclass
from typing import Literal

from pipelines.images.limits import MOST_PIXELS

Pages = Literal["auto", "first", "all"]
Truncated = Literal["reject", "keep"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The choices.

    Attributes:
        pages: ``all`` pages of a TIFF and frames of other formats, or the ``first``; ``auto`` for all pages of a TIFF
            and the first frame of any other format.
        truncated: ``keep`` the rows of a file that is cut short, and make the rest grey; or ``reject`` it.
        most_pixels: of a page.
    """

    pages: Pages = "auto"
    truncated: Truncated = "reject"
    most_pixels: int = MOST_PIXELS


DEFAULT_MEGAPIXELS = -(-MOST_PIXELS // 1_000_000)


def pixels_of(megapixels: int) -> int:
    """Return how many pixels a number of megapixels allows; the default number allows what Pillow does."""
    return MOST_PIXELS if megapixels == DEFAULT_MEGAPIXELS else 1_000_000 * megapixels


AS_IT_IS = Reading()
"""The default."""
