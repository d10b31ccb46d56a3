"""Work on a few rows at a time, so that intermediate results never have the size of a picture."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

PIXELS = 1 << 18
"""Of a strip, unless a single row has more; a quarter of a million pixels stay in the processor's cache."""


def strips(height: int, width: int, pixels: int = PIXELS) -> Iterator[slice]:
    """Yield the rows of each strip of a picture from top to bottom."""
    rows = max(1, pixels // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def by_strips(
    made: Callable[[slice], npt.NDArray[Any]], height: int, width: int, pixels: int = PIXELS
) -> npt.NDArray[Any]:
    """Compute a picture strip by strip.

    Args:
        made: takes the rows of a strip and returns ``[n, W]`` or ``[n, W, C]``, always of the same type.
        height: of the picture, at least 1.
        width: of the picture.
        pixels: of a strip.

    Returns:
        the strips as one array, ``[H, W]`` or ``[H, W, C]``.
    """
    result = np.empty(0)
    for rows in strips(height, width, pixels):
        part = made(rows)
        if rows.start == 0:
            result = np.empty((height, *part.shape[1:]), part.dtype)
        result[rows] = part
    return result
