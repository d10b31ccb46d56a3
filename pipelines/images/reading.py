"""How a photo is read: the choices of the user that decide which pixels come out."""

from dataclasses import dataclass
from typing import Literal

from pipelines.images.limits import MOST_PIXELS

Pages = Literal["", "first", "all"]
Truncated = Literal["reject", "keep"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The choices.

    Attributes:
        pages: ``all`` pages of a TIFF and frames of other formats, or the ``first``; '' for all pages of a TIFF and the
            first frame of any other format.
        truncated: ``keep`` the rows of a file that is cut short, and make the rest grey; or ``reject`` it.
        most_pixels: of a page.
    """

    pages: Pages = ""
    truncated: Truncated = "reject"
    most_pixels: int = MOST_PIXELS


AS_IT_IS = Reading()
"""The default."""
