"""ICC profiles: which of them LittleCMS can use, the conversion to sRGB, and the profile of sRGB that is written.

LittleCMS's multi-process elements (ICC.1:2022, section 10.16) may all be the same bytes: in a PNG of 1 kB 20,000 of
them took 11 GB before LittleCMS gave up. Real profiles have 3 to 5.
"""

import io
import struct
from functools import lru_cache

from PIL import Image, ImageCms

from pipelines.images import memory
from pipelines.images.strips import by_strips
from tfrecords.color import Words

_HEADER, _ENTRY = 128, 12
_ELEMENTS = b"mpet"
_MOST_ELEMENTS = 16
_MOST_TAGS = 100  # LittleCMS ignores profiles with more
_PIXELS_OF_TRANSFORM = 1 << 22  # in a strip; LittleCMS makes its tables for each
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def is_usable(profile: bytes) -> bool:
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


def srgb_profile() -> bytes:
    """Return LittleCMS's own profile of sRGB, 0.6 kB, dated 2000 instead of now: equal photos become equal files."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    profile[84:100] = bytes(16)
    return bytes(profile)


def transform_of(image: Image.Image, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what converts an open image, once it has this mode, to sRGB with 8 bits.

    None if the image is in sRGB already, or has no profile that can be used.
    """
    profile = image.info.get("icc_profile")
    with memory.suppressed(ImageCms.PyCMSError, OSError, ValueError):
        return _transform(profile, mode) if profile else None
    return None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the conversion; it is cached, because an archive has few profiles and each takes 20 ms."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode != "CMYK" and "sRGB" in ImageCms.getProfileDescription(source):
        return None
    return ImageCms.buildTransform(source, SRGB, mode, "RGB")


def convert(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """Convert an image to sRGB: grey stays one channel, CMYK becomes RGB; a transform that fails counts as none."""
    if transform is not None:
        with memory.suppressed(ImageCms.PyCMSError, OSError, ValueError):
            converted = ImageCms.applyTransform(image, transform)
            if converted is not None:
                return converted.getchannel("G") if image.mode == "L" else converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def convert_words(samples: Words, profile: bytes | None) -> Words:
    """Convert uint16 ``[H, W]`` or ``[H, W, 3]`` to sRGB with 16 bits throughout.

    A profile that fails counts as none.
    """
    if not profile:
        return samples
    import imagecodecs

    try:
        if "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))):
            return samples
        kind = "gray" if samples.ndim == 2 else "rgb"
        srgb = srgb_profile()

        def convert_strip(rows: slice) -> Words:
            converted = imagecodecs.cms_transform(
                samples[rows], profile, srgb, colorspace=kind, outcolorspace="rgb", outdtype="u2"
            )
            return converted[..., 1] if samples.ndim == 2 else converted

        return by_strips(convert_strip, samples.shape[0], samples.shape[1], _PIXELS_OF_TRANSFORM)
    except (ImageCms.PyCMSError, imagecodecs.CmsError, OSError, ValueError) as error:
        if memory.out_of_memory(error):
            raise
        return samples
