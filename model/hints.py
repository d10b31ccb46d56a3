"""Hints: colours that are given at a few places of a photo, as training draws them.

A hint is a point or a small square with its colour; a network that takes hints spreads them (Zhang et al., "Real-time
user-guided image colorization with learned deep priors", 2017, section 3.2). Most examples get one to four, few get
ten; some get the whole picture, so that what is given is kept.

Every decision follows from uniform numbers that the caller draws.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

POINTS = 10
"""Hints that an example may get at most."""
DRAWS = 3 + 3 * POINTS
"""Uniform numbers that one example needs."""
CELL = 4
"""Side in pixels of the squares over which the colour of a hint is averaged: that at which networks give chroma."""

STOP = 0.25
"""Chance that no further hint follows one."""
WHOLE = 0.02
"""Chance that an example with hints is given whole."""
NARROWEST, WIDEST = 1 / 256, 10 / 256
"""Half of the side of a hint, as a part of the picture's."""


def draw(chroma: Any, drawn: Any, share: float) -> Any:
    """Return hints for a batch.

    Args:
        chroma: ab / 128, float32 ``[N, R, R, 2]``; R divisible by `CELL`.
        drawn: uniform numbers, float32 ``[N, DRAWS]`` in [0, 1).
        share: of the examples that get hints, in [0, 1].

    Returns:
        float32 ``[N, R, R, 3]``: a / 128 and b / 128 where a colour is given, 0 elsewhere; and 1 there, 0 elsewhere.
    """
    side = chroma.shape[1]
    place = (ops.arange(side, dtype="float32") + 0.5) / side
    count = ops.floor(ops.log(1.0 - drawn[:, 2:3]) / math.log(1.0 - STOP)) + 1.0
    half = ops.maximum(NARROWEST + (WIDEST - NARROWEST) * drawn[:, 3 + 2 * POINTS :], 0.5 / side)
    shown = ops.cast(ops.arange(POINTS, dtype="float32") < count, "float32")

    def near(centres: Any) -> Any:
        return ops.cast(ops.abs(place[None, None] - centres[..., None]) <= half[..., None], "float32")

    rows, columns = near(drawn[:, 3 : 3 + POINTS]), near(drawn[:, 3 + POINTS : 3 + 2 * POINTS])
    covered = ops.einsum("np,npy,npx->nyx", shown, rows, columns) > 0.5
    covered = (covered | (drawn[:, 1] < WHOLE)[:, None, None]) & (drawn[:, 0] < share)[:, None, None]
    mask = ops.cast(covered[..., None], "float32")
    cells = ops.average_pool(chroma, CELL, CELL)
    return ops.concatenate([ops.repeat(ops.repeat(cells, CELL, axis=1), CELL, axis=2) * mask, mask], axis=-1)
