"""Make ICC profiles of displays (ICC.1:2022) from primaries, a white point and a tone curve.

LittleCMS's bindings make such profiles too, but each with the time of its making and without a description of its own.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

D50 = (0.3457, 0.3585)
"""White point of profiles, CIE x and y."""
D65 = (0.3127, 0.3290)
_D50_XYZ = np.array([0.9642, 1.0, 0.8249])  # of the specification
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_VERSION = 0x04300000
_DATE = (2000, 1, 1, 0, 0, 0)  # equal photos become equal files
_HEADER, _ENTRY = 128, 12
_POWER, _LINE_AND_POWER = 0, 3  # kinds of parametric curves


@dataclass(frozen=True, kw_only=True)
class Curve:
    """From codes X to light Y, both in [0, 1]: Y = (scale X + offset)^gamma from `end` on, and slope X below."""

    gamma: float = 1.0
    scale: float = 1.0
    offset: float = 0.0
    slope: float = 0.0
    end: float = 0.0

    def light(self, codes: npt.ArrayLike) -> Floats:
        """Return the light of codes."""
        values = np.asarray(codes, np.float64)
        upper = np.maximum(self.scale * values + self.offset, 0) ** self.gamma
        found: Floats = np.where(values >= self.end, upper, self.slope * values)
        return found

    def codes(self, light: npt.ArrayLike) -> Floats:
        """Return the codes of light: the inverse of `light`."""
        values = np.asarray(light, np.float64)
        upper: Floats = (np.maximum(values, 0) ** (1 / self.gamma) - self.offset) / self.scale
        if self.end:
            upper = np.where(values >= self.slope * self.end, upper, values / self.slope)
        return upper


SRGB = Curve(gamma=2.4, scale=1 / 1.055, offset=0.055 / 1.055, slope=1 / 12.92, end=0.04045)


def rgb(name: str, primaries: npt.ArrayLike, white: tuple[float, float], curve: Curve | Floats) -> bytes:
    """Return the profile of a space of red, green and blue.

    Args:
        name: the description that viewers show.
        primaries: CIE x and y of red, green and blue, ``[3, 2]``.
        white: CIE x and y.
        curve: of all three; or its values in [0, 1] at even steps.

    Raises:
        ValueError: there is no such space: the primaries lie on a line, or a value is out of range.
    """
    columns = to_d50(primaries, white).T
    tags = [(tag, _xyz(column)) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    adapted = _adaptation(_xyz_of(white), _D50_XYZ)
    tags.append((b"chad", b"sf32" + bytes(4) + _fixed(adapted)))
    tags += [(tag, _curve(curve)) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"RGB ", name, tags)


def grey(name: str, curve: Curve | Floats) -> bytes:
    """Return the profile of greys with a tone curve, given as for `rgb`."""
    return _profile(b"GRAY", name, [(b"kTRC", _curve(curve))])


def to_d50(primaries: npt.ArrayLike, white: tuple[float, float]) -> Floats:
    """Return the matrix ``[3, 3]`` from linear light to XYZ, adapted to D50 (Bradford).

    Raises:
        ValueError: see `rgb`.
    """
    target = _xyz_of(white)
    columns = np.array([_xyz_of((x, y)) for x, y in np.asarray(primaries, np.float64)]).T
    if abs(np.linalg.det(columns)) < 1e-4:
        raise ValueError("the primaries lie on a line")
    shares = np.linalg.solve(columns, target)
    if shares.min() <= 0:
        raise ValueError("the white point is not among the colours of the primaries")
    found: Floats = _adaptation(target, _D50_XYZ) @ (columns * shares)
    return found


def _xyz_of(xy: tuple[float, float]) -> Floats:
    x, y = xy
    if not (0 <= x <= 1 and 0 < y <= 1 and np.isfinite([x, y]).all()):
        raise ValueError(f"{x}, {y} is not a chromaticity")
    return np.array([x / y, 1, (1 - x - y) / y])


def _adaptation(white: Floats, target: Floats) -> Floats:
    """Return the Bradford matrix that brings one white to another."""
    cones, wanted = _BRADFORD @ white, _BRADFORD @ target
    found: Floats = np.linalg.solve(_BRADFORD, (wanted / cones)[:, None] * _BRADFORD)
    return found


def _profile(space: bytes, name: str, tags: list[tuple[bytes, bytes]]) -> bytes:
    tags = [
        (b"desc", _text(name)),
        (b"cprt", _text("No copyright, use freely")),
        (b"wtpt", _xyz(_D50_XYZ)),
        *tags,
    ]
    table, body = struct.pack(">I", len(tags)), b""
    start = _HEADER + 4 + _ENTRY * len(tags)
    placed: dict[bytes, int] = {}
    for tag, content in tags:
        if content not in placed:  # the three curves are one
            placed[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", tag, placed[content], len(content))
    header = struct.pack(">I4xI4s4s4s6H4s", start + len(body), _VERSION, b"mntr", space, b"XYZ ", *_DATE, b"acsp")
    header = header.ljust(68, b"\0") + _fixed(_D50_XYZ)
    return header.ljust(_HEADER, b"\0") + table + body


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(content), 28) + content


def _xyz(values: Floats) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _curve(curve: Curve | Floats) -> bytes:
    if not isinstance(curve, Curve):
        return struct.pack(">4s4xI", b"curv", len(curve)) + np.rint(curve * 65535).astype(">u2").tobytes()
    kind, numbers = _LINE_AND_POWER, [curve.gamma, curve.scale, curve.offset, curve.slope, curve.end]
    if curve == Curve(gamma=curve.gamma):
        kind, numbers = _POWER, [curve.gamma]
    return struct.pack(">4s4xH2x", b"para", kind) + _fixed(np.array(numbers))


def _fixed(values: Floats) -> bytes:
    """Return s15Fixed16 numbers."""
    return np.rint(np.asarray(values) * 65536).astype(">i4").tobytes()
