"""The colours that the chunks of a PNG describe without an ICC profile, made into one (PNG, third edition, 4.3).

cICP comes before iCCP, that before sRGB, and that before gAMA and cHRM. A gamma of 1/2.2 with the primaries of sRGB, or
none, is how writers approximate sRGB, and means sRGB.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.images import cicp, icc_profiles
from pipelines.images.cicp import CodePoints
from tfrecords.colorimetry import D65, SRGB_CURVE, SRGB_PRIMARIES, Curve, Primaries

_START, _HEADER = 8, b"IHDR"
_GREYS = (0, 4)  # colour types
_KINDS = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
_UNIT = 100_000
_SRGB_GAMMAS = range(45_000, 45_911)
_GAMMAS = range(_UNIT // 10, 10 * _UNIT + 1)
_CLOSE = 0.0025


@dataclass(frozen=True, kw_only=True)
class Described:
    """ICC profiles made from chunks, b"" for none.

    Attributes:
        first: comes before an embedded profile.
        last: comes after it.
        warnings: ``highlights_clipped``, ``profile_dropped``.
    """

    first: bytes = b""
    last: bytes = b""
    warnings: tuple[str, ...] = ()


def described(data: bytes) -> Described:
    """Return what the chunks of a PNG say about its colours."""
    header, chunks = b"", dict[bytes, bytes]()
    for kind, content in _chunks(data):
        if kind == _HEADER:
            header = content
        elif len(content) == _KINDS.get(kind):
            chunks.setdefault(kind, content)
    if len(header) < 10:
        return Described()
    is_grey = header[9] in _GREYS
    if b"cICP" in chunks:
        points = CodePoints(*chunks[b"cICP"])
        if made := cicp.profile(points, is_grey=is_grey, bits=16 if header[8] == 16 else 8):
            is_high = points.transfer in cicp.HIGH_RANGE
            return Described(first=made, warnings=("highlights_clipped",) if is_high else ())
    if b"sRGB" in chunks:
        return Described()
    try:
        return Described(last=_calibrated(chunks, is_grey))
    except ValueError:
        return Described(warnings=("profile_dropped",))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of each chunk before the pixels."""
    position = _START
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            return
        yield kind, data[position + 8 : position + 8 + size]
        position += 12 + size


def _calibrated(chunks: dict[bytes, bytes], is_grey: bool) -> bytes:
    """Return the profile of gAMA and cHRM, b"" for sRGB.

    Raises:
        ValueError: they are out of range.
    """
    gamma = int.from_bytes(chunks[b"gAMA"], "big") if b"gAMA" in chunks else None
    if gamma is not None and gamma not in _GAMMAS:
        raise ValueError(f"gamma {gamma}")
    primaries: Primaries = SRGB_PRIMARIES
    white = D65
    if b"cHRM" in chunks and not is_grey:
        numbers = [value / _UNIT for value in struct.unpack(">8I", chunks[b"cHRM"])]
        pairs = [*zip(numbers[::2], numbers[1::2], strict=True)]
        white, primaries = pairs[0], (pairs[1], pairs[2], pairs[3])
    is_srgb = np.allclose([white, *primaries], [D65, *SRGB_PRIMARIES], rtol=0, atol=_CLOSE)
    if is_srgb and (gamma is None or gamma in _SRGB_GAMMAS):
        return b""
    curve = SRGB_CURVE if gamma is None else Curve(gamma=_UNIT / gamma)
    if is_grey:
        return icc_profiles.grey("PNG", curve)
    return icc_profiles.rgb("PNG", primaries, white, curve)
