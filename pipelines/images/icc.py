"""ICC profiles: which of them are used, the conversion to sRGB, and the profile of sRGB that is written.

What a profile is shows in what it does: LittleCMS converts a few hundred colours with it. It is sRGB if none of them
moves by more than half of an 8-bit code, whatever its name. It is of no use if LittleCMS refuses it, if it is for
another number of channels, or if it maps colours to a plane or white to darkness.

LittleCMS's multi-process elements (ICC.1:2022, section 10.16) may all be the same bytes: in a PNG of 1 kB 20,000 of
them took 11 GB before LittleCMS gave up. Real profiles have 3 to 5.
"""

import io
import itertools
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageCms

from model.color_spaces import SPACES
from pipelines.images import icc_profiles, memory, samples, shapers
from pipelines.images.shapers import Shaper
from pipelines.images.strips import by_strips
from tfrecords.color import Bytes, Pixels, Words

Verdict = Literal["converted", "srgb", "unusable"]

_HEADER, _ENTRY = 128, 12
_ELEMENTS = b"mpet"
_MOST_ELEMENTS = 16
_MOST_TAGS = 100  # LittleCMS ignores profiles with more
_PIXELS_OF_TRANSFORM = 1 << 22  # in a strip; LittleCMS makes its tables for each
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# Device classes of pictures (input, display, output, colour space), and the spaces of pictures by number of channels.
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_SPACES = {1: (b"GRAY", b"RGB "), 3: (b"RGB ",), 4: (b"CMYK",)}
_NAMES = {b"GRAY": "gray", b"RGB ": "rgb", b"CMYK": "cmyk"}
# LittleCMS interpolates 16 bits in tables of 33 steps, which are wrong by 4 % where a curve is steep or colours are
# clipped. Without them it takes six times as long, so `pipelines.images.shapers` does what most profiles ask for.
_WITHOUT_TABLES = 0x0100
_PERCEPTUAL, _RELATIVE_COLORIMETRIC = 0, 1
_HALF_A_CODE = 257 / 2
_MOST_OF_SHAPER = 48  # a fifth of an 8-bit code; LittleCMS's own curve of sRGB is off by 25
_ALL_GREYS: Words = np.arange(1 << 16, dtype=np.uint16)
_LEAST_WHITE, _LEAST_VOLUME = 0.5, 1e-3


def settle(image: Image.Image, before: bytes = b"", after: bytes = b"") -> bool:
    """Decide which profile converts an open image, and keep it as Pillow keeps an embedded one; b"" if none does.

    Args:
        image: in any mode.
        before: a profile that comes before the embedded one.
        after: a profile that counts if there is no other that can be used.

    Returns:
        whether a profile was left out because it cannot be used.
    """
    embedded = image.info.get("icc_profile") or b""
    found = [profile for profile in (before, embedded, after) if profile and image.mode != "LAB"]
    verdicts = [(profile, judged(profile, _channels_of(image))) for profile in found]
    usable = [(profile, verdict) for profile, verdict in verdicts if verdict != "unusable"]
    profile, verdict = usable[0] if usable else (b"", "srgb")
    if found:
        image.info["icc_profile"] = profile if verdict == "converted" else b""
    return bool(verdicts) and verdicts[0][1] == "unusable"


def _channels_of(image: Image.Image) -> int:
    """Return how many channels a profile of an open image is for: 1, 3 or 4."""
    if image.mode == "CMYK":
        return 4
    return 1 if image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I") else 3


@lru_cache(maxsize=16)
def judged(profile: bytes, channels: int) -> Verdict:
    """Judge a profile by what it does with the colours of a picture.

    Args:
        profile: as embedded in the file.
        channels: 1, 3 or 4. Greys may have a profile of RGB: they count as R = G = B.

    Returns:
        ``srgb`` if pixels may stay as they are, ``unusable`` if they have to, else ``converted``.
    """
    import imagecodecs

    space = profile[16:20]
    if not _has_few_elements(profile) or profile[12:16] not in _CLASSES or space not in _SPACES[channels]:
        return "unusable"
    try:
        if channels == 1:
            found, asked = _of_greys(profile), _ALL_GREYS
            if found[-1] < _LEAST_WHITE * samples.WHITE or found[-1] <= found[0]:
                return "unusable"
        else:
            _transform(profile, "RGB" if channels == 3 else "CMYK")
            asked = _colours(channels)
            found = _converted(asked[None], profile, _RELATIVE_COLORIMETRIC)[0]
            if _is_degenerate(found, channels):
                return "unusable"
    except (ImageCms.PyCMSError, imagecodecs.CmsError, OSError, ValueError) as error:
        if memory.out_of_memory(error):
            raise
        return "unusable"
    is_srgb = channels != 4 and np.abs(found.astype(np.int32) - asked).max() <= _HALF_A_CODE
    return "srgb" if is_srgb else "converted"


def _has_few_elements(profile: bytes) -> bool:
    """Return whether a profile has no more elements than real ones do; LittleCMS judges those that are cut short."""
    if len(profile) < _HEADER + 4:
        return True
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    table = profile[_HEADER + 4 : _HEADER + 4 + _ENTRY * min(count, _MOST_TAGS)]
    for position in range(0, len(table) - _ENTRY + 1, _ENTRY):
        (start,) = struct.unpack_from(">I", table, position + 4)
        tag = profile[start : start + 16]
        if tag[:4] == _ELEMENTS and int.from_bytes(tag[12:16], "big") > _MOST_ELEMENTS:
            return False
    return True


def _colours(channels: int) -> Words:
    """Return the corners of the cube of colours, ``[2**channels, channels]``, and of RGB a lattice and greys too."""
    corners = np.array([*itertools.product((0, samples.WHITE), repeat=channels)], np.uint16)
    if channels == 4:
        return corners
    lattice = np.array([*itertools.product(range(0, 1 << 16, 8191), repeat=3)], np.uint16)
    greys = np.repeat(np.arange(0, 1 << 16, 257, dtype=np.uint16)[:, None], 3, axis=1)
    return np.concatenate([corners, lattice, greys])


def _is_degenerate(found: Words, channels: int) -> bool:
    """Return whether white is dark, or red, green and blue lie on a plane with black; judged by the cube's corners."""
    shares = found / samples.WHITE
    black, white = (shares[0], shares[7]) if channels == 3 else (shares[15], shares[0])
    if white.min() < _LEAST_WHITE or white.mean() <= black.mean():
        return True
    return channels == 3 and abs(np.linalg.det(shares[[4, 2, 1]] - black)) < _LEAST_VOLUME


def srgb_profile() -> bytes:
    """Return LittleCMS's own profile of sRGB, 0.6 kB, dated 2000 instead of now: equal photos become equal files."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    profile[84:100] = bytes(16)
    return bytes(profile)


@lru_cache(maxsize=16)
def profile_of(space: str) -> bytes:
    """Return the profile that is written for one of `model.color_spaces.SPACES`."""
    return srgb_profile() if space == "srgb" else icc_profiles.of_space(SPACES[space])


def in_srgb(pixels: Pixels, space: str) -> Bytes:
    """Return pixels of one of `model.color_spaces.SPACES` ``[H, W, 3]`` in sRGB, uint8."""
    if space == "srgb":
        return samples.to_bytes(pixels)
    return samples.to_bytes(convert_words(samples.to_words(pixels), profile_of(space)))


def conversion(image: Image.Image, mode: str) -> Callable[[Image.Image], Image.Image]:
    """Return what converts strips of an open image, once they have this mode, to sRGB with 8 bits.

    Args:
        image: with a profile that `judged` found to be ``converted``, or with none.
        mode: L, which stays one channel, RGB, or CMYK, which becomes RGB.
    """
    profile = image.info.get("icc_profile")
    if not profile:
        return (lambda strip: strip.convert("RGB")) if mode == "CMYK" else (lambda strip: strip)
    if mode == "L":
        table = samples.to_bytes(_of_greys(profile)[None, ::257])[0].tolist()
        return lambda strip: strip.point(table)
    transform = _transform(profile, mode)
    return lambda strip: ImageCms.applyTransform(strip, transform) or strip


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Return the conversion; it is cached, because an archive has few profiles and each takes 20 ms."""
    return ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB, mode, "RGB")


@lru_cache(maxsize=16)
def _of_greys(profile: bytes) -> Words:
    """Return the sRGB grey of every 16-bit grey, uint16 ``[65536]``."""
    greys = _ALL_GREYS[None]
    if profile[16:20] == b"RGB ":
        greys = np.stack([greys] * 3, axis=-1)
    found: Words = _converted(greys, profile)[0, :, 1]
    return found


def _converted(pixels: Words, profile: bytes, intent: int = _PERCEPTUAL, *, to_xyz: bool = False) -> Any:
    """Convert uint16 ``[H, W]`` or ``[H, W, C]`` to sRGB, uint16 ``[H, W, 3]``, or to XYZ under D50, float32."""
    import imagecodecs

    return imagecodecs.cms_transform(
        np.ascontiguousarray(pixels),
        profile,
        imagecodecs.cms_profile("xyz") if to_xyz else srgb_profile(),
        colorspace=_NAMES[profile[16:20]],
        outcolorspace="xyz" if to_xyz else "rgb",
        outdtype="f4" if to_xyz else "u2",
        intent=intent,
        flags=_WITHOUT_TABLES,
    )


def convert_words(words: Words, profile: bytes | None) -> Words:
    """Convert uint16 ``[H, W]`` or ``[H, W, 3]`` to sRGB with 16 bits throughout.

    Args:
        words: the pixels; greys stay one channel.
        profile: one that `judged` found to be ``converted``, or none.
    """
    if not profile:
        return words
    height, width = words.shape[:2]
    if words.ndim == 2:
        table = _of_greys(profile)
        return by_strips(lambda rows: np.take(table, words[rows]), height, width)
    if shaper := _shaper(profile):
        return by_strips(lambda rows: shaper.convert(words[rows]), height, width)
    return by_strips(lambda rows: _converted(words[rows], profile), height, width, _PIXELS_OF_TRANSFORM)


@lru_cache(maxsize=4)
def _shaper(profile: bytes) -> Shaper | None:
    """Return three curves and a matrix that do what LittleCMS does with a profile; None if there are none."""
    ramps = np.zeros((3, 1 << 16, 3), np.uint16)
    for channel in range(3):
        ramps[channel, :, channel] = _ALL_GREYS
    srgb = _converted(ramps[:, -1:], srgb_profile(), to_xyz=True)[:, 0]
    shaper = shapers.of_ramps(_converted(ramps, profile, to_xyz=True), srgb)
    colours = _colours(3)[None]
    gap = np.abs(shaper.convert(colours).astype(np.int32) - _converted(colours, profile)).max() if shaper else 1 << 16
    return shaper if gap <= _MOST_OF_SHAPER else None
