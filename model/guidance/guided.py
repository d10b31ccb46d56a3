"""What lies between a model and the merge for one photo: its prediction, changed as a person asks for.

The process that opens a photo asks a `Question`; the one that has the model answers with chroma.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from model import upsampling
from model.borders import Picture
from model.framing import seen_part
from model.guidance import blending, ranges, reference
from model.guidance import hints as hints_
from model.guidance.hints import Hints
from model.guidance.ranges import METHODS
from model.guidance.reference import Look, Reference
from tfrecords.color import Floats, Pixels, luminance

Predict = Callable[[Floats, Floats | None], Floats]

SIDE = 512
"""The longer side of the grid on which hints are spread, in pixels; that of the photo where it is smaller."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """How the prediction for a photo is changed.

    Attributes:
        saturation: factor of the model's chroma, from 0 to 4; hints keep their colours.
        hint_reach: how far hints reach: where they weigh as much as the prediction, as a share of the longer side.
        hint_method: one of `ranges.METHODS`: ``network`` gives them to the model, and blends them with its prediction.
        references: photos whose colours the prediction gets; () for none.
        palette: a and b of colours that the prediction's are moved to; () for none.
        palette_strength: how far they are moved, from 0 to 1.
    """

    saturation: float = 1.0
    hint_reach: float = METHODS["blend"]
    hint_method: str = "blend"
    references: tuple[Reference, ...] = ()
    palette: tuple[tuple[float, float], ...] = ()
    palette_strength: float = 1.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one is unknown or out of range.
        """
        for name in ranges.RANGES:
            ranges.check(name, getattr(self, name))
        if self.hint_method not in METHODS:
            raise ValueError(f"hint_method must be one of {', '.join(METHODS)}, not {self.hint_method!r}")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked about a photo: its chroma.

    Attributes:
        seen: the model's input, float32 ``[S, S, 1]``.
        light: L* on the grid of the hints, float32 ``[h, w]``; None without hints.
        given: the hints, see `model.guidance.hints.cells`, float32 ``[h, w, 3]``; None without hints.
    """

    seen: Floats
    light: Floats | None = None
    given: Floats | None = None


def question(photo: Pixels, picture: Picture | None, size: int, hints: Hints | None = None) -> Question:
    """Return the question for a photo.

    Args:
        photo: uint8 or uint16, ``[H, W]`` or ``[H, W, 3]``, sRGB.
        picture: within its border, which the model sees alone; None for the whole photo.
        size: side S of the model's input.
        hints: for the photo; None for none.
    """
    part = seen_part(photo, picture)
    seen = upsampling.model_luminance(part, size)
    if hints is None:
        return Question(seen=seen)
    height, width = part.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    height, width = max(2, round(height * scale)), max(2, round(width * scale))
    light = luminance(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))
    return Question(seen=seen, light=light, given=hints_.cells(hints, photo.shape[:2], picture, height, width))


def answer(asked: Question, choices: Choices, predict: Predict, look: Look = lambda light: ()) -> Floats:
    """Return the chroma for a photo.

    Args:
        asked: about the photo.
        choices: how the prediction is changed.
        predict: the model: luminance float32 ``[1, S, S, 1]``, and hints ``[1, h, w, 3]`` or None → a and b, float32
            ``[1, S, S, 2]``.
        look: what the network sees, by which references are compared with the photo.

    Returns:
        a and b, float32 ``[S, S, 2]``; with hints ``[h, w, 2]``.
    """
    given = asked.given if choices.hint_method == "network" else None
    chroma: Floats = predict(asked.seen[None], None if given is None else given[None])[0]
    if choices.references:
        chroma = reference.apply(asked.seen[..., 0] * np.float32(100), chroma, choices.references, look)
    if choices.palette:
        from model.guidance import palette  # SciPy takes half a second to import

        chroma = palette.apply(chroma, np.array(choices.palette), choices.palette_strength)
    chroma = chroma * np.float32(choices.saturation)
    if asked.given is None or asked.light is None:
        return chroma
    chroma = _brought_up(chroma, asked.seen, asked.light)
    if choices.hint_method == "optimise":
        from model.guidance import optimisation  # SciPy and scikit-image take a second to import

        return optimisation.optimise(chroma, asked.light, asked.given, choices.hint_reach)
    return blending.blend(chroma, asked.light, asked.given, choices.hint_reach)


def _brought_up(chroma: Floats, seen: Floats, light: Floats) -> Floats:
    """Return chroma on the grid of ``light``, along its edges, as `model.upsampling` brings it up to a photo."""
    height, width = light.shape
    # The pixels are not looked at, because the chroma has the size of `seen`.
    planes = upsampling.guide(np.zeros((height, width), np.uint8), chroma, seen).planes
    wide = cv2.resize(planes.transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    detail = np.clip(light - wide[..., 4], -upsampling.MOST_DETAIL, upsampling.MOST_DETAIL)
    brought: Floats = wide[..., :2] + wide[..., 2:4] * detail[..., None]
    return brought
