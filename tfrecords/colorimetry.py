"""Spaces of red, green and blue: tone curves, and the matrix from primaries and a white point (CIE 15, ICC.1:2022)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Chromaticity = tuple[float, float]
"""CIE x and y."""
Primaries = tuple[Chromaticity, Chromaticity, Chromaticity]
"""Of red, green and blue."""

D50: Chromaticity = (0.3457, 0.3585)
D65: Chromaticity = (0.3127, 0.3290)
D50_XYZ: Doubles = np.array([0.9642, 1.0, 0.8249])
"""White of ICC profiles, by their specification."""
_BRADFORD: Doubles = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True, kw_only=True)
class Curve:
    """From codes X to light Y, both in [0, 1]: Y = (scale X + offset)^gamma from `end` on, and slope X below."""

    gamma: float = 1.0
    scale: float = 1.0
    offset: float = 0.0
    slope: float = 0.0
    end: float = 0.0

    def light(self, codes: npt.ArrayLike) -> Doubles:
        """Return the light of codes."""
        values = np.asarray(codes, np.float64)
        upper = np.maximum(self.scale * values + self.offset, 0) ** self.gamma
        found: Doubles = np.where(values >= self.end, upper, self.slope * values)
        return found

    def codes(self, light: npt.ArrayLike) -> Doubles:
        """Return the codes of light: the inverse of `light`."""
        values = np.asarray(light, np.float64)
        upper: Doubles = (np.maximum(values, 0) ** (1 / self.gamma) - self.offset) / self.scale
        if self.end:
            upper = np.where(values >= self.slope * self.end, upper, values / self.slope)
        return upper


@dataclass(frozen=True, kw_only=True)
class Space:
    """A space of red, green and blue.

    Attributes:
        title: how viewers name it.
        primaries: of red, green and blue.
        white: its white point.
        curve: of all three channels.
    """

    title: str
    primaries: Primaries
    white: Chromaticity
    curve: Curve

    def to_d50(self) -> Doubles:
        """Return the matrix ``[3, 3]`` from linear light to XYZ, adapted to D50."""
        return to_d50(self.primaries, self.white)


SRGB_PRIMARIES: Primaries = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
SRGB_CURVE = Curve(gamma=2.4, scale=1 / 1.055, offset=0.055 / 1.055, slope=1 / 12.92, end=0.04045)
SRGB = Space(title="sRGB", primaries=SRGB_PRIMARIES, white=D65, curve=SRGB_CURVE)


def to_d50(primaries: npt.ArrayLike, white: Chromaticity) -> Doubles:
    """Return the matrix ``[3, 3]`` from linear light to XYZ, adapted to D50 (Bradford).

    Args:
        primaries: CIE x and y of red, green and blue, ``[3, 2]``.
        white: CIE x and y.

    Raises:
        ValueError: there is no such space: the primaries lie on a line, or a value is out of range.
    """
    target = _xyz_of(white)
    columns = np.array([_xyz_of((x, y)) for x, y in np.asarray(primaries, np.float64)]).T
    if abs(np.linalg.det(columns)) < 1e-4:
        raise ValueError("the primaries lie on a line")
    shares = np.linalg.solve(columns, target)
    if shares.min() <= 0:
        raise ValueError("the white point is not among the colours of the primaries")
    found: Doubles = adaptation(white) @ (columns * shares)
    return found


def adaptation(white: Chromaticity) -> Doubles:
    """Return the Bradford matrix ``[3, 3]`` that brings a white point to D50, in XYZ."""
    cones: Doubles = _BRADFORD @ _xyz_of(white)
    wanted: Doubles = _BRADFORD @ D50_XYZ
    return np.asarray(np.linalg.solve(_BRADFORD, (wanted / cones)[:, None] * _BRADFORD), np.float64)


def _xyz_of(xy: Chromaticity) -> Doubles:
    x, y = xy
    if not (0 <= x <= 1 and 0 < y <= 1):
        raise ValueError(f"{x}, {y} is not a chromaticity")
    return np.array([x / y, 1, (1 - x - y) / y])
