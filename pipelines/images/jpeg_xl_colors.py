"""The colours of a JPEG XL, from its header (ISO/IEC 18181-1, annexes D and E), made into an ICC profile.

libjxl decodes to the colours that the header describes. A lossy picture that has an ICC profile instead becomes linear
sRGB. The profile itself is coded like pixels, and libjxl does not hand it out through imagecodecs: that of a picture
without loss is known only where the file is a JPEG in disguise.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.images import cicp, icc_profiles, jpeg_xl
from tfrecords.colorimetry import D65, SRGB_PRIMARIES, Chromaticity, Curve, Doubles, Primaries

_Take = Callable[[int], int]
_Choices = tuple[tuple[int, int], ...]
# Pairs of an offset and a number of bits, of which two bits choose one.
_ENUM: _Choices = ((0, 0), (1, 0), (2, 4), (18, 6))
_SAMPLE_BITS: _Choices = ((8, 0), (10, 0), (12, 0), (1, 6))
_FLOAT_BITS: _Choices = ((32, 0), (16, 0), (24, 0), (1, 6))
_CHANNELS: _Choices = ((0, 0), (1, 0), (2, 4), (1, 12))
_SHIFT: _Choices = ((0, 0), (3, 0), (4, 0), (1, 3))
_NAME: _Choices = ((0, 0), (0, 4), (16, 5), (48, 10))
_FILTER: _Choices = ((1, 0), (0, 2), (3, 4), (19, 8))
_PREVIEW: tuple[_Choices, _Choices] = (((1, 6), (65, 8), (321, 10), (1345, 12)), ((16, 0), (32, 0), (1, 5), (33, 9)))
_TICKS: _Choices = ((100, 0), (1000, 0), (1, 10), (1, 30))
_TICKS_BELOW: _Choices = ((1, 0), (1001, 0), (1, 8), (1, 10))
_LOOPS: _Choices = ((0, 0), (0, 3), (0, 16), (0, 32))
_COORDINATE: _Choices = ((0, 19), (1 << 19, 19), (1 << 20, 20), (1 << 21, 21))
_ALPHA, _SPOT, _BLACK, _MOSAIC = 0, 2, 4, 5
_RGB, _GREY = 0, 1
_CUSTOM, _GAMMA_UNIT, _COORDINATE_UNIT = 2, 1e7, 1e6
_WHITES: dict[int, Chromaticity] = {1: D65, 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}
_PRIMARIES: dict[int, Primaries] = {1: SRGB_PRIMARIES, 9: cicp.PRIMARIES[9][0], 11: cicp.PRIMARIES[12][0]}
_UNKNOWN, _SRGB = 2, 13
_NAME_OF_PROFILE = "JPEG XL"


@dataclass(frozen=True, kw_only=True)
class Colors:
    """What a header says of the decoded pixels.

    Attributes:
        profile: made from it; b"" for sRGB.
        is_unknown: whether the pixels are in colours of a profile that cannot be had.
        is_high: whether they have a curve of high dynamic range.
        has_black: whether a channel is black ink, so that the others are cyan, magenta and yellow.
    """

    profile: bytes = b""
    is_unknown: bool = False
    is_high: bool = False
    has_black: bool = False


def described(data: bytes) -> Colors:
    """Return the colours of a JPEG XL.

    Raises:
        ValueError: the header is cut short.
    """
    take = jpeg_xl.after_size(data)
    if take(1):
        return Colors()
    if take(1):
        _pass_extra(take)
    _pass_depth(take)
    take(1)  # whether 16 bits are enough
    kinds = [_kind_of_channel(take) for _ in range(_choose(take, _CHANNELS))]
    is_lossy = bool(take(1))
    has_black = _BLACK in kinds
    if take(1):
        return Colors(has_black=has_black)
    has_profile, space = bool(take(1)), _choose(take, _ENUM)
    if has_profile and is_lossy:
        return Colors(profile=_profile(space, D65, SRGB_PRIMARIES, Curve()), has_black=has_black)
    if has_profile or space not in (_RGB, _GREY):
        return Colors(is_unknown=True, has_black=has_black)
    white = _white(take)
    primaries = _primaries(take) if space == _RGB else SRGB_PRIMARIES
    gamma = take(24) / _GAMMA_UNIT if take(1) else 0.0
    transfer = 0 if gamma else _choose(take, _ENUM)
    if (white, primaries, transfer) == (D65, SRGB_PRIMARIES, _SRGB):
        return Colors(has_black=has_black)
    curve = Curve(gamma=1 / gamma) if gamma else cicp.curve(transfer)
    if white is None or primaries is None or curve is None:
        return Colors(is_unknown=True, has_black=has_black)
    try:
        profile = _profile(space, white, primaries, curve)
    except ValueError:
        return Colors(is_unknown=True, has_black=has_black)
    return Colors(profile=profile, is_high=transfer in cicp.HIGH_RANGE, has_black=has_black)


def _choose(take: _Take, choices: _Choices) -> int:
    offset, bits = choices[take(2)]
    return offset + take(bits)


def _pass_extra(take: _Take) -> None:
    """Pass over orientation, size to show, preview and animation."""
    take(3)
    if take(1):
        jpeg_xl.take_size(take)
    if take(1):
        choices = _PREVIEW[take(1)]
        _choose(take, choices)
        if not take(3):
            _choose(take, choices)
    if take(1):
        for one in (_TICKS, _TICKS_BELOW, _LOOPS):
            _choose(take, one)
        take(1)


def _pass_depth(take: _Take) -> None:
    if take(1):
        _choose(take, _FLOAT_BITS)
        take(4)
    else:
        _choose(take, _SAMPLE_BITS)


def _kind_of_channel(take: _Take) -> int:
    """Return the kind of a channel beside the colours."""
    if take(1):
        return _ALPHA
    kind = _choose(take, _ENUM)
    _pass_depth(take)
    _choose(take, _SHIFT)
    take(8 * _choose(take, _NAME))
    if kind == _ALPHA:
        take(1)
    elif kind == _SPOT:
        take(64)
    elif kind == _MOSAIC:
        _choose(take, _FILTER)
    return kind


def _point(take: _Take) -> Chromaticity:
    """Return CIE x and y, which are stored as signed millionths, the sign in the lowest bit."""
    numbers = [_choose(take, _COORDINATE) for _ in range(2)]
    x, y = (-(number + 1) // 2 if number & 1 else number // 2 for number in numbers)
    return x / _COORDINATE_UNIT, y / _COORDINATE_UNIT


def _white(take: _Take) -> Chromaticity | None:
    kind = _choose(take, _ENUM)
    return _point(take) if kind == _CUSTOM else _WHITES.get(kind)


def _primaries(take: _Take) -> Primaries | None:
    kind = _choose(take, _ENUM)
    return (_point(take), _point(take), _point(take)) if kind == _CUSTOM else _PRIMARIES.get(kind)


def _profile(space: int, white: Chromaticity, primaries: Primaries, curve: Curve | Doubles) -> bytes:
    if space == _GREY:
        return icc_profiles.grey(_NAME_OF_PROFILE, curve)
    return icc_profiles.rgb(_NAME_OF_PROFILE, primaries, white, curve)
