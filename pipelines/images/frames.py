"""The frames of animations, stereo pairs and bursts: how many a file has, and any of them."""

from typing import Any

from PIL import Image

from pipelines.images import memory

# Others count layers or sizes of one picture, or have pages, as TIFF.
_FORMATS = ("AVIF", "DCX", "FLI", "GIF", "IM", "MPO", "PNG", "SPIDER", "WEBP")
_MPO_ENTRIES = 0xB002
_MPO_THUMBNAIL = "Large Thumbnail"


def of(image: Image.Image) -> int:
    """Return the number of frames of an open file, without the thumbnails at the end of an MPO; at least 1."""
    if image.format not in _FORMATS and not hasattr(image, "mpinfo"):
        return 1
    with memory.suppressed(Exception):
        told: Any = getattr(image, "mpinfo", None)
        if told:
            kinds = [str(entry["Attribute"]["MPType"]) for entry in told[_MPO_ENTRIES]]
            return max(1, sum(not kind.startswith(_MPO_THUMBNAIL) for kind in kinds))
        return int(getattr(image, "n_frames", 1)) if getattr(image, "is_animated", False) else 1
    return 1


def show(image: Image.Image, number: int, data: bytes) -> bytes:
    """Let an open file show another of its frames, counted from 0; return the file in which it is the first."""
    image.seek(number)
    offsets = getattr(image, "_MpoImageFile__mpoffsets", None)
    return data[offsets[number] :] if offsets else data
