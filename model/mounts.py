"""Photographs as albums and books hold them: in a mount, vignetted, mottled, printed through a halftone screen.

A network that has only seen whole scenes paints mounts beige and mottled studio backdrops in patches. Here a part of
the training examples get a border without colour (paper or film edge, with a caption in its lower margin), darker
corners, a slow unevenness of the luminance, or a halftone screen. Inside the border the chroma stays as it is: uneven
luminance must not mean colour.

Every decision follows from uniform numbers that the caller draws, so that a stream which goes on at any step gives the
same pictures again.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

DRAWS = 16
"""Uniform numbers that one example needs."""
BLOTCHES = 6
"""Side of the grid of normal numbers from which unevenness is drawn, brought up bicubically."""

WIDEST = 0.16
"""The widest margin, as a part of the side."""
DARKEST_CORNER = 0.6
"""What a vignette takes off the luminance in the corners at most."""
UNEVENNESS = 0.09
"""The largest standard deviation of the unevenness, as a part of the range of luminance."""
SCREEN = 0.12
"""The largest amplitude of a halftone screen, as a part of the range of luminance."""
_KINDS = (0.45, 0.35, 0.45, 0.12)  # chances of border, vignette, unevenness and screen in an example that is changed


def mount(luminance: Any, chroma: Any, drawn: Any, noise: Any, blotches: Any, share: float) -> tuple[Any, Any]:
    """Return a batch with a part of its pictures mounted, vignetted, mottled or screened.

    Args:
        luminance: L* / 100, float32 ``[N, R, R, 1]`` in [0, 1].
        chroma: ab / 128, float32 ``[N, R, R, 2]``.
        drawn: uniform numbers, float32 ``[N, DRAWS]`` in [0, 1).
        noise: normal numbers, float32 ``[N, R, R, 1]``.
        blotches: normal numbers, float32 ``[N, BLOTCHES, BLOTCHES, 1]``.
        share: of the examples that are changed, in [0, 1].

    Returns:
        Luminance in [0, 1] and chroma, of the same shapes.
    """
    side = luminance.shape[1]
    numbers = [drawn[:, number, None, None, None] for number in range(DRAWS)]
    chosen, border, vignette, uneven, screen, dark, tone, corner, amount, period, turn, caption = numbers[:12]
    chosen = chosen < share
    border, vignette, uneven, screen = (
        ops.cast(chosen & (number < chance), "float32")
        for number, chance in zip((border, vignette, uneven, screen), _KINDS, strict=True)
    )
    place = (ops.arange(side, dtype="float32") + 0.5) / side
    x, y = place[None, None, :, None], place[None, :, None, None]
    radius = 2.0 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    seen = luminance * (1.0 - vignette * DARKEST_CORNER * corner * radius)
    patches = ops.image.resize(blotches, (side, side), "bicubic", data_format="channels_last")
    seen += uneven * UNEVENNESS * amount * patches
    seen += screen * SCREEN * amount * _screen(x * side, y * side, 2.5 + 3.5 * period, math.pi / 2 * turn)
    # Squared, so that narrow margins are as frequent as albums have them; half of the sides have none.
    left, right, top, bottom = (WIDEST * ops.maximum(0.0, 2.0 * number - 1.0) ** 2 for number in numbers[12:16])
    inside = ops.cast((x >= left) & (x < 1.0 - right) & (y >= top) & (y < 1.0 - bottom), "float32")
    paper = ops.where(dark < 0.35, 0.02 + 0.12 * tone, 0.7 + 0.28 * tone) + 0.01 * noise
    strokes = ops.cast(ops.average_pool(noise, (1, 3), 1, "same") > 0.75, "float32")
    lines = ops.cast((caption < 0.5) & (y > 1.0 - 0.75 * bottom) & (y < 1.0 - 0.3 * bottom), "float32")
    paper += lines * strokes * ops.where(dark < 0.35, 0.6, -0.5)
    kept = 1.0 - border * (1.0 - inside)
    return ops.clip(kept * seen + (1.0 - kept) * paper, 0.0, 1.0), kept * chroma


def _screen(x: Any, y: Any, period: Any, turn: Any) -> Any:
    """Return a halftone screen in [-1, 1]: dots `period` pixels apart, turned by `turn` radians."""
    rate, cosine, sine = 2.0 * math.pi / period, ops.cos(turn), ops.sin(turn)
    return ops.sin(rate * (x * cosine + y * sine)) * ops.sin(rate * (y * cosine - x * sine))
