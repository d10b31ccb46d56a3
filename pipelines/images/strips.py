"""Work on a few rows at a time, so that what lies between input and result never has the size of a picture."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

PIXELS = 1 << 18
"""In a strip, or a single row where that has more; a quarter of a million stay in the processor's cache."""


def strips(height: int, width: int, pixels: int = PIXELS) -> Iterator[slice]:
    """Yield the rows of each strip of a picture from top to bottom."""
    rows = max(1, pixels // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def by_strips(
    made: Callable[[slice], npt.NDArray[Any]], height: int, width: int, pixels: int = PIXELS
) -> npt.NDArray[Any]:
    """Puts a picture together of what a function makes of each strip: ``[n, W]`` or ``[n, W, C]``, of one type."""
    result = np.empty(0)
    for rows in strips(height, width, pixels):
        part = made(rows)
        if rows.start == 0:
            result = np.empty((height, *part.shape[1:]), part.dtype)
        result[rows] = part
    return result
