"""Colour photographs as old film and paper would have shown them: the luminance that training sees, made historic.

A panchromatic sRGB luminance is not what archives hold. Early emulsions saw blue and green and hardly red (plates until
about 1906 blue alone, orthochromatic film no red), prints fade and lose contrast, lenses are soft, film has grain. The
chroma stays as it is: it is what the network is to find.

Every example draws its own response, so that none can be learnt by heart. Decisions follow from uniform numbers that
the caller draws, so a stream that goes on at any step gives the same pictures again.
"""

from __future__ import annotations

from typing import Any

from keras import ops

DRAWS = 10
"""Uniform numbers that one example needs."""

RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722  # of luminance (IEC 61966-2-1)
MIXED = 0.8
"""How far the weights of the channels may move from luminance to any mixture of them; 1 is anywhere."""
GAMMA = 1.35
"""The steepest (and, inverted, flattest) curve of the tones."""
LOWEST_CONTRAST = 0.55
"""What fading may leave of the range from black to white."""
BLUR = 0.7
"""The most that a picture gives way to its 3 x 3 mean."""
GRAIN = 0.035
"""The largest standard deviation of grain, as a part of the range of luminance."""

_WHITE = (0.95047, 1.0, 1.08883)  # D65, 2 degrees
# XYZ → linear sRGB (IEC 61966-2-1).
_LINEAR = ((3.2404542, -1.5371385, -0.4985314), (-0.9692660, 1.8760108, 0.0415560), (0.0556434, -0.2040259, 1.0572252))


def expose(luminance: Any, chroma: Any, drawn: Any, grain: Any, share: float) -> Any:
    """Return the luminance of a batch as historic photographs would show it.

    Args:
        luminance: L* / 100, float32 ``[N, R, R, 1]`` in [0, 1].
        chroma: ab / 128, float32 ``[N, R, R, 2]``.
        drawn: uniform numbers, float32 ``[N, DRAWS]`` in [0, 1).
        grain: normal numbers, float32 ``[N, R, R, 1]``.
        share: of the examples that are changed, in [0, 1].

    Returns:
        float32 ``[N, R, R, 1]`` in [0, 1].
    """
    chosen, mixing, red, green, blue, tone, contrast, floor, blur, coarse = (
        drawn[:, number, None, None, None] for number in range(DRAWS)
    )
    seen = _respond(linear_rgb(luminance, chroma), MIXED * mixing, red, green, blue)
    # Rounding may leave a channel below 0, whose power is no number.
    seen = ops.maximum(seen, 0.0) ** (GAMMA ** (2.0 * tone - 1.0))
    left = 1.0 - (1.0 - LOWEST_CONTRAST) * contrast
    seen = seen * left + (1.0 - left) * floor
    mean = ops.average_pool(ops.pad(seen, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric"), 3, 1)
    seen += BLUR * blur * (mean - seen)
    # Squared, so that most pictures have little grain, as most scans do.
    seen += GRAIN * coarse**2 * grain
    return ops.where(chosen < share, ops.clip(seen, 0.0, 1.0), luminance)


def linear_rgb(luminance: Any, chroma: Any) -> Any:
    """Return linear sRGB of Lab, float32 ``[..., 3]`` in [0, 1]; what sRGB cannot show is clipped.

    Args:
        luminance: L* / 100, float32 ``[..., 1]``.
        chroma: ab / 128, float32 ``[..., 2]``.
    """
    y = (luminance * 100.0 + 16.0) / 116.0
    x, z = y + chroma[..., :1] * (128.0 / 500.0), y - chroma[..., 1:] * (128.0 / 200.0)
    roots = ops.concatenate([x, y, z], axis=-1)
    # CIE 15: the inverse of Lab's f.
    xyz = ops.where(roots > 6.0 / 29.0, roots**3, (roots - 4.0 / 29.0) * (3.0 * (6.0 / 29.0) ** 2))
    return ops.clip(ops.tensordot(xyz * ops.array(_WHITE), ops.array(_LINEAR), [[-1], [1]]), 0.0, 1.0)


def _respond(linear: Any, mixing: Any, *drawn: Any) -> Any:
    """Return L* / 100 of an emulsion with weights between luminance and a random mixture, `mixing` in [0, 1]."""
    # Logarithms of uniform numbers share out one as often in any proportion as in any other (Dirichlet).
    parts = ops.concatenate([-ops.log(1.0 - number) + 1e-6 for number in drawn], axis=-1)
    random = parts / ops.sum(parts, axis=-1, keepdims=True)
    weights = (1.0 - mixing) * ops.array((RED, GREEN, BLUE)) + mixing * random
    y = ops.sum(linear * weights, axis=-1, keepdims=True)
    root = ops.where(
        y > (6.0 / 29.0) ** 3, ops.maximum(y, 1e-6) ** (1.0 / 3.0), y / (3.0 * (6.0 / 29.0) ** 2) + 4.0 / 29.0
    )
    return (116.0 * root - 16.0) / 100.0
