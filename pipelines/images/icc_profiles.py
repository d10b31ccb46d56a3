"""Make ICC profiles of displays (ICC.1:2022) from primaries, a white point and a tone curve.

LittleCMS's bindings make such profiles too, but each with the time of its making and without a description of its own.
"""

import struct

import numpy as np
import numpy.typing as npt

from tfrecords import colorimetry
from tfrecords.colorimetry import D50_XYZ, Chromaticity, Curve, Doubles, Space

_VERSION = 0x04300000
_DATE = (2000, 1, 1, 0, 0, 0)  # equal photos become equal files
_HEADER, _ENTRY = 128, 12
_POWER, _LINE_AND_POWER = 0, 3  # kinds of parametric curves


def of_space(space: Space) -> bytes:
    """Return the profile of a space."""
    return rgb(space.title, space.primaries, space.white, space.curve)


def rgb(name: str, primaries: npt.ArrayLike, white: Chromaticity, curve: Curve | Doubles) -> bytes:
    """Return the profile of a space of red, green and blue.

    Args:
        name: the description that viewers show.
        primaries: CIE x and y of red, green and blue, ``[3, 2]``.
        white: CIE x and y.
        curve: of all three; or its values in [0, 1] at even steps.

    Raises:
        ValueError: there is no such space, see `tfrecords.colorimetry.to_d50`.
    """
    columns = colorimetry.to_d50(primaries, white).T
    tags = [(tag, _xyz(column)) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    tags.append((b"chad", b"sf32" + bytes(4) + _fixed(colorimetry.adaptation(white))))
    tags += [(tag, _curve(curve)) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"RGB ", name, tags)


def grey(name: str, curve: Curve | Doubles) -> bytes:
    """Return the profile of greys with a tone curve, given as for `rgb`."""
    return _profile(b"GRAY", name, [(b"kTRC", _curve(curve))])


def _profile(space: bytes, name: str, tags: list[tuple[bytes, bytes]]) -> bytes:
    tags = [
        (b"desc", _text(name)),
        (b"cprt", _text("No copyright, use freely")),
        (b"wtpt", _xyz(D50_XYZ)),
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
    header = header.ljust(68, b"\0") + _fixed(D50_XYZ)
    return header.ljust(_HEADER, b"\0") + table + body


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(content), 28) + content


def _xyz(values: Doubles) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _curve(curve: Curve | Doubles) -> bytes:
    if not isinstance(curve, Curve):
        return struct.pack(">4s4xI", b"curv", len(curve)) + np.rint(curve * 65535).astype(">u2").tobytes()
    kind, numbers = _LINE_AND_POWER, [curve.gamma, curve.scale, curve.offset, curve.slope, curve.end]
    if curve == Curve(gamma=curve.gamma):
        kind, numbers = _POWER, [curve.gamma]
    return struct.pack(">4s4xH2x", b"para", kind) + _fixed(np.array(numbers))


def _fixed(values: Doubles) -> bytes:
    """Return s15Fixed16 numbers."""
    return np.rint(np.asarray(values) * 65536).astype(">i4").tobytes()
