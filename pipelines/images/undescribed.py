"""Colours of files without an ICC profile that are not PNGs: Adobe RGB of cameras, and code points of AVIF."""

import struct

from PIL import ExifTags, Image

from pipelines.images import cicp, icc, memory
from pipelines.images.cicp import CodePoints
from pipelines.images.png_color import Described

_INDEX, _ADOBE_RGB = 1, "R03"  # of DCF 2.0, section 4.4.3
_EXIF_AS_IT_IS = ("JPEG", "MPO")  # Pillow keeps its bytes, and finds it nowhere else
_BOX, _MOST_BEFORE = b"colrnclx", 1 << 16
_SRGB, _UNKNOWN = (1, 13), 2
# Encoders of video name its curve for photos that are sRGB.
_OF_VIDEO = (1, 6, 14, 15, _UNKNOWN)


def described(image: Image.Image, data: bytes) -> Described:
    """Return what a file says about its colours beside a profile.

    Args:
        image: open, of any format.
        data: its file.
    """
    if image.info.get("icc_profile") or image.mode == "CMYK":
        return Described()
    if image.format == "AVIF":
        return _of_avif(data)
    return Described(last=icc.profile_of("adobe_rgb")) if _is_adobe_rgb(image) else Described()


def _is_adobe_rgb(image: Image.Image) -> bool:
    """Return whether EXIF names Adobe RGB, as cameras do instead of a profile."""
    # To parse the EXIF of every photo would take as long as to open it.
    if image.format in _EXIF_AS_IT_IS and _ADOBE_RGB.encode() not in image.info.get("exif", b""):
        return False
    with memory.suppressed(Exception):
        return str(image.getexif().get_ifd(ExifTags.IFD.Interop).get(_INDEX, "")).rstrip("\0 ") == _ADOBE_RGB
    return False


def _of_avif(data: bytes) -> Described:
    """Return what the first box of code points says (ISO/IEC 23000-22, ITU-T H.273); the decoder has made RGB of it."""
    start = data.find(_BOX, 0, _MOST_BEFORE) + len(_BOX)
    if start < len(_BOX) or start + 4 > len(data):
        return Described()
    primaries, transfer = struct.unpack_from(">2H", data, start)
    primaries, transfer = 1 if primaries == _UNKNOWN else primaries, 13 if transfer in _OF_VIDEO else transfer
    if (primaries, transfer) == _SRGB:
        return Described()
    points = CodePoints(primaries, transfer, matrix=0, full_range=1)
    made = cicp.profile(points, is_grey=False, bits=8)
    is_high = made and transfer in cicp.HIGH_RANGE
    return Described(last=made, warnings=("highlights_clipped",) if is_high else ())
